"""A unit's activation over the last characters of the stream in sight, a bar for each."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from tui.unit_lens import spark_pieces


class UnitStrip(Widget):
    """`show` says the bytes of the last characters, the newest last; they stand at the right."""

    DEFAULT_CSS = """
    UnitStrip { height: 1; width: 1fr; padding: 0 1; }
    Pane.-bare > UnitStrip { display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._values = b""

    @property
    def columns(self) -> int:
        """How many bars there is room for."""
        return max(0, self.size.width - 2)

    def show(self, values: bytes) -> None:
        """Draws the row where it is another one."""
        if values != self._values:
            self._values = values
            self.refresh()

    def render_line(self, y: int) -> Strip:
        values = self._values[max(0, len(self._values) - self.columns) :]
        bars = [Segment(text, style) for text, style in spark_pieces(values)]
        return Strip([Segment(" " * (1 + self.columns - len(values))), *bars]).adjust_cell_length(self.size.width)
