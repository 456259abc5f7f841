"""The losses: a chart, or one row of bars where there is no room for a chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from charrnn.engine.messages import LossPoint
from tui import keys, palette
from tui.charts.scene import Scene
from tui.charts.view import View
from tui.charts.window import Extent, Window
from tui.panes.frame import Pane, Part
from tui.terminal import width

if TYPE_CHECKING:
    from tui.chart import Drawn

ROOMY = 100
"""Columns of a pane in which a reading and the unit have room beside each other."""
WHEEL = 0.8
"""How much of what is in sight stays so when the mouse wheel turns by a notch."""


def latest(points: Sequence[LossPoint], field: str) -> float | None:
    """The newest value of a loss that was measured and finite."""
    for point in reversed(points):
        value: float | None = getattr(point, field)
        if value is not None:
            return value
    return None


def copied_parts(scene: Scene) -> list[Part]:
    """The newest share of copies, if there is one."""
    if not scene.copied:
        return []
    from tui.charts.copied import STYLE, words

    return [Part(words(scene.copied[-1]), STYLE, 5)]


class LossChart(Widget, can_focus=True):
    """Draws what it was last given; a size of its own makes a drawing of its own. The mouse moves what is in sight."""

    DEFAULT_CSS = "LossChart { height: 1fr; width: 1fr; }"
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("loss")
    ALLOW_SELECT = False

    class Steered(Message):
        """The mouse asks for another part of the losses: `change` makes the window from the present one."""

        def __init__(self, change: Callable[[Window, Extent], Window]) -> None:
            super().__init__()
            self.change = change

    def __init__(self, drawn: Callable[[], None]) -> None:
        """`drawn` is called after every drawing."""
        super().__init__(id="loss-chart")
        self.scene = Scene()
        self.drawn: Drawn | None = None
        self._told = drawn
        self._dragged: int | None = None
        self._moved = False

    def show(self, scene: Scene) -> None:
        if self.drawn is not None and not self._tells_more(scene):
            return
        self.scene = scene
        before = self.drawn.rows if self.drawn is not None else None
        self._draw()
        if before is None or self.drawn is None:
            self.refresh()
            return
        for y in range(self.size.height):
            if before[y : y + 1] != self.drawn.rows[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def _tells_more(self, scene: Scene) -> bool:
        """Whether `scene` would move a line by a dot, hold a held-out loss that is not drawn yet, or look otherwise."""
        if replace(scene, points=()) != replace(self.scene, points=()):
            return True
        points, known, extent = scene.points, self.scene.points, self.scene.extent
        if not points or len(known) < 2 or extent is None:
            return len(points) != len(known)
        drawn = known[-1].step
        if points[-1].step < drawn:
            return True
        if scene.window.high is not None and scene.view.place(known[-1]) >= scene.window.high:
            return False
        low, high = scene.window.limits(extent)
        end = scene.view.place(known[-1])
        new = [point for point in points[-500:] if point.step > drawn]
        dot = (high - low) / max(1, 2 * self.size.width)
        return any(
            point.val_loss is not None or point.diverged or scene.view.place(point) - end >= dot for point in new
        )

    def on_resize(self, event: events.Resize) -> None:
        self._draw()
        self.refresh()

    def _draw(self) -> None:
        """Draws the scene at the size there is; without losses nothing is loaded for that."""
        self.drawn = None
        columns, rows = self.size.width - 2, self.size.height
        if columns > 0 and rows > 0 and self.scene.extent is not None:
            from tui import chart

            self.drawn = chart.draw(self.scene, columns, rows)
        self._told()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width - 2
        if columns < 1:
            return Strip.blank(self.size.width)
        if self.drawn is None:
            words = "the first losses come in a moment" if y == 0 else ""
            return Strip([Segment(" " + words[:columns], palette.QUIET)]).adjust_cell_length(self.size.width)
        row = self.drawn.rows[y] if y < len(self.drawn.rows) else []
        return Strip([Segment(" "), *row]).adjust_cell_length(self.size.width)

    # ---- the mouse -------------------------------------------------------------------------------------------

    def _wheel(self, event: events.MouseEvent, factor: float) -> None:
        event.stop()
        at = self.drawn.place(event.x - 1) if self.drawn is not None else None
        self.post_message(self.Steered(lambda window, extent: window.zoomed(extent, factor, at)))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1 / WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self._dragged, self._moved = event.x, False
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._dragged is None or self.drawn is None or event.x == self._dragged:
            return
        share = (self._dragged - event.x) / max(1, self.drawn.columns)
        self._dragged, self._moved = event.x, True
        self.post_message(self.Steered(lambda window, extent: window.panned(extent, share)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._dragged is None:
            return
        self._dragged = None
        self.release_mouse()
        at = self.drawn.place(event.x - 1) if self.drawn is not None else None
        if not self._moved and at is not None:
            self.post_message(self.Steered(lambda window, extent: window.with_cursor(extent, at)))


class LossPane(Pane):
    def __init__(self) -> None:
        self.chart = LossChart(self._show_lower)
        super().__init__("Loss", self.chart, id="loss")
        self._looked_at, self._diverged = 0, False

    def show(self, scene: Scene) -> None:
        """Draws what is new of a scene."""
        self.chart.show(scene)
        view = scene.view
        train, held_out = latest(scene.points, "train_loss"), latest(scene.points, "val_loss")
        unnamed = self.chart.drawn.unnamed if self.chart.drawn is not None else ()
        self.upper.show(
            [Part(self.title, palette.STRONG, 2), *(Part(name, palette.QUIET, 4) for name in unnamed)],
            [
                Part(f"━ held-out {view.text(held_out)}" if held_out is not None else "", palette.ACCENT_STRONG, 1),
                Part(f"─ train {view.text(train)}" if train is not None else "", palette.QUIET, 3),
                *copied_parts(scene),
            ],
        )
        self._show_lower()

    def _show_lower(self) -> None:
        """What stands under the chart: the reading at the cursor, else what the chart has no room for."""
        scene = self.chart.scene
        view = scene.view
        if scene.window.cursor is not None and scene.points:
            from tui.charts.reading import parts_at

            left = parts_at(scene, scene.window.cursor, self.chart.drawn)
            unit = Part(view.words, palette.QUIET, 6) if self.size.width >= ROOMY else Part("")
        else:
            left = [Part("diverged" if self._has_diverged(scene.points) else "", palette.ERROR, 1), *self._to_beat()]
            unit = Part(view.words if scene.points else "", palette.QUIET, 2, view.brief)
        self.lower.show(left, [unit])

    def _has_diverged(self, points: Sequence[LossPoint]) -> bool:
        """Whether any of them has; those that were looked at before are not looked at again."""
        if len(points) < self._looked_at:
            self._looked_at, self._diverged = 0, False
        self._diverged = self._diverged or any(point.diverged for point in points[self._looked_at :])
        self._looked_at = len(points)
        return self._diverged

    def _to_beat(self) -> list[Part]:
        """The references that are out of sight, the most telling last to go; an arrow says where they are."""
        beyond = self.chart.drawn.beyond if self.chart.drawn is not None else ()
        ranks = {"bigram": 5, "5-gram": 3, "xz": 4}
        return [
            Part(f"{arrow} {name} {self.chart.scene.view.text(nats, 2)}", palette.QUIET, ranks.get(name, 5))
            for name, nats, arrow in beyond
        ]


class LossLine(Widget):
    """The losses where there is no room: figures and bars."""

    DEFAULT_CSS = "LossLine { height: 1; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="loss-line")
        self._points: Sequence[LossPoint] = ()
        self._view = View()

    def show(self, points: Sequence[LossPoint], view: View = View()) -> None:  # noqa: B008 - it is frozen
        self._points, self._view = points, view
        self.refresh()

    def render_line(self, y: int) -> Strip:
        columns, rows = self.size
        if y < rows - 1:
            # With two rows the upper one is air between the status line and the bars.
            return Strip.blank(columns)
        train, held_out = latest(self._points, "train_loss"), latest(self._points, "val_loss")
        if train is None and held_out is None:
            return Strip([Segment(" loss: none yet", palette.QUIET)]).adjust_cell_length(columns)
        words = " loss " + " ".join(
            f"{name} {self._view.text(value, 2)}"
            for name, value in (("train", train), ("held-out", held_out))
            if value is not None
        )
        words += "" if self._view.unit == "nats" else f" {self._view.unit}"
        from tui.chart import sparkline

        bars = sparkline(self._points, columns - width(words) - 3)
        return Strip([Segment(words), Segment("  " + bars, palette.QUIET)]).adjust_cell_length(columns)
