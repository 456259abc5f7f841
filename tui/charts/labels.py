"""The words around a chart: losses at its left, places below it, what a mark says."""

from __future__ import annotations

import math
from itertools import pairwise

from charrnn.engine.mark_messages import Mark
from tui.charts.view import Axis, View
from tui.panes.status import compact, duration

GLYPHS = {"rate": "▲", "cooldown": "▼", "checkpoint": "■", "restart": "◌", "back": "✗"}
"""What stands under the chart where something happened; a lower learning rate is ▼ as well."""
IMPORTANCE = ("checkpoint", "cooldown", "rate", "restart", "back")
"""Where several marks fall into one cell the last of these is shown."""


def loss_labels(low: float, high: float, rows: int, *, log: bool) -> dict[int, str]:
    """The loss at the middle of some of the rows between `low` and `high` (logarithms where `log`)."""
    count = min(rows, max(3, rows // 5 + 1)) if rows > 2 else rows
    wanted = sorted({round(number * (rows - 1) / max(1, count - 1)) for number in range(count)})
    values = [high - (high - low) * (row + 0.5) / rows for row in wanted]
    values = [10**value for value in values] if log else values
    steps = [abs(one - other) for one, other in pairwise(values)]
    decimals = 2
    if steps and min(steps) > 0:
        decimals = min(6, max(2, 1 - math.floor(math.log10(min(steps)))))
    return {
        row: f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.3g}"
        for row, value in zip(wanted, values, strict=True)
    }


def place_text(axis: Axis, at: float) -> str:
    """A place on the x axis: 12,345 steps, 2.1M characters, 1:02:03."""
    if axis == "step":
        return f"{round(at):,}"
    return compact(at) if axis == "chars" else duration(max(0.0, at))


def place_labels(axis: Axis, low: float, high: float, columns: int) -> str:
    """The row below a chart: the axis's name with its first place, the last one, and those between where they fit."""
    name = {"step": "step", "chars": "characters", "seconds": "time"}[axis]
    left, right = f"{name} {place_text(axis, low)}", place_text(axis, high)
    if len(left) + len(right) + 2 > columns:
        return right.rjust(columns) if len(right) <= columns else ""
    row = list(left + " " * (columns - len(left) - len(right)) + right)
    between = 3 if columns >= 90 else 1 if columns >= 44 else 0
    for number in range(1, between + 1):
        share = number / (between + 1)
        text = place_text(axis, low + share * (high - low))
        at = round(share * (columns - 1)) - len(text) // 2
        if text not in (place_text(axis, low), right) and not "".join(row[at - 2 : at + len(text) + 2]).strip():
            row[at : at + len(text)] = text
    return "".join(row)


def glyph_of(mark: Mark, before: float | None) -> str:
    """A mark's glyph; `before` is the learning rate that a new one took the place of."""
    if mark.kind == "rate" and before is not None and mark.value < before:
        return "▼"
    return GLYPHS[mark.kind]


def words_of(mark: Mark, before: float | None) -> str:
    """What happened at a mark, in a few words."""
    match mark.kind:
        case "rate":
            return f"lr {f'{before:.3g} → ' if before is not None else ''}{mark.value:.3g}"
        case "cooldown":
            return f"cool-down over {mark.value:,.0f} steps" if mark.value else "cool-down called off"
        case "checkpoint":
            return "checkpoint"
        case "restart":
            return "trainer restarted"
        case "back":
            return f"diverged at {mark.value:,.0f}, back to here"


def unit_label(view: View) -> str:
    """The y axis's name in an exported picture."""
    return f"loss ({view.words})" if view.unit != "perplexity" else view.words
