"""A body of text rows that scrolls and draws only the rows that changed.

Textual's ScrollView lays the screen out anew whenever its content grows, which a stream does all the time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.strip import Strip

from tui import palette
from tui.panes.selecting import Selecting
from tui.terminal import cut, width


class Rows(Selecting, can_focus=True):
    """Scrollable rows; a subclass says how many there are and what stands in each."""

    DEFAULT_CSS = "Rows { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_rows(-1)", show=False),
        Binding("down", "scroll_rows(1)", show=False),
        Binding("pageup", "scroll_pages(-1)", show=False),
        Binding("pagedown", "scroll_pages(1)", show=False),
        Binding("home", "scroll_to_top", show=False),
        Binding("end", "scroll_to_end", show=False),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.top = 0

    # ---- what a subclass tells -------------------------------------------------------------------------------

    def row_count(self) -> int:
        raise NotImplementedError

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        raise NotImplementedError

    def scrolled(self) -> None:
        """Called after the user or the text moved what is in sight."""

    # ---- drawing ---------------------------------------------------------------------------------------------

    @property
    def text_columns(self) -> int:
        """Cells for text: a blank on each side, and the right one holds the scroll bar."""
        return max(1, self.size.width - 2)

    @property
    def text_rows(self) -> int:
        """Rows for text."""
        return self.size.height

    def render_line(self, y: int) -> Strip:
        return self.text_line(y, self.size.width)

    def text_line(self, y: int, columns: int) -> Strip:
        """A row of the text in so many cells."""
        number = self.top + y
        segments = [Segment(" ")]
        used = 0
        room = self.text_columns
        if number < self.row_count():
            for text, style in self.row_segments(number):
                text = text[: cut(text, room - used)]
                used += width(text)
                segments.append(Segment(text, style))
        segments.append(Segment(" " * (room - used)))
        if columns > 1:
            bar = self.bar()
            segments.append(Segment("▐", palette.ACCENT) if bar and bar[0] <= y < bar[1] else Segment(" "))
        return self.show_selected(number, Strip(segments, None).crop(0, columns))

    def bar(self) -> tuple[int, int] | None:
        """The scroll bar's first row and the one after its last; none while there is nothing to scroll, or no focus."""
        rows, height = self.row_count(), self.text_rows
        if rows <= height or not self.has_focus:
            return None
        length = max(1, height * height // rows)
        begin = round((height - length) * self.top / max(1, rows - height))
        return begin, begin + length

    def refresh_rows(self, first: int, end: int) -> None:
        """Draws the rows of the text from `first` up to `end` that are in sight."""
        y = max(0, first - self.top)
        height = min(end - self.top, self.text_rows) - y
        if height > 0:
            self.refresh(Region(0, y, self.size.width, height))

    # ---- scrolling -------------------------------------------------------------------------------------------

    @property
    def last_top(self) -> int:
        return max(0, self.row_count() - self.text_rows)

    def move_to(self, top: int) -> None:
        top = min(max(0, top), self.last_top)
        if top != self.top:
            self.top = top
            self.refresh()
        self.scrolled()

    def action_scroll_rows(self, rows: int) -> None:
        self.move_to(self.top + rows)

    def action_scroll_pages(self, pages: int) -> None:
        self.move_to(self.top + pages * max(1, self.text_rows - 1))

    def action_scroll_to_top(self) -> None:
        self.move_to(0)

    def action_scroll_to_end(self) -> None:
        self.move_to(self.last_top)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.move_to(self.top - 3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.move_to(self.top + 3)
