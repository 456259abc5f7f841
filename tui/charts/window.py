"""Which part of the x axis is in sight, and where the cursor stands: pure functions of where they were.

Places are in the axis's own unit (steps, characters, seconds).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace

from charrnn.engine.messages import LossPoint
from tui.charts.view import View

Extent = tuple[float, float]
CLOSEST = 1 / 5000
"""The least part of all that there is that can be looked at."""


@dataclass(frozen=True, slots=True)
class Window:
    """`low` and `high` bound what is in sight; None is where the losses begin, and wherever they end by now."""

    low: float | None = None
    high: float | None = None
    cursor: float | None = None

    @property
    def whole(self) -> bool:
        return self.low is None and self.high is None

    def limits(self, extent: Extent) -> Extent:
        """What is in sight of the losses that lie in `extent`; never empty."""
        low = extent[0] if self.low is None else self.low
        high = extent[1] if self.high is None else self.high
        return (low, high) if high > low else (low, low + max(abs(low) * 1e-9, 1e-9))

    def onto(self, extent: Extent, low: float, high: float) -> Window:
        """The part from `low` to `high`, moved and cut so that it lies within `extent`."""
        first, last = extent
        span = min(max(high - low, (last - first) * CLOSEST), last - first)
        low = min(max(low, first), last - span)
        high = low + span
        slack = (last - first) * 1e-9
        return replace(self, low=None if low <= first + slack else low, high=None if high >= last - slack else high)

    def zoomed(self, extent: Extent, factor: float, at: float | None = None) -> Window:
        """`factor` times as much in sight, around `at`, by default the cursor, else the newest losses."""
        low, high = self.limits(extent)
        at = self.cursor if at is None else at
        at = high if at is None or not low <= at <= high else at
        return self.onto(extent, at - (at - low) * factor, at + (high - at) * factor)

    def panned(self, extent: Extent, share: float) -> Window:
        """Moved by so much of what is in sight; to the right where positive."""
        low, high = self.limits(extent)
        return self.onto(extent, low + share * (high - low), high + share * (high - low))

    def with_cursor(self, extent: Extent, at: float | None) -> Window:
        """The cursor at a place, which comes into sight; None takes it away."""
        low, high = self.limits(extent)
        if at is None or low <= at <= high:
            return replace(self, cursor=at)
        return replace(self.panned(extent, ((at - low) if at < low else (at - high)) / (high - low)), cursor=at)


def extent_of(view: View, *curves: Sequence[LossPoint]) -> Extent | None:
    """The first and the last place of all these points; None where there are none."""
    ends = [(view.place(points[0]), view.place(points[-1])) for points in curves if points]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def between(points: Sequence[LossPoint], view: View, low: float, high: float) -> Sequence[LossPoint]:
    """The points whose places lie from `low` to `high`."""
    if not points or (view.place(points[0]) >= low and view.place(points[-1]) <= high):
        return points
    return points[bisect_left(points, low, key=view.place) : bisect_right(points, high, key=view.place)]


def nearest(points: Sequence[LossPoint], view: View, at: float) -> int:
    """The index of the point nearest to a place. Raises ValueError where there is none."""
    if not points:
        raise ValueError("there are no points")
    after = bisect_left(points, at, key=view.place)
    if after == 0:
        return 0
    if after == len(points):
        return after - 1
    return after if view.place(points[after]) - at < at - view.place(points[after - 1]) else after - 1


def beside(points: Sequence[LossPoint], view: View, at: float, distance: float) -> float:
    """The place of a point about `distance` to the right, to the left where negative; always another, if there is one.

    Raises ValueError where there are no points.
    """
    here, there = nearest(points, view, at), nearest(points, view, at + distance)
    there = max(there, here + 1) if distance > 0 else min(there, here - 1)
    return view.place(points[min(max(there, 0), len(points) - 1)])


def moved_to(points: Sequence[LossPoint], before: View, after: View, at: float | None) -> float | None:
    """The same moment of the run on another axis; beyond the points there are, at their mean rate."""
    if at is None or before.axis == after.axis:
        return at
    if len(points) < 2:
        return None
    found = bisect_left(points, at, key=before.place)
    one, other = (points[0], points[-1]) if found in (0, len(points)) else (points[found - 1], points[found])
    span = before.place(other) - before.place(one)
    share = (at - before.place(one)) / span if span else 0.0
    return after.place(one) + share * (after.place(other) - after.place(one))
