"""A loss as lines to draw: thinned, smoothed, broken where it diverged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from charrnn.engine.messages import LossPoint
from tui.charts.view import View

Run = list[tuple[float, float]]

BEYOND = 1e6
"""From which value on a loss is no number to draw: it counts as diverged, as NaN and infinity do."""
STEADINESS = 3.0
SMOOTHED_OVER = 1 / 40
"""The reach of smoothing: so much of what is in sight."""


@dataclass(frozen=True, slots=True)
class Series:
    """A loss as runs of points that belong together; between two runs there is a gap. Nats per character."""

    runs: list[Run]
    gaps: list[float]
    """Where on the x axis the loss was not finite."""


def series(points: Sequence[LossPoint], field: str, buckets: int, view: View = View()) -> Series:  # noqa: B008 - frozen
    """One loss over the view's x axis, thinned to about `buckets` points by means, broken where it diverged."""
    runs: list[Run] = []
    gaps: list[float] = []
    if not points:
        return Series(runs, gaps)
    axis, perplexity = view.axis, view.unit == "perplexity"
    first, last = view.place(points[0]), view.place(points[-1])
    span = (last - first) or 1.0
    # Few points need no thinning; then every point is its own bucket.
    scale = buckets / span if len(points) > buckets else None
    run: Run = []
    bucket: object = None
    total = count = places = 0.0
    for number, point in enumerate(points):
        value: float | None = getattr(point, field)
        broken = point.diverged or (value is not None and not abs(view.value(value) if perplexity else value) < BEYOND)
        if value is None and not broken:
            continue
        at = getattr(point, axis)
        if broken:
            if count:
                run.append((places / count, total / count))
                total = count = places = 0.0
            if run:
                runs.append(run)
                run = []
            gaps.append(at)
            bucket = None
            continue
        assert value is not None
        here: object = number if scale is None else int((at - first) * scale)
        if here != bucket and count:
            run.append((places / count, total / count))
            total = count = places = 0.0
        bucket = here
        total += value
        places += at
        count += 1
    if count:
        run.append((places / count, total / count))
    if run:
        runs.append(run)
    return Series(runs, gaps)


def smoothed(one: Series, reach: float) -> Series:
    """Each run as straight lines fitted around every point, weighted by exp(-distance / reach); never across a gap.

    Lines (local linear regression: Cleveland, J. Amer. Statist. Assoc. 74, 1979) follow a loss that falls, at the ends
    too, where means would lag behind. Where points are few a slope is doubted (a ridge of STEADINESS points), or the
    newest losses would seem to dive and soar. Nothing leaves the range of the run's own losses.
    """
    return Series([_smooth(run, reach) for run in one.runs], one.gaps)


_Sums = tuple[float, float, float, float, float]
"""Sums over points at distance d with weight w and value v: of w, w·d, w·d², w·v, w·d·v."""


def _smooth(run: Run, reach: float) -> Run:
    if reach <= 0 or len(run) < 3:
        return run
    low, high = min(value for _, value in run), max(value for _, value in run)
    found: Run = []
    for (at, value), left, right in zip(run, _one_way(run, reach), _one_way(run[::-1], reach)[::-1], strict=True):
        # Both hold the point itself, which counts once.
        weight, first, second = left[0] + right[0] - 1.0, left[1] + right[1], left[2] + right[2]
        total, leaning = left[3] + right[3] - value, left[4] + right[4]
        spread = weight * (second + STEADINESS * reach * reach) - first * first
        slope = (weight * leaning - first * total) / spread if spread > 0 else 0.0
        fitted = (total - slope * first) / weight
        found.append((at, min(max(fitted, low), high)))
    return found


def _one_way(run: Run, reach: float) -> list[_Sums]:
    """At each point the sums over those up to it."""
    sums: list[_Sums] = []
    weight = first = second = total = leaning = 0.0
    before = run[0][0]
    for at, value in run:
        moved = at - before
        fading = math.exp(-abs(moved) / reach)
        second = fading * (second - 2 * moved * first + moved * moved * weight)
        leaning = fading * (leaning - moved * total)
        first = fading * (first - moved * weight)
        weight, total, before = weight * fading + 1.0, total * fading + value, at
        sums.append((weight, first, second, total, leaning))
    return sums
