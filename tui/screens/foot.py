"""The lines at a screen's foot that say what is seen on it."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import width, wrap


class Foot(Widget):
    """`words` in as many rows as they need."""

    DEFAULT_CSS = "Foot { height: auto; width: 1fr; padding: 0 2; }"

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        """Rows that the words take in so many columns."""
        return len(wrap(self._words, max(1, width)))

    def render_line(self, y: int) -> Strip:
        """A row of them."""
        rows = wrap(self._words, max(1, self.size.width))
        row = rows[y] if y < len(rows) else ""
        return Strip([Segment(row, palette.QUIET), Segment(" " * (self.size.width - width(row)))])
