"""Beside a text that is read: what was expected at the cursor, and the characters that surprised most."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.message import Message

from charrnn.engine.questions.reading import Spot, TextSeen
from charrnn.insight.levels import level_of
from tui import palette
from tui.lenses import SHADES
from tui.panes.rows import Rows
from tui.screens.picking import PickRows
from tui.terminal import fit, pad, safe_line, width

Row = Sequence[tuple[str, Style]]

NAMES = 8
"""Cells for a token's glyph: a word is cut to it."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def glyph(text: str) -> str:
    """A character, or a word, made visible on one line."""
    return safe_line(text.replace("\n", "↵")).replace(" ", "␣")


def glyphs(text: str) -> str:
    """A piece of text on one line."""
    return safe_line(text.replace("\n", "↵").replace("\t", " "))


def percent(chance: float) -> str:
    """In five cells: 45 %, 0.3 %."""
    return f"{100 * chance:>3.0f} %" if chance >= 0.095 else f"{100 * chance:>3.1f} %" if chance >= 5e-4 else "  0 %"


def bar(share: float, columns: int) -> str:
    """A bar of that share of so many cells, to an eighth of one; a trace of it for anything above nothing."""
    eighths = round(share * columns * 8) if share > 0 else 0
    whole = "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()
    return whole or ("▏" if share > 0 else "")


def expectation_rows(text: str, at: int, seen: TextSeen | None, nats: float, columns: int) -> list[Row]:
    """What the model expected at a character of the text, or (at its end) what it would write next."""
    if not text:
        return [[("nothing to expect from yet", palette.QUIET)]]
    if seen is None:
        return [[("the model is reading…", palette.QUIET)]]
    here = text[at] if at < len(text) else None
    rows: list[Row] = []
    inside = at - seen.first
    expected = seen.expected[inside] if 0 <= inside < len(seen.expected) else []
    if here is None:
        rows.append([("next it expects", palette.PLAIN)])
    elif here in seen.unknown:
        return [
            [(glyph(here), palette.ERROR), (" is not in its alphabet", palette.PLAIN)],
            [(fit(unicodedata.name(here, "no name").lower(), columns), palette.PLAIN)],
            [("left out, and costs nothing", palette.QUIET)],
        ]
    elif math.isnan(nats):
        words = "nothing came before it" if at == 0 else "the model is reading…"
        return [[(f"{glyph(here)}: ", palette.STRONG), (words, palette.QUIET)]]
    else:
        given = percent(math.exp(-nats)).strip()
        rows.append([(glyph(here), palette.STRONG), (f" cost {nats:.2f} nats: {given}", SHADES[level_of(nats)])])
    names = max([2, *(min(NAMES, width(glyph(name))) for name, _ in expected)])
    room = columns - names - 9
    for name, chance in expected:
        actual = here is not None and name == here
        style = palette.ACCENT_STRONG if actual else palette.ACCENT
        rows.append(
            [
                ("▸" if actual else " ", palette.ACCENT_STRONG),
                (pad(glyph(name), names) + " ", palette.STRONG if actual else palette.PLAIN),
                (pad(bar(chance, room), room) + " " if room > 3 else "", style),
                (percent(chance), palette.PLAIN if actual else palette.QUIET),
            ]
        )
    return rows


class Expectations(Rows):
    """What was expected at the cursor; it takes no focus."""

    can_focus = False

    def __init__(self) -> None:
        super().__init__(id="expectations")
        self._what: tuple[str, int, TextSeen | None, float] = ("", 0, None, math.nan)
        self._rows: list[Row] = []

    def show(self, text: str, at: int, seen: TextSeen | None, nats: float) -> None:
        """Draws the rows that are others now."""
        self._what = (text, at, seen, nats)
        before, self._rows = self._rows, expectation_rows(text, at, seen, nats, self.text_columns)
        for number in range(max(len(before), len(self._rows))):
            if before[number : number + 1] != self._rows[number : number + 1]:
                self.refresh_rows(number, number + 1)

    def on_resize(self, event: events.Resize) -> None:
        self.show(*self._what)
        self.refresh()

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Row:
        return self._rows[number]


def spot_row(spot: Spot, text: str, columns: int) -> Row:
    """Its nats, the character among its neighbours, what was expected instead."""
    instead = f" for {fit(glyph(spot.expected), NAMES)} {percent(spot.chance).strip()}"
    own = glyph(text[spot.at])
    room = columns - 7 - width(instead) - width(own)
    around = max(0, room // 2)
    before = glyphs(text[max(0, spot.at - around) : spot.at])
    after = glyphs(text[spot.at + 1 : spot.at + 1 + around])
    before = before[len(before) - around :] if len(before) > around else before
    number = f"{spot.nats:.2f}"
    row: list[tuple[str, Style]] = [
        (" " * (5 - len(number)), palette.PLAIN),
        (number, SHADES[level_of(spot.nats)]),
        ("  ", palette.PLAIN),
    ]
    if room >= 4:
        row += [
            (" " * (around - width(before)) + before, palette.QUIET),
            (own, palette.STRONG + Style(underline=True)),
            (pad(fit(after, around), around), palette.QUIET),
        ]
    else:
        row.append((own, palette.STRONG))
    return [*row, (instead, palette.PLAIN)]


class Spots(PickRows):
    """The list; `enter` posts where one is."""

    class Chosen(Message):
        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self) -> None:
        super().__init__(id="spots")
        self.words = "what surprises it will stand here"
        self._spots: list[Spot] = []
        self._text = ""

    def show(self, spots: list[Spot], text: str) -> None:
        self._spots = [spot for spot in spots if spot.at < len(text)]
        self._text = text
        self._fill()

    def _fill(self) -> None:
        rows = [spot_row(spot, self._text, self.text_columns - 2) for spot in self._spots]
        if rows != self.rows:
            self.put(rows, self.words)

    def on_resize(self, event: events.Resize) -> None:
        self._fill()
        self.refresh()

    def picked(self, number: int) -> None:
        self.post_message(self.Chosen(self._spots[number].at))
