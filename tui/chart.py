"""The loss chart. The only place that knows plotext, which it loads when the first chart is drawn.

Plotext 6 aborts the process on NaN, raises on infinities and on logarithms of zero, and has one figure for all; so
only finite numbers that are already scaled reach it, from one thread, and it draws nothing but lines of braille dots.
Axes and colours are made here: each series is drawn alone, and dots of two series in one cell are laid over each
other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from rich.style import Style

from charrnn.engine.messages import LossPoint
from tui import palette
from tui.terminal import fit, width

Run = list[tuple[float, float]]
Row = list[Segment]

TRAIN = palette.QUIET
HELD_OUT = palette.ACCENT_STRONG
BEYOND = 1e6
"""Nats per character from which on a loss is no number to draw: it counts as diverged, as NaN and infinity do."""
_BLANK = 0x2800
_BARS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Series:
    """A loss as runs of points that belong together; between two runs there is a gap."""

    runs: list[Run]
    gaps: list[float]
    """Where (in steps) the loss was not finite."""


def series(points: Sequence[LossPoint], field: str, buckets: int) -> Series:
    """One loss over steps, thinned to about `buckets` points by means, broken where it diverged."""
    runs: list[Run] = []
    gaps: list[float] = []
    if not points:
        return Series(runs, gaps)
    first, last = points[0].step, points[-1].step
    span = max(1, last - first)
    # Few points need no thinning; then every point is its own bucket.
    scale = buckets / span if len(points) > buckets else None
    run: Run = []
    bucket: object = None
    total = count = steps = 0.0
    for number, point in enumerate(points):
        value: float | None = getattr(point, field)
        broken = point.diverged or (value is not None and not abs(value) < BEYOND)
        if value is None and not broken:
            continue
        if broken:
            if count:
                run.append((steps / count, total / count))
                total = count = steps = 0.0
            if run:
                runs.append(run)
                run = []
            gaps.append(point.step)
            bucket = None
            continue
        assert value is not None
        here: object = number if scale is None else int((point.step - first) * scale)
        if here != bucket and count:
            run.append((steps / count, total / count))
            total = count = steps = 0.0
        bucket = here
        total += value
        steps += point.step
        count += 1
    if count:
        run.append((steps / count, total / count))
    if run:
        runs.append(run)
    return Series(runs, gaps)


def _dots(runs: Sequence[Run], columns: int, rows: int, x: tuple[float, float], y: tuple[float, float]) -> list[str]:
    """The runs as rows of braille, drawn by plotext."""
    import plotext

    plotext.terminal.limit(False, False)
    figure: Any = plotext.figure
    figure.clear.data()
    figure.plot_size(columns, rows)
    figure.axes(False)
    figure.canvas("default")
    figure.legend(False)
    for axis, limits in (("x", x), ("y", y)):
        figure.ruler(axis).frequency(0)
        figure.ruler(axis).lim(*limits)
    for run in runs:
        figure.draw(figure.signal([at for at, _ in run], [value for _, value in run], marker="braille").lines(True))
    drawn = figure.build().string(colorless=True).split("\n")
    return [row.ljust(columns)[:columns] for row in drawn[:rows]]


def _overlay(lower: Sequence[str], upper: Sequence[str], upper_style: Style, lower_style: Style) -> list[Row]:
    rows: list[Row] = []
    for below, above in zip(lower, upper, strict=True):
        row: Row = []
        for one, other in zip(below, above, strict=True):
            dots = (ord(one) - _BLANK if one > "⠀" else 0) | (ord(other) - _BLANK if other > "⠀" else 0)
            style = upper_style if other > "⠀" else lower_style
            text = chr(_BLANK + dots) if dots else " "
            if row and row[-1].style == style:
                row[-1] = Segment(row[-1].text + text, style)
            else:
                row.append(Segment(text, style))
        rows.append(row)
    return rows


def _limits(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    margin = (high - low) * 0.04 or max(abs(low) * 0.05, 0.05)
    return low - margin, high + margin


def _label(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.3g}"


def chart(points: Sequence[LossPoint], columns: int, rows: int, *, log: bool = False) -> list[Row]:
    """Both losses over steps in `rows` rows of `columns` cells; the last row names the steps, the left the losses."""
    train = series(points, "train_loss", 2 * columns)
    held_out = series(points, "val_loss", 2 * columns)
    values = [value for one in (train, held_out) for run in one.runs for _, value in run if not log or value > 0]
    if not values or columns < 12 or rows < 3:
        words = "the losses diverged" if train.gaps or held_out.gaps else "the first losses come in a moment"
        return [[Segment(fit(words, columns), palette.QUIET)]] + [[] for _ in range(rows - 1)]
    scaled = math.log10 if log else float
    low, high = _limits([scaled(value) for value in values])
    labels = {
        row: _label(10**level if log else level)
        for row in sorted({0, (rows - 2) // 2, rows - 2})
        for level in [high - (high - low) * (row + 0.5) / (rows - 1)]
    }
    margin = max(width(label) for label in labels.values())
    canvas = columns - margin - 2
    if canvas < 6:
        return [[Segment(fit("too narrow for a chart", columns), palette.QUIET)]] + [[] for _ in range(rows - 1)]
    first, last = points[0].step, points[-1].step
    limits = (first, max(last, first + 1))

    def dots(one: Series) -> list[str]:
        runs = [[(at, scaled(value)) for at, value in run if not log or value > 0] for run in one.runs]
        return _dots([run for run in runs if run], canvas, rows - 1, limits, (low, high))

    body = _overlay(dots(train), dots(held_out), HELD_OUT, TRAIN)
    for gap in train.gaps[:1]:
        _write(body, "diverged", canvas, (gap - first) / (limits[1] - first))
    drawn: list[Row] = []
    for number, row in enumerate(body):
        label = labels.get(number, "").rjust(margin)
        drawn.append([Segment(label, palette.QUIET), Segment(" ┤" if number in labels else " │", palette.QUIET), *row])
    drawn.append([Segment(" " * (margin + 2) + _steps(first, last, canvas), palette.QUIET)])
    return drawn


def _write(body: list[Row], word: str, columns: int, share: float) -> None:
    """Writes a word into the uppermost row, as near to `share` of its width as it goes."""
    if columns < len(word):
        return
    at = min(max(0, round(share * columns) - len(word) // 2), columns - len(word))
    characters = [(character, segment.style) for segment in body[0] for character in segment.text]
    body[0] = [Segment(character, style) for character, style in characters[:at]]
    body[0].append(Segment(word, palette.ERROR))
    body[0] += [Segment(character, style) for character, style in characters[at + len(word) :]]


def _steps(first: int, last: int, columns: int) -> str:
    left, right = f"step {first:,}", f"{last:,}"
    if len(left) + len(right) + 2 > columns:
        return right.rjust(columns) if len(right) <= columns else ""
    return left + " " * (columns - len(left) - len(right)) + right


def sparkline(points: Sequence[LossPoint], columns: int) -> str:
    """The training loss (the held-out one when there is no other) as one row of bars."""
    one = series(points, "train_loss", columns)
    if not one.runs:
        one = series(points, "val_loss", columns)
    values = [value for run in one.runs for _, value in run][-columns:]
    if not values or columns < 1:
        return ""
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    return "".join(_BARS[min(7, int((value - low) / span * 8))] for value in values)
