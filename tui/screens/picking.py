"""A list to pick from: rows with one of them highlighted, in a frame of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType

from tui import palette
from tui.panes.rows import Rows

Row = Sequence[tuple[str, Style]]


class PickRows(Rows):
    """Rows of which one is highlighted, marked with ▐ so that it is told without colour. A click picks a row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "pick", show=False),
    ]

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.rows: list[Row] = []
        self.words = ""
        self.at = 0

    def put(self, rows: list[Row], words: str = "") -> None:
        """The rows to pick from; where there are none, `words` stand instead."""
        self.rows, self.words = rows, words
        self.at = min(self.at, max(0, len(rows) - 1))
        self.refresh()

    def row_count(self) -> int:
        return max(1, len(self.rows))

    def row_segments(self, number: int) -> Row:
        if not self.rows:
            return [(self.words, palette.QUIET)]
        here = number == self.at
        mark = ("▐ ", palette.ACCENT_STRONG) if here else ("  ", palette.PLAIN)
        return [mark, *((text, style + palette.STRONG if here else style) for text, style in self.rows[number])]

    def highlight(self, number: int) -> None:
        before, self.at = self.at, min(max(0, number), max(0, len(self.rows) - 1))
        for row in (before, self.at):
            self.refresh_rows(row, row + 1)
        if not self.top <= self.at < self.top + self.size.height:
            self.move_to(self.at if self.at < self.top else self.at - self.size.height + 1)

    def action_scroll_rows(self, rows: int) -> None:
        self.highlight(self.at + rows)

    def action_scroll_pages(self, pages: int) -> None:
        self.highlight(self.at + pages * max(1, self.size.height - 1))

    def action_scroll_to_top(self) -> None:
        self.highlight(0)

    def action_scroll_to_end(self) -> None:
        self.highlight(len(self.rows) - 1)

    def action_pick(self) -> None:
        if self.rows:
            self.picked(self.at)

    def on_click(self, event: events.Click) -> None:
        number = self.top + event.y
        if number < len(self.rows):
            self.highlight(number)
            self.picked(number)

    def picked(self, number: int) -> None:
        """A row was picked, by `enter` or by a click."""
        raise NotImplementedError
