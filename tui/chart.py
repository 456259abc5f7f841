"""The loss chart in cells. The only place that knows plotext, which it loads when the first chart is drawn.

Plotext 6 aborts the process on NaN, raises on infinities and on logarithms of zero, and has one figure for all; so
only finite numbers that are already scaled reach it, from one thread, and it draws nothing but braille dots. Axes and
colours are made here: each curve is drawn alone, and dots of two curves in one cell are laid over each other.

Without colour the held-out loss is the heavy line, the training loss the thin one, and other runs are broken lines
with their letter on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rich.segment import Segment
from rich.style import Style

from charrnn.engine.mark_messages import Mark
from charrnn.engine.messages import LossPoint
from tui import palette
from tui.charts import copied
from tui.charts.canvas import Canvas, Row, heavier, segments_of
from tui.charts.labels import IMPORTANCE, glyph_of, loss_labels, place_labels
from tui.charts.scene import Curve, Scene, curves, marks_in_sight, rate_before
from tui.charts.series import Run, Series, series
from tui.charts.window import Extent
from tui.terminal import fit, width

NEAR = 0.12
"""A reference is drawn where it lies in sight, or beyond it by at most so much of the height; else it is named."""
ROOMY = 9
"""Rows from which on what happened has a row of its own."""
_BARS = "▁▂▃▄▅▆▇█"
_BROKEN = ((3, (2,)), (2, (1,)), (4, (2, 3)), (5, (4,)), (6, (3, 4, 5)), (7, (5, 6)))
"""How the other runs' lines are broken: the period in cells, and which cells of it are left out."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart in cells. `limits` is what its columns from `left` on span, None where there is only a sentence.

    `beyond` are the references that are out of sight, with the arrow to where they are; `unnamed` the other runs that
    had no room for their names.
    """

    rows: list[Row]
    left: int = 0
    columns: int = 0
    limits: Extent | None = None
    beyond: tuple[tuple[str, float, str], ...] = ()
    unnamed: tuple[str, ...] = ()

    def place(self, column: int) -> float | None:
        """The place on the x axis at a column of cells; None outside the chart."""
        if self.limits is None or not self.left <= column < self.left + self.columns:
            return None
        low, high = self.limits
        return low + (high - low) * (column - self.left) / max(1, self.columns - 1)


def _dots(runs: Sequence[Run], columns: int, rows: int, x: Extent, y: Extent, *, lines: bool = True) -> list[str]:
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
        figure.draw(figure.signal([at for at, _ in run], [value for _, value in run], marker="braille").lines(lines))
    drawn = figure.build().string(colorless=True).split("\n")
    return [row.ljust(columns)[:columns] for row in drawn[:rows]]


def _sentence(words: str, columns: int, rows: int) -> Drawn:
    return Drawn([[Segment(fit(words, columns), palette.QUIET)], *([] for _ in range(rows - 1))])


def _limits(values: Sequence[float]) -> Extent:
    low, high = min(values), max(values)
    margin = (high - low) * 0.04 or max(abs(low) * 0.05, 0.05)
    return low - margin, high + margin


class _Frame:
    """Which losses and places the canvas spans."""

    def __init__(self, x: Extent, y: Extent, columns: int, rows: int, *, log: bool) -> None:
        self.x, self.y, self.columns, self.rows, self.log = x, y, columns, rows, log

    def scaled(self, value: float) -> float:
        return math.log10(value) if self.log else value

    def row(self, value: float) -> int:
        low, high = self.y
        return min(self.rows - 1, max(0, int((high - self.scaled(value)) / (high - low) * self.rows)))

    def column(self, at: float) -> int:
        low, high = self.x
        return min(self.columns - 1, max(0, round((at - low) / (high - low) * (self.columns - 1))))

    def dots(self, one: Series, *, lines: bool = True) -> list[str]:
        runs = [[(at, self.scaled(value)) for at, value in run] for run in one.runs]
        return _dots(runs, self.columns, self.rows, self.x, self.y, lines=lines)


def draw(scene: Scene, columns: int, rows: int) -> Drawn:
    """The scene in `rows` rows of `columns` cells; the last row names the places, the left the losses."""
    view, extent = scene.view, scene.extent
    if extent is None:
        return _sentence("the first losses come in a moment", columns, rows)
    found = curves(scene, 2 * columns)
    scaled = math.log10 if view.log else float
    values = [
        scaled(value)
        for one in found
        for part in (one.lines, one.dust)
        if part
        for run in part.runs
        for _, value in run
    ]
    if not values or columns < 12 or rows < 3:
        if not scene.window.whole:
            return _sentence("no losses in this part; home shows the whole run", columns, rows)
        gaps = any(one.lines.gaps for one in found)
        return _sentence("the losses diverged" if gaps else "the first losses come in a moment", columns, rows)
    low, high = scene.window.limits(extent)
    marks = marks_in_sight(scene, low, high)
    height = rows - 2 if marks and rows >= ROOMY else rows - 1
    y, within, beyond = _with_references(scene, _limits(values), scaled)
    labels = loss_labels(*y, height, log=view.log)
    margin = max(map(width, labels.values()))
    right = copied.AXIS if scene.copied and columns >= copied.ROOMY else 0
    inner = columns - margin - 2 - right
    canvas = Canvas(inner, height, palette.QUIET) if inner >= 6 else None
    if canvas is None:
        return _sentence("too narrow for a chart", columns, rows)
    frame = _Frame((low, high), y, canvas.columns, height, log=view.log)
    if right:
        _draw_copied(canvas, frame, scene)
    unnamed = _draw_all(canvas, frame, scene, found, within)
    body: list[Row] = []
    for number, row in enumerate(canvas.strips()):
        edge = " ┤" if number in labels else " │"
        body.append([Segment(labels.get(number, "").rjust(margin) + edge, palette.QUIET), *row])
        if right:
            body[-1].append(copied.axis_label(number, height))
    indent = Segment(" " * (margin + 2), palette.QUIET)
    places = [
        (cell, palette.QUIET) for cell in place_labels(view.axis, low, high, canvas.columns).ljust(canvas.columns)
    ]
    happened = _mark_cells(scene, frame, marks)
    if height == rows - 2:
        body.append([indent, *segments_of(happened)])
    else:  # where rows are few the marks stand between the places
        free = [not "".join(cell for cell, _ in places[max(0, at - 1) : at + 2]).strip() for at in range(len(places))]
        places = [
            mark if ok and mark[0] != " " else cell for cell, mark, ok in zip(places, happened, free, strict=True)
        ]
    body.append([indent, *segments_of(places)])
    return Drawn(body, margin + 2, canvas.columns, (low, high), tuple(beyond), tuple(unnamed))


def _with_references(
    scene: Scene, y: Extent, scaled: Any
) -> tuple[Extent, list[tuple[str, float]], list[tuple[str, float, str]]]:
    """The limits, widened for references that lie near; those in sight, and those beyond with an arrow to them."""
    low, high = y
    near = (high - low) * NEAR
    within: list[tuple[str, float]] = []
    beyond: list[tuple[str, float, str]] = []
    for name, nats in scene.references:
        value = scene.view.value(nats)
        if not math.isfinite(value) or (scene.view.log and value <= 0):
            continue
        at = scaled(value)
        if y[0] - near <= at <= y[1] + near:
            within.append((name, nats))
            low, high = min(low, at - near / 4), max(high, at + near / 4)
        else:
            beyond.append((name, nats, "↑" if at > y[1] else "↓"))
    return (low, high), within, beyond


def _draw_all(
    canvas: Canvas, frame: _Frame, scene: Scene, found: list[Curve], within: list[tuple[str, float]]
) -> list[str]:
    """Everything within the axes; the names of other runs for which there was no room."""
    for _, nats in within:
        canvas.rule(frame.row(scene.view.value(nats)), "╌", palette.QUIET)
    if scene.window.cursor is not None and frame.x[0] <= scene.window.cursor <= frame.x[1]:
        canvas.column(frame.column(scene.window.cursor), "│", palette.ACCENT)
    lettered: list[tuple[Curve, list[str], Style]] = []
    for number, one in enumerate(curve for curve in found if curve.kind == "other"):
        drawn, style = frame.dots(one.lines), _other_style(number)
        period, gaps = _BROKEN[number % len(_BROKEN)]
        canvas.dots(drawn, style, gaps, period)
        lettered.append((one, drawn, style))
    for one in found:
        if one.kind != "other":
            style = palette.ACCENT_STRONG if one.kind == "held-out" else palette.QUIET
            if one.dust is not None:
                canvas.dots(frame.dots(one.dust, lines=False), palette.QUIET)
                style = style if one.kind == "held-out" else palette.PLAIN
            drawn = frame.dots(one.lines)
            if one.kind == "held-out":
                for run in one.lines.runs:
                    if len(run) == 1:  # a single dot would be lost among the others
                        canvas.write(frame.row(run[0][1]), frame.column(run[0][0]), "●", style)
            canvas.dots(heavier(drawn) if one.kind == "held-out" else drawn, style)
    for number, (one, drawn, style) in enumerate(lettered):
        _letter(canvas, one.letter, drawn, style, number)
    gap = next((gap for one in found if one.kind == "train" for gap in one.lines.gaps), None)
    if gap is not None:
        at = frame.column(gap) - len("diverged") // 2
        canvas.write(0, min(max(0, at), canvas.columns - len("diverged")), "diverged"[: canvas.columns], palette.ERROR)
    unnamed = _legend(canvas, [(f"{one.letter} {one.name}", style) for one, _, style in lettered])
    for name, nats in within:
        _name_reference(canvas, frame.row(scene.view.value(nats)), f"{name} {scene.view.text(nats, 2)}")
    return unnamed


def _draw_copied(canvas: Canvas, frame: _Frame, scene: Scene) -> None:
    """The share of copies, behind the losses."""
    run = copied.copied_run(scene)
    if not run:
        return
    own = _Frame(frame.x, (0.0, 1.0), frame.columns, frame.rows, log=False)
    drawn = own.dots(Series([run], []))
    canvas.dots(drawn, copied.STYLE, copied.GAPS, copied.PERIOD)
    for at, share in {run[0], run[len(run) // 2], run[-1]}:
        canvas.write(own.row(share), own.column(at), copied.LETTER, copied.STYLE + palette.STRONG)


def _other_style(number: int) -> Style:
    return (palette.WARNING, palette.GOOD, palette.PLAIN)[number % 3]


def _letter(canvas: Canvas, letter: str, drawn: Sequence[str], style: Style, number: int) -> None:
    """Writes a run's letter onto its line, at places of its own."""
    used = [column for column in range(canvas.columns) if canvas.highest(drawn, column) is not None]
    if not used:
        return
    for share in (0.3, 0.65, 1.0):
        column = used[max(0, min(len(used) - 1, round((len(used) - 1) * share) - 3 * number))]
        row = canvas.highest(drawn, column)
        assert row is not None
        canvas.write(row, column, letter, style + palette.STRONG)


