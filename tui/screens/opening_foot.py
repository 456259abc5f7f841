"""The first and the last row of the screen that opens a run."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tui import keys, palette
from tui.panes.frame import Part, choose
from tui.panes.saying import SayingRow


class Head(Widget):
    DEFAULT_CSS = "Head { height: 1; width: 1fr; }"

    def render_line(self, y: int) -> Strip:
        words = "  watch a recurrent network learn to write"
        segments = [Segment(" charrnn", palette.ACCENT_STRONG), Segment(words, palette.QUIET)]
        return Strip(segments).adjust_cell_length(self.size.width)


class Foot(SayingRow):
    """Which keys there are; a sentence takes their place until the next key."""

    def __init__(self) -> None:
        super().__init__()
        self._pane, self._leaves = "runs", False

    def show(self, pane: str, *, leaves: bool) -> None:
        """The keys of that pane; `leaves`: esc leaves altogether."""
        if (pane, leaves) != (self._pane, self._leaves):
            self._pane, self._leaves = pane, leaves
            self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.put(self.screen.size)

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        if (said := self.said(y)) is not None:
            return said
        words = {
            f"{key.shown} {key.label}": (key, "leave" if self._leaves and key.id == "leave-opening" else key.label)
            for key in keys.TABLE
            if key.pane == self._pane and key.label
        }
        segments = [Segment(" ")]
        parts = choose([Part(text, rank=key.rank) for text, (key, _) in words.items()], columns - 2, 3)
        for number, part in enumerate(parts):
            key, label = words[part.text]
            segments.append(Segment(("   " if number else "") + key.shown, palette.ACCENT))
            segments.append(Segment(" " + label, palette.QUIET))
        return Strip(segments).adjust_cell_length(columns)
