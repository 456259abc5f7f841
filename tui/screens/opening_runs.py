"""The list of runs: one row each, filtered by what is typed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message

from charrnn.commands.listing import age_in_words
from charrnn.runs.glance import Glance, Place
from tui import keys, palette
from tui.bars import bars
from tui.panes.rows import Rows
from tui.panes.status import STATES
from tui.terminal import pad, safe_line

Seen = Glance | str
"""A run at a glance, or the sentence that says why it cannot be read."""

_AGE, _LOSS = 8, 6
_MARK = 2


class RunList(Rows):
    """One row a run; typing filters. Posts `Highlighted`, `Chosen`, and `Filtered` when what is typed changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("runs"),
        Binding("up", "highlight(-1)", show=False),
        Binding("down", "highlight(1)", show=False),
        Binding("pageup", "highlight_page(-1)", show=False),
        Binding("pagedown", "highlight_page(1)", show=False),
        Binding("home", "highlight_end(0)", show=False),
        Binding("end", "highlight_end(1)", show=False),
        Binding("backspace", "rub_out", show=False),
    ]

    class Highlighted(Message):
        def __init__(self, place: Place | None) -> None:
            super().__init__()
            self.place = place

    class Chosen(Message):
        def __init__(self, place: Place) -> None:
            super().__init__()
            self.place = place

    class Filtered(Message):
        pass

    def __init__(self, folder: Path) -> None:
        super().__init__(id="runs")
        self.folder = folder
        self.filter = ""
        self.loaded = False
        self.current = ""
        self._places: list[Place] = []
        self._shown: list[Place] = []
        self._seen: dict[Path, Seen] = {}
        self._states: Mapping[Path, str] = {}
        self._at = 0

    # ---- what there is ---------------------------------------------------------------------------------------

    @property
    def places(self) -> Sequence[Place]:
        """All runs, whatever is filtered."""
        return self._places

    @property
    def seen(self) -> Mapping[Path, Seen]:
        """What has been read of them so far."""
        return self._seen

    @property
    def highlighted(self) -> Place | None:
        return self._shown[self._at] if self._shown else None

    @property
    def counts(self) -> tuple[int, int, int]:
        """How many runs are shown, how many there are, how many of those are live."""
        return len(self._shown), len(self._places), sum(place.live for place in self._places)

    def show(self, places: list[Place], current: str = "") -> None:
        """The runs there are; `current` is the folder of the one on the workbench."""
        self._places, self.current, self.loaded = places, current, True
        self._choose_shown()

    def learn(self, found: Mapping[Path, Seen]) -> None:
        """What was read of some runs."""
        self._seen |= found
        if self.filter:
            self._choose_shown()
        else:
            for number, place in enumerate(self._shown):
                if place.path in found:
                    self.refresh_rows(number, number + 1)
        if self.highlighted is not None and self.highlighted.path in found:
            self.post_message(self.Highlighted(self.highlighted))

    def learn_states(self, states: Mapping[Path, str]) -> None:
        """In what state live runs are, in a word."""
        self._states = states
        self.refresh()

    def state_of(self, place: Place) -> str:
        """As "training" or "paused"; "live" where its engine has not told; "" for a run that is not live."""
        return self._states.get(place.path, "live") if place.live else ""

    def _choose_shown(self) -> None:
        before = self.highlighted
        words = self.filter.lower().split()
        self._shown = [place for place in self._places if all(word in self._searched(place) for word in words)]
        self._at = self._shown.index(before) if before in self._shown and before is not None else 0
        self._keep_in_sight()
        self.refresh()
        self.post_message(self.Filtered())
        self.post_message(self.Highlighted(self.highlighted))

    def _searched(self, place: Place) -> str:
        seen = self._seen.get(place.path)
        corpus = seen.config.corpus.name if isinstance(seen, Glance) else ""
        cell = seen.config.model.cell if isinstance(seen, Glance) else ""
        return f"{place.name} {corpus} {cell} {'live' if place.live else ''}".lower()

    # ---- rows ------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        return len(self._shown) or 1

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        if not self._shown:
            return self._empty_row()
        place = self._shown[number]
        return self._row(place, self.text_columns, marked=number == self._at)

    def _empty_row(self) -> Sequence[tuple[str, Style]]:
        if not self.loaded:
            return [("looking for runs…", palette.QUIET)]
        if self._places:
            return [(f"no run is called {safe_line(self.filter)!r}; backspace", palette.QUIET)]
        return [(f"no runs yet in {safe_line(str(self.folder))}; tab begins one", palette.QUIET)]

    def _row(self, place: Place, columns: int, *, marked: bool) -> list[tuple[str, Style]]:
        seen = self._seen.get(place.path)
        plain = palette.ACCENT_STRONG if marked and self.has_focus else palette.STRONG if marked else palette.PLAIN
        quiet = palette.QUIET
        state = self.state_of(place)
        glyph, style = STATES.get(state, ("●", palette.GOOD)) if state else (" ", quiet)
        if isinstance(seen, str):
            glyph, style = "✗", palette.ERROR
        here = str(place.path) == self.current
        age = "here" if here else state or age_in_words(place.age)
        best = f"{seen.best:.3f}" if isinstance(seen, Glance) and seen.best is not None and seen.best < 100 else "–"
        if isinstance(seen, str):
            best = "✗"
        curve = 12 if columns >= 64 else 8 if columns >= 44 else 0
        corpus = min(20, columns // 5) if columns >= 50 else 0
        name = columns - _MARK - _LOSS - _AGE - 2 - (curve + 2 if curve else 0) - (corpus + 2 if corpus else 0)
        pointer = "▐" if marked else " "
        row = [(pointer, palette.ACCENT), (glyph + " ", style), (pad(safe_line(place.name), name - 1), plain)]
        if isinstance(seen, str) and curve:
            room = columns - _MARK - name - _AGE - 2
            return [*row, ("  " + pad("cannot be read", room), palette.ERROR), (f"{age:>{_AGE}}", quiet)]
        if corpus:
            text = safe_line(seen.config.corpus.name) if isinstance(seen, Glance) else ""
            row.append(("  " + pad(text, corpus), quiet))
        if curve:
            row.append(("  " + pad(bars(seen.curve, curve) if isinstance(seen, Glance) else "", curve), quiet))
        row.append((f"{best:>{_LOSS}}", plain))
        row.append((f"  {age:>{_AGE}}", style if state else quiet))
        return row

    # ---- keys and mouse --------------------------------------------------------------------------------------

    def _go(self, number: int) -> None:
        number = min(max(0, number), max(0, len(self._shown) - 1))
        if number == self._at:
            return
        before, self._at = self._at, number
        top = self.top
        self._keep_in_sight()
        if self.top == top:
            for row in (before, number):
                self.refresh_rows(row, row + 1)
        else:
            self.refresh()
        self.post_message(self.Highlighted(self.highlighted))

    def _keep_in_sight(self) -> None:
        height = max(1, self.size.height)
        self.top = min(max(self.top, self._at - height + 1), self._at, max(0, self.last_top))

    def action_highlight(self, rows: int) -> None:
        self._go(self._at + rows)

    def action_highlight_page(self, pages: int) -> None:
        self._go(self._at + pages * max(1, self.size.height - 1))

    def action_highlight_end(self, end: int) -> None:
        self._go(len(self._shown) if end else 0)

    def action_choose(self) -> None:
        if self.highlighted is not None:
            self.post_message(self.Chosen(self.highlighted))

    def action_rub_out(self) -> None:
        self.set_filter(self.filter[:-1])

    def set_filter(self, text: str) -> None:
        if text != self.filter:
            self.filter = text
            self._choose_shown()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """What can be typed is typed, whatever the workbench binds."""
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        if event.is_printable and event.character:
            event.stop()
            event.prevent_default()
            self.set_filter(self.filter + event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.set_filter(self.filter + " ".join(event.text.split())[:200])

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = self.top + event.y
        if not self._shown or number >= len(self._shown):
            return
        if number == self._at and event.chain > 1:
            self.action_choose()
        self._go(number)

    def on_focus(self) -> None:
        self.refresh_rows(self._at, self._at + 1)

    def on_blur(self) -> None:
        self.refresh_rows(self._at, self._at + 1)

    def on_resize(self, event: events.Resize) -> None:
        self._keep_in_sight()
        self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self._go(self._at - 3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self._go(self._at + 3)
