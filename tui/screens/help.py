"""The help screen: the table of keys by group, what the mouse does, and what the words on the screen mean.

What is typed there narrows it down to the lines that have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import keys, palette
from tui.panes.frame import Pane, Part
from tui.panes.rows import Rows
from tui.screens.covering import Covering
from tui.terminal import fit, pad, safe_line, width, wrap

Row = list[tuple[str, Style]]
Group = tuple[str, list[tuple[str, str]]]

MOUSE = (
    ("click", "a pane: focus it; a word of the footer: do that"),
    ("click", "a pane's title: the pane alone, and back; the losses' line of bars: a chart"),
    ("drag", "the line between two panes: their sizes"),
    ("wheel", "scroll"),
)
WORDS = (
    ("loss", "nats per character: how surprised the model is by the next character; lower is better"),
    ("held-out", "the loss on the end of the corpus, which it never learns from"),
    ("━ ─", "the chart's lines: held-out heavy, training thin; other runs are broken lines with their letter on them"),
    ("▲ ▼", "under the chart: from here on the learning rate is higher, lower, or cools down"),
    ("■ ◌ ✗", "a checkpoint was written; the trainer was started again; the run diverged and went back to here"),
    ("T", "temperature: logits are divided by it before the next character is drawn"),
    ("top-k", "only the k likeliest characters may come next"),
    ("top-p", "only the likeliest characters that together have probability p"),
    ("min-p", "only characters at least p times as likely as the likeliest"),
    ("⟨T 0.85⟩", "a mark in the stream: from here on the knob was set so"),
)
TWO_COLUMNS_FROM = 104
"""Columns from which on the groups stand in two columns."""
LEAST_BESIDE = 20
"""Columns that a description has beside its key; with fewer it stands below."""
LONGEST_SEARCH = 40


def help_groups(search: str = "", table: Sequence[keys.Key] = keys.TABLE, pane: str = "") -> list[Group]:
    """The groups with the lines that have each word of `search` in them, or in their group's name; no empty ones."""
    groups: list[Group] = [
        (group, [(key.shown or "—", key.description) for key in found]) for group, found in keys.grouped(table, pane)
    ]
    groups += [("Mouse", list(MOUSE)), ("Words", list(WORDS))]
    words = search.lower().split()
    kept = [(name, [line for line in lines if _has(words, name, *line)]) for name, lines in groups]
    return [(name, lines) for name, lines in kept if lines]


def _has(words: Sequence[str], group: str, shown: str, description: str) -> bool:
    text = f"{group} {description}".lower()
    called = shown.lower()
    return all(called.startswith(word) or f" {word}" in called or (len(word) > 1 and word in text) for word in words)


def help_rows(columns: int, search: str = "", table: Sequence[keys.Key] = keys.TABLE, pane: str = "") -> list[Row]:
    """The whole text, wrapped into `columns` cells with the keys in a column of their own."""
    groups = help_groups(search, table, pane)
    if not groups:
        return [[(fit(f"Nothing has “{search}”; esc clears the search.", columns), palette.QUIET)]]
    margin = max(width(shown) for _, lines in groups for shown, _ in lines) + 2
    if columns < TWO_COLUMNS_FROM or len(groups) == 1:
        return [row for group in groups for row in [*_group_rows(group, columns, margin), []]][:-1]
    half = (columns - 3) // 2
    made = [[*_group_rows(group, half, margin), []] for group in groups]
    split = _split([len(rows) for rows in made])
    left: list[Row] = [row for rows in made[:split] for row in rows][:-1]
    right: list[Row] = [row for rows in made[split:] for row in rows][:-1]
    nothing: Row = []
    return [_beside(one, other, half) for one, other in zip_longest(left, right, fillvalue=nothing)]


def _group_rows(group: Group, columns: int, margin: int) -> list[Row]:
    rows: list[Row] = [[(fit(group[0], columns), palette.STRONG)]]
    for shown, description in group[1]:
        if columns - margin - 2 < LEAST_BESIDE:
            rows.append([("  " + fit(shown, columns - 2), palette.ACCENT)])
            rows += [[("    " + line.rstrip(), palette.PLAIN)] for line in wrap(description, max(1, columns - 4))]
            continue
        for number, line in enumerate(wrap(description, columns - margin - 2)):
            name = "" if number else shown
            gap = " " * (margin - width(name))
            rows.append([("  " + name + gap, palette.ACCENT), (line.rstrip(), palette.PLAIN)])
    return rows


def _split(heights: Sequence[int]) -> int:
    """After which group the second column begins, so that the higher of the two is as low as can be."""
    return min(range(1, len(heights)), key=lambda at: max(sum(heights[:at]), sum(heights[at:])))


def _beside(left: Row, right: Row, half: int) -> Row:
    used = sum(width(text) for text, _ in left)
    return [*left, (pad("", half - used + 3), palette.PLAIN), *right] if right else left


class HelpText(Rows):
    """The help, as much of it as has what was typed."""

    def __init__(self, table: Sequence[keys.Key] = keys.TABLE, pane: str = "") -> None:
        super().__init__(id="help-text")
        self.search = ""
        self._table, self._pane = table, pane
        self._rows: list[Row] = []

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        return self._rows[number]

    def look_for(self, search: str) -> None:
        """Shows only what has `search`."""
        self.search = search[:LONGEST_SEARCH]
        self.top = 0
        self._fill()

    def on_resize(self, event: events.Resize) -> None:
        self._fill()

    def _fill(self) -> None:
        self._rows = help_rows(self.text_columns, self.search, self._table, self._pane)
        self.top = min(self.top, self.last_top)
        self.refresh()

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isprintable()


class HelpScreen(Covering[None]):
    AUTO_FOCUS = "#help-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Clear the search, or close the help", show=False),
        Binding("f1", "close", "Close the help", show=False),
        Binding("backspace", "shorten", "Take the last character back", show=False),
    ]

    def __init__(self, table: Sequence[keys.Key] = keys.TABLE, pane: str = "") -> None:
        super().__init__()
        self._text = HelpText(table, pane)
        self._frame = Pane("Help", self._text, id="help")

    def compose(self) -> ComposeResult:
        self._show_search()
        yield self._frame

    def on_key(self, event: events.Key) -> None:
        """Whatever types a character searches for it; a second ? closes."""
        if event.key == "question_mark" and not self._text.search:
            event.stop()
            self.action_close()
        elif event.character is not None and event.is_printable:
            event.stop()
            event.prevent_default()
            if event.character != " " or self._text.search:
                self._look_for(self._text.search + event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self._look_for(self._text.search + " ".join(event.text.split()))

    def action_back(self) -> None:
        if self._text.search:
            self._look_for("")
        else:
            self.action_close()

    def action_shorten(self) -> None:
        self._look_for(self._text.search[:-1])

    def action_close(self) -> None:
        self.dismiss()

    def _look_for(self, search: str) -> None:
        self._text.look_for(safe_line(search))
        self._show_search()

    def _show_search(self) -> None:
        search = self._text.search
        hint = Part("type to search", palette.QUIET, 3)
        self._frame.upper.show(
            [Part("Help", palette.STRONG)], [Part(f"search: {search}▏", palette.ACCENT, 2) if search else hint]
        )
        close = "esc clears the search" if search else "esc closes"
        self._frame.lower.show([Part(close, rank=1)], [Part("↑ ↓ scroll", palette.QUIET, 2)])
