"""All the panes, and which of them stands where."""

from __future__ import annotations

from dataclasses import replace

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.widget import Widget

from tui import remembered
from tui.layout import PANES, PaneName, Shares, arrange
from tui.panes.banner import Banner
from tui.panes.corpus import CorpusPane
from tui.panes.dragging import Dragging
from tui.panes.frame import Pane
from tui.panes.generation import GenerationPane
from tui.panes.loss import LossLine, LossPane
from tui.panes.status import BottomBar, StatusLine, TooSmall


class Workspace(Dragging):
    """The whole screen: status line, what is wrong, panes, footer. `shown` says which panes are in sight."""

    def __init__(self) -> None:
        super().__init__()
        self.status = StatusLine()
        self.banner = Banner()
        self.loss_line = LossLine()
        self.loss = LossPane()
        self.corpus = CorpusPane()
        self.stream = GenerationPane()
        self.bottom = BottomBar()
        self.shown: dict[PaneName, bool] = {}
        self.zoomed: PaneName | None = None
        self.plan = arrange(80, 24, {}, None)
        self.upper = Horizontal(self.loss, self.corpus, id="upper")
        self._too_small = TooSmall()
        self._asked: dict[PaneName, bool] = {}
        self._sizes = remembered.read_sizes()
        self._room = Size(80, 24)

    def compose(self) -> ComposeResult:
        yield self._too_small
        yield self.status
        yield self.banner
        yield self.loss_line
        yield self.upper
        yield self.stream
        yield self.bottom

    # ---- where they stand ------------------------------------------------------------------------------------

    def put(self, room: Size | None = None) -> None:
        """Puts every pane where it belongs in `room`, by default the room there was."""
        self._room = room or self._room
        plan = arrange(*self._room, self._asked, self.zoomed)
        if plan.kind in self._sizes:
            plan = arrange(*self._room, self._asked, self.zoomed, self._sizes[plan.kind])
        self.plan = plan
        self._too_small.display = plan.too_small
        self.status.display = not plan.too_small
        self.status.in_brief = not plan.framed
        self.banner.put(Size(0, 0) if plan.too_small or self._room.height < 4 else self._room)
        self.bottom.put(Size(0, 0) if plan.too_small else self._room, footer=plan.framed)
        self.loss_line.display = bool(plan.spark)
        self.loss_line.styles.height = plan.spark or 1
        for pane in (self.loss, self.corpus, self.stream):
            pane.set_class(not plan.framed, "-bare")
        self.loss.display = "loss" in plan.upper
        self.loss.styles.width = plan.left or "1fr"
        self.corpus.display = "corpus" in plan.upper
        self.upper.display = bool(plan.upper)
        self.upper.styles.height = plan.upper_height or "1fr"
        self.stream.display = plan.stream
        self.shown = {
            "corpus": "corpus" in plan.upper,
            "loss": "loss" in plan.upper or bool(plan.spark),
            "stream": plan.stream,
        }
        self._keep_focus()

    def pane(self, name: PaneName) -> Pane:
        """The pane of that name."""
        panes: dict[PaneName, Pane] = {"corpus": self.corpus, "loss": self.loss, "stream": self.stream}
        return panes[name]

    def name_of(self, widget: Widget | None) -> PaneName | None:
        """In which pane a widget is."""
        around = [] if widget is None else [widget, *widget.ancestors]
        return next((name for name in PANES if self.pane(name) in around), None)

    def _keep_focus(self) -> None:
        """Whatever had the focus and is no longer there gives it to what is."""
        if not self.is_mounted:
            return
        focused = self.screen.focused
        name = self.name_of(focused)
        if focused is None or (name is not None and not self.pane(name).display):
            there = next((self.pane(other) for other in ("stream", "loss", "corpus") if self.pane(other).display), None)
            self.screen.set_focus(there.body if there is not None else None, scroll_visible=False)

    # ---- what is asked of them -------------------------------------------------------------------------------

    def toggle(self, name: PaneName) -> None:
        """Shows or hides a pane; where one has the whole screen, it is that one from now on, or no longer."""
        if self.plan.kind == "slip" and name == "stream":
            self._zoom(None)
        elif self.plan.kind == "slip" or self.zoomed is not None:
            self._zoom(None if self.zoomed == name else name)
        else:
            self._asked[name] = not self.shown[name]
            self.put()

    def zoom(self, focused: Widget | None) -> None:
        """Gives the whole room to the pane that has the focus, else to the stream; again: back."""
        self._zoom(None if self.zoomed is not None else self.name_of(focused) or "stream")

    def zoom_next(self, direction: int) -> None:
        """The whole room goes to the next pane."""
        order: tuple[PaneName, ...] = ("loss", "corpus", "stream")
        self._zoom(order[(order.index(self.zoomed or "stream") + direction) % len(order)])

    def zoom_to(self, name: PaneName | None) -> None:
        """Gives the whole room to a pane, or (None) to all."""
        self._zoom(name)

    def _zoom(self, name: PaneName | None) -> None:
        self.zoomed = name
        self.put()
        if name is not None:
            self.screen.set_focus(self.pane(name).body, scroll_visible=False)

    def show(self, name: PaneName) -> None:
        """Brings a pane into sight, wherever it was; a loss that is a line of bars becomes a chart."""
        if self.pane(name).display:
            return
        if self.zoomed is not None or self.plan.kind == "slip":
            self._zoom(None if name == "stream" else name)
            return
        self._asked[name] = True
        self.put()
        if not self.pane(name).display:
            self._zoom(name)

    def show_stream(self) -> None:
        """Brings the stream into sight."""
        self.show("stream")

    def reset(self) -> None:
        """Shows what the size has room for, in the sizes that it has by itself."""
        self._asked.clear()
        self.zoomed = None
        if self._sizes.pop(self.plan.kind, None) is not None:
            remembered.write_sizes(self.plan.kind, Shares())
        self.put()

    # ---- sizes -----------------------------------------------------------------------------------------------

    def move_line(self, down: int, right: int) -> bool:
        """Moves the line between the panes above and the stream, or between the two above; False where is none."""
        wide = max(1, self._room.width // 50)
        moved = self.set_lines(
            height=self.plan.upper_height + down if down and self.plan.upper_height else None,
            left=self.plan.left + right * wide if right and self.plan.left else None,
        )
        if moved:
            self.keep_sizes()
        return moved

    def set_lines(self, *, height: int | None = None, left: int | None = None) -> bool:
        """Gives the panes above so many rows, and the left one of them so many columns, as far as there is room."""
        columns, rows = self._room
        shares = self._sizes.get(self.plan.kind, Shares())
        # A share of nothing would mean that none was given.
        if height is not None and self.plan.upper_height:
            shares = replace(shares, height=max(1, height) / (rows - 2 - self.plan.spark))
        elif left is not None and self.plan.left:
            shares = replace(shares, width=max(1, left) / columns)
        else:
            return False
        made = arrange(columns, rows, self._asked, self.zoomed, shares).shares(columns, rows)
        self._sizes[self.plan.kind] = Shares(
            shares.height if height is None else made.height, shares.width if left is None else made.width
        )
        self.put()
        return True

    def keep_sizes(self) -> None:
        """Remembers the sizes for the next time."""
        remembered.write_sizes(self.plan.kind, self._sizes.get(self.plan.kind, Shares()))
