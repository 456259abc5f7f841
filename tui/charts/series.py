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
    """Each run as means of its neighbourhood, weighted by exp(-distance / reach): no lag, and never across a gap.

    That is the mean of an exponential average from the left and one from the right, each over the weights there are.
    """
    return Series([_smooth(run, reach) for run in one.runs], one.gaps)


def _smooth(run: Run, reach: float) -> Run:
    if reach <= 0 or len(run) < 3:
        return run
    from_left = _one_way(run, reach)
    from_right = _one_way(run[::-1], reach)[::-1]
    # Both hold the point itself: it counts once.
    return [
        (at, (left + right - value) / (weight + other - 1.0))
        for (at, value), (left, weight), (right, other) in zip(run, from_left, from_right, strict=True)
    ]


def _one_way(run: Run, reach: float) -> list[tuple[float, float]]:
    """At each point the weighted sum of the values up to it, and the sum of their weights."""
    sums: list[tuple[float, float]] = []
    total = weights = 0.0
    before = run[0][0]
    for at, value in run:
        fading = math.exp(-abs(at - before) / reach)
        total, weights, before = total * fading + value, weights * fading + 1.0, at
        sums.append((total, weights))
    return sums
