"""The losses: a chart, or one row of bars where there is no room for a chart."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from charrnn.engine.messages import BaselinesFound, LossPoint
from charrnn.text.baselines import named
from tui import palette
from tui.panes.frame import Pane, Part
from tui.terminal import width


def latest(points: Sequence[LossPoint], field: str) -> float | None:
    """The newest value of a loss that was measured and finite."""
    for point in reversed(points):
        value: float | None = getattr(point, field)
        if value is not None:
            return value
    return None


class LossChart(Widget, can_focus=True):
    """Draws what it was last given; a size of its own makes a drawing of its own."""

    DEFAULT_CSS = "LossChart { height: 1fr; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="loss-chart")
        self._points: Sequence[LossPoint] = ()
        self._log = False
        self._rows: list[list[Segment]] | None = None

    def show(self, points: Sequence[LossPoint], log: bool) -> None:
        if log == self._log and not self._tells_more(points):
            return
        self._points, self._log = tuple(points), log
        before, self._rows = self._rows, None
        columns, height = self.size
        if before is None or columns < 3:
            self.refresh()
            return
        self._rows = self._drawn(columns - 2, height)
        for y in range(height):
            if before[y : y + 1] != self._rows[y : y + 1]:
                self.refresh(Region(0, y, columns, 1))

    def _tells_more(self, points: Sequence[LossPoint]) -> bool:
        """Whether `points` would move the line by a dot, or hold a held-out loss that is not drawn yet."""
        if not points or len(self._points) < 2:
            return len(points) != len(self._points)
        drawn = self._points[-1].step
        if points[-1].step < drawn:
            return True
        new = [point for point in points[-500:] if point.step > drawn]
        dot = (drawn - self._points[0].step) / max(1, 2 * self.size.width)
        return any(point.val_loss is not None or point.diverged or point.step - drawn >= dot for point in new)

    def on_resize(self, event: events.Resize) -> None:
        self._rows = None
        self.refresh()

    def render_line(self, y: int) -> Strip:
        columns, rows = self.size.width - 2, self.size.height
        if columns < 1:
            return Strip.blank(self.size.width)
        if self._rows is None:
            self._rows = self._drawn(columns, rows)
        row = self._rows[y] if y < len(self._rows) else []
        return Strip([Segment(" "), *row]).adjust_cell_length(self.size.width)

    def _drawn(self, columns: int, rows: int) -> list[list[Segment]]:
        if not self._points:
            return [[Segment("the first losses come in a moment"[:columns], palette.QUIET)]]
        from tui import chart

        return chart.chart(self._points, columns, rows, log=self._log)


def _to_beat(found: BaselinesFound | None) -> list[Part]:
    """The figures that a held-out loss soon lies among, the most telling first to stay."""
    figures = dict(named(found.figures)) if found and found.figures else {}
    ranks = {"bigram": 5, "5-gram": 3, "xz": 4}
    return [Part(f"{name} {figures[name]:.2f}", palette.QUIET, rank) for name, rank in ranks.items() if name in figures]


class LossPane(Pane):
    def __init__(self) -> None:
        self.chart = LossChart()
        super().__init__("Loss", self.chart, id="loss")

    def show_losses(self, points: Sequence[LossPoint], log: bool, found: BaselinesFound | None = None) -> None:
        self.chart.show(points, log)
        train, held_out = latest(points, "train_loss"), latest(points, "val_loss")
        self.upper.show(
            [Part(self.title, palette.STRONG, 2)],
            [
                Part(f"held-out {held_out:.3f}" if held_out is not None else "", palette.ACCENT_STRONG, 1),
                Part(f"train {train:.3f}" if train is not None else "", palette.QUIET, 3),
            ],
        )
        diverged = any(point.diverged for point in points)
        scale = "nats per character, log scale" if log else "nats per character"
        self.lower.show(
            [Part("diverged" if diverged else "", palette.ERROR, 1), *_to_beat(found)],
            [Part(scale if points else "", palette.QUIET, 2)],
        )


class LossLine(Widget):
    """The losses where there is no room: figures and bars."""

    DEFAULT_CSS = "LossLine { height: 1; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="loss-line")
        self._points: Sequence[LossPoint] = ()

    def show(self, points: Sequence[LossPoint]) -> None:
        self._points = points
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
            f"{name} {value:.2f}" for name, value in (("train", train), ("held-out", held_out)) if value is not None
        )
        from tui.chart import sparkline

        bars = sparkline(self._points, columns - width(words) - 3)
        return Strip([Segment(words), Segment("  " + bars, palette.QUIET)]).adjust_cell_length(columns)
