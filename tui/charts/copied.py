"""The share of copies as a curve beside the losses, on an axis of its own from 0 to 100 %."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from rich.segment import Segment

from tui import palette
from tui.charts.scene import Scene, cut_between, place_of
from tui.charts.series import Run

if TYPE_CHECKING:
    from charrnn.engine.questions.copying import CopiedPoint

STYLE = palette.WARNING
LETTER = "%"
PERIOD, GAPS = 4, (1, 2, 3)
"""Dotted, and marked with its letter, so that it is told from the losses without colour."""
ROOMY = 44
"""Columns of a chart from which on there is room for the curve and its axis; narrower, the line above has the value."""
AXIS = 6
"""Columns of the axis."""


def copied_run(scene: Scene) -> Run:
    """The curve in sight: places of the x axis with shares from 0 to 1."""
    extent = scene.extent
    if extent is None:
        return []
    low, high = scene.window.limits(extent)
    placed = [(place_of(scene.points, scene.view, point.step), point.share) for point in scene.copied]
    return cut_between([(at, share) for at, share in placed if at is not None], low, high)


def copied_at(scene: Scene, step: int) -> CopiedPoint | None:
    """The newest sample by a step."""
    found = bisect_right(scene.copied, step, key=lambda point: point.step)
    return scene.copied[found - 1] if found else None


def words(point: CopiedPoint) -> str:
    """As in "copied 12 %"."""
    return f"copied {100 * point.share:.0f} %"


def axis_label(row: int, rows: int) -> Segment:
    """The right-hand axis in one row: its ends and its middle have names."""
    name = {0: " 100%", rows // 2: " 50%", rows - 1: " 0%"}.get(row, "")
    return Segment(("├" if name else "│") + name.ljust(AXIS - 1), STYLE)
