"""All the panes, and which of them stands where."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.geometry import Size
from textual.widget import Widget

from tui.layout import PaneName, arrange
from tui.panes.banner import Banner
from tui.panes.corpus import CorpusPane
from tui.panes.generation import GenerationPane
from tui.panes.loss import LossLine, LossPane
from tui.panes.status import BottomBar, StatusLine, TooSmall


class Workspace(Vertical):
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
        self._upper = Horizontal(self.loss, self.corpus, id="upper")
        self._too_small = TooSmall()
        self._asked: dict[PaneName, bool] = {}
        self._zoomed: PaneName | None = None
        self._room = Size(80, 24)

    def compose(self) -> ComposeResult:
        yield self._too_small
        yield self.status
        yield self.banner
        yield self.loss_line
        yield self._upper
        yield self.stream
        yield self.bottom

    def put(self, room: Size | None = None) -> None:
        """Puts every pane where it belongs in `room`, by default the room there was."""
        self._room = room or self._room
        plan = arrange(*self._room, self._asked, self._zoomed)
        self._too_small.display = plan.too_small
        self.banner.put(Size(0, 0) if plan.too_small else self._room)
        self.status.display = self.bottom.display = not plan.too_small
        self.loss_line.display = bool(plan.spark)
        self.loss_line.styles.height = plan.spark or 1
        self.loss.display = "loss" in plan.upper
        self.corpus.display = "corpus" in plan.upper
        self._upper.display = bool(plan.upper)
        self._upper.styles.height = plan.upper_height or "1fr"
        self.stream.display = plan.stream
        self.shown = {
            "corpus": "corpus" in plan.upper,
            "loss": "loss" in plan.upper or bool(plan.spark),
            "stream": plan.stream,
        }

    def toggle(self, name: PaneName) -> None:
        """Shows or hides a pane; while one is zoomed, shows the named one beside the others."""
        self._asked[name] = True if self._zoomed is not None else not self.shown[name]
        self._zoomed = None
        self.put()

    def zoom(self, focused: Widget | None) -> None:
        """Gives the whole room to the pane that has the focus, else to the stream; again: back."""
        around = focused.ancestors if focused is not None else []
        if self._zoomed is not None:
            self._zoomed = None
        else:
            self._zoomed = "loss" if self.loss in around else "corpus" if self.corpus in around else "stream"
        self.put()

    def reset(self) -> None:
        self._asked.clear()
        self._zoomed = None
        self.put()

    def show_stream(self) -> None:
        if not self.shown["stream"]:
            self._asked["stream"] = True
            self._zoomed = None
            self.put()
