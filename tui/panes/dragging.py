"""What the mouse does to the panes: a click on a title zooms, and the lines between panes can be dragged."""

from __future__ import annotations

from typing import Literal

from textual import events
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.layout import PANES, Arrangement, PaneName
from tui.panes.frame import Pane
from tui.panes.loss import LossLine

Line = Literal["height", "left"]


class Dragging(Vertical):
    """The mouse's part of the workspace, which has the panes and puts them where they belong."""

    plan: Arrangement
    upper: Horizontal
    loss_line: LossLine
    _dragged: Line | None = None
    _held = 0
    _moved = False

    def pane(self, name: PaneName) -> Pane:
        raise NotImplementedError

    def zoom(self, focused: Widget | None) -> None:
        raise NotImplementedError

    def show(self, name: PaneName) -> None:
        raise NotImplementedError

    def set_lines(self, *, height: int | None = None, left: int | None = None) -> bool:
        raise NotImplementedError

    def keep_sizes(self) -> None:
        raise NotImplementedError

    def line_at(self, column: int, row: int) -> Line | None:
        """The line between panes at a place of the screen; it is the two frames that touch there."""
        region = self.upper.region
        if self.plan.upper_height and row in (region.bottom - 1, region.bottom):
            return "height"
        if self.plan.left and region.y < row < region.bottom and column in (self.plan.left - 1, self.plan.left):
            return "left"
        return None

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._moved = False
        column, row = event.screen_offset
        self._dragged = self.line_at(column, row)
        if self._dragged is not None:
            event.stop()
            self.capture_mouse()
            # Which of the two frames that touch was taken hold of.
            self._held = row - self.upper.region.bottom if self._dragged == "height" else column - self.plan.left

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged is None:
            return
        event.stop()
        column, row = event.screen_offset
        if self._dragged == "height":
            height = row - self._held - self.upper.region.y
            self._moved |= height != self.plan.upper_height and self.set_lines(height=height)
        else:
            left = column - self._held
            self._moved |= left != self.plan.left and self.set_lines(left=left)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragged is not None:
            event.stop()
            self.release_mouse()
            self._dragged = None
            if self._moved:
                self.keep_sizes()

    def on_click(self, event: events.Click) -> None:
        """A click on a frame is one on its pane; on its title it zooms, on the line of bars it makes a chart of it."""
        if self._moved:
            self._moved = False
            return
        place = event.screen_offset
        if self.loss_line.display and self.loss_line.region.contains_point(place):
            self.show("loss")
            self.pane("loss").body.focus(scroll_visible=False)
            return
        for name in PANES:
            pane = self.pane(name)
            if pane.display and pane.region.contains_point(place) and not pane.body.region.contains_point(place):
                if pane.upper.region.contains_point(place):
                    self.zoom(pane)
                elif pane.lower.region.contains_point(place):
                    pane.body.focus(scroll_visible=False)