def _legend(canvas: Canvas, names: Sequence[tuple[str, Style]]) -> list[str]:
    """The other runs' names in the upper right corner, where losses that fall leave room; those that had none."""
    row, unnamed = 0, []
    for name, style in names:
        text = fit(name, min(canvas.columns - 2, 28))
        cells = width(text)
        place = next(
            (at for at in range(row, canvas.rows) if canvas.free(at, canvas.columns - cells - 1, cells + 1)), None
        )
        if place is None or cells > canvas.columns // 2 or not text.isprintable() or cells != len(text):
            unnamed.append(name)
        else:
            canvas.write(place, canvas.columns - cells, text, style)
            row = place + 1
    return unnamed


def _name_reference(canvas: Canvas, row: int, words: str) -> None:
    """Writes a reference's name onto its line, at the first place from the left that is free."""
    for column in range(1, canvas.columns - len(words) - 1):
        if canvas.free(row, column - 1, len(words) + 2):
            canvas.write(row, column - 1, f" {words} ", palette.QUIET)
            return


def _mark_cells(scene: Scene, frame: _Frame, marks: Sequence[tuple[float, Mark]]) -> list[tuple[str, Style]]:
    """What happened, one glyph a cell: the most important one of those that fall into it."""
    cells: list[tuple[str, Style]] = [(" ", palette.QUIET)] * frame.columns
    for at, mark in sorted(marks, key=lambda found: IMPORTANCE.index(found[1].kind)):
        style = {"back": palette.ERROR, "restart": palette.WARNING, "checkpoint": palette.QUIET}.get(
            mark.kind, palette.ACCENT
        )
        cells[frame.column(at)] = (glyph_of(mark, rate_before(scene.points, scene.marks, mark)), style)
    return cells


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
