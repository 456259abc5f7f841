"""What a chart shows, before it is drawn: on the screen by `tui.chart`, into a file by `exporting`."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from charrnn.engine.mark_messages import Mark
from charrnn.engine.messages import LossPoint
from charrnn.engine.questions.copying import CopiedPoint
from tui.charts.series import SMOOTHED_OVER, Run, Series, series, smoothed
from tui.charts.view import View
from tui.charts.window import Extent, Window, extent_of

LETTERS = "abcdef"
"""Runs that are laid over the chart go by these; more of them cannot be told apart."""
CurveKind = Literal["train", "held-out", "other"]


@dataclass(frozen=True, slots=True)
class Other:
    """Another run, to be laid over the chart under its letter. `name` is safe to show."""

    letter: str
    name: str
    points: tuple[LossPoint, ...]

    @property
    def field(self) -> str:
        """Which of its losses is shown: the held-out one, or the training one where nothing is held out."""
        return "val_loss" if any(point.val_loss is not None for point in self.points) else "train_loss"


@dataclass(frozen=True, slots=True)
class Scene:
    """The run's losses and what is drawn with them. References are named losses, in nats per character; `copied` is
    the share of copies in samples of the run.
    """

    points: tuple[LossPoint, ...] = ()
    view: View = field(default_factory=View)
    window: Window = field(default_factory=Window)
    references: tuple[tuple[str, float], ...] = ()
    marks: tuple[Mark, ...] = ()
    others: tuple[Other, ...] = ()
    copied: tuple[CopiedPoint, ...] = ()

    @property
    def extent(self) -> Extent | None:
        """The first and the last place of anything there is to show."""
        return extent_of(self.view, self.points, *(other.points for other in self.others))


@dataclass(frozen=True, slots=True)
class Curve:
    """One loss of one run, in the unit that is shown. `dust` are the recorded points behind smoothed lines."""

    kind: CurveKind
    name: str
    letter: str
    lines: Series
    dust: Series | None = None


def curves(scene: Scene, buckets: int) -> list[Curve]:
    """The losses in sight, each of about `buckets` points, in the order in which they are drawn over each other."""
    extent = scene.extent
    if extent is None:
        return []
    low, high = scene.window.limits(extent)
    wanted: list[tuple[CurveKind, str, str, Sequence[LossPoint], str]] = [
        ("other", other.name, other.letter, other.points, other.field) for other in scene.others
    ]
    wanted += [
        ("train", "train", "", scene.points, "train_loss"),
        ("held-out", "held-out", "", scene.points, "val_loss"),
    ]
    found = []
    for kind, name, letter, points, loss in wanted:
        lines = series(_near(points, scene.view, loss, low, high), loss, buckets, scene.view)
        dust = None
        if scene.view.smoothing != "raw":
            if scene.view.smoothing == "both" and kind != "other":
                dots = Series([[entry for entry in run if low <= entry[0] <= high] for run in lines.runs], lines.gaps)
                dust = _shown(dots, scene.view)
            lines = smoothed(lines, (high - low) * SMOOTHED_OVER)
        runs = [cut for run in lines.runs if (cut := cut_between(run, low, high))]
        lines = Series(runs, [gap for gap in lines.gaps if low <= gap <= high])
        found.append(Curve(kind, name, letter, _shown(lines, scene.view), dust))
    return found


def _near(points: Sequence[LossPoint], view: View, loss: str, low: float, high: float) -> Sequence[LossPoint]:
    """The points that tell of a loss between two places, and the next ones on either side, to which lines go on."""
    if loss == "val_loss":
        points = [point for point in points if point.val_loss is not None or point.diverged]
    begin = max(0, bisect_left(points, low, key=view.place) - 1)
    return points[begin : bisect_right(points, high, key=view.place) + 1]


def cut_between(run: Run, low: float, high: float) -> Run:
    """The part of a line between two places; where it crosses one of them it ends there."""
    inside = [entry for entry in run if low <= entry[0] <= high]
    for one, other in pairwise(run):
        for edge in (low, high):
            if one[0] < edge < other[0]:
                share = (edge - one[0]) / (other[0] - one[0])
                inside.append((edge, one[1] + share * (other[1] - one[1])))
    return sorted(inside)


def _shown(one: Series, view: View) -> Series:
    """Nats as they are shown; on a logarithmic scale without what has no logarithm."""
    runs = [[(at, view.value(nats)) for at, nats in run] for run in one.runs]
    if view.log:
        runs = [[(at, value) for at, value in run if value > 0] for run in runs]
    return Series([run for run in runs if run], one.gaps)


def marks_in_sight(scene: Scene, low: float, high: float) -> list[tuple[float, Mark]]:
    """The marks between two places of the axis, each with its own place."""
    found = []
    for mark in scene.marks:
        at = place_of(scene.points, scene.view, mark.step)
        if at is not None and low <= at <= high:
            found.append((at, mark))
    return found


def place_of(points: Sequence[LossPoint], view: View, step: int) -> float | None:
    """Where a step lies on the view's axis, None for one that no point is near to."""
    if view.axis == "step":
        return float(step)
    if not points or not points[0].step - 1 <= step <= points[-1].step:
        return None
    after = bisect_left(points, step, key=lambda point: point.step)
    one, other = points[max(0, after - 1)], points[after]
    if one.step == other.step:
        return view.place(other)
    share = (step - one.step) / (other.step - one.step)
    return view.place(one) + share * (view.place(other) - view.place(one))


def rate_before(points: Sequence[LossPoint], marks: Sequence[Mark], mark: Mark) -> float | None:
    """The learning rate that another took the place of: the last one chosen, else that of the step before.

    None where the mark is of something else, or nothing is known.
    """
    if mark.kind != "rate":
        return None
    for earlier in reversed(marks):
        if earlier.kind == "rate" and earlier.step < mark.step:
            return earlier.value
    at = bisect_right(points, mark.step, key=lambda point: point.step)
    return points[at - 1].learning_rate if at else None
