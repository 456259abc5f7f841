"""The words around a chart: losses at its left, places below it, what a mark says."""

from __future__ import annotations

import math
from itertools import pairwise

from charrnn.commands.ticks import log_ticks, ticks, time_ticks
from charrnn.engine.mark_messages import Mark
from tui.charts.view import Axis, View
from tui.panes.status import compact, duration

GLYPHS = {"rate": "▲", "cooldown": "▼", "checkpoint": "■", "restart": "◌", "back": "✗"}
"""What stands under the chart where something happened; a lower learning rate is ▼ as well."""
IMPORTANCE = ("checkpoint", "cooldown", "rate", "restart", "back")
"""Where several marks fall into one cell the last of these is shown."""
ROUND_FROM = 14
"""Rows from which on the losses beside them are round numbers."""


def loss_labels(low: float, high: float, rows: int, *, log: bool) -> dict[int, str]:
    """Losses for some of the rows between `low` and `high` (logarithms where `log`): round ones where there are many.

    In few rows it is the losses at the middle of the first, the last and one between.
    """
    if rows >= ROUND_FROM:
        values = (log_ticks if log else ticks)(low, high, rows // 4)
        scaled = [math.log10(value) if log else value for value in values]
        texts = _texts(values)
        found = {int((high - at) / (high - low) * rows): text for at, text in zip(scaled, texts, strict=True)}
        found = {row: text for row, text in found.items() if 0 <= row < rows}
        if len(found) > 1:
            return found
    wanted = sorted({0, (rows - 1) // 2, rows - 1})
    values = [high - (high - low) * (row + 0.5) / rows for row in wanted]
    return dict(zip(wanted, _texts([10**value for value in values] if log else values), strict=True))


def _texts(values: list[float]) -> list[str]:
    """The losses with as many decimals as tell neighbours apart, two at least."""
    steps = [abs(one - other) for one, other in pairwise(values) if one != other]
    decimals = min(6, max(2, -math.floor(math.log10(min(steps)) + 1e-9))) if steps else 2
    return [f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.3g}" for value in values]


def place_text(axis: Axis, at: float) -> str:
    """A place on the x axis: 12,345 steps, 2.1M characters, 1:02:03."""
    if axis == "step":
        return f"{round(at):,}"
    return compact(at) if axis == "chars" else duration(max(0.0, at))


def place_labels(axis: Axis, low: float, high: float, columns: int) -> str:
    """The row below a chart: the axis's name with its first place, the last one, and round ones between."""
    name = {"step": "step", "chars": "characters", "seconds": "time"}[axis]
    left, right = f"{name} {place_text(axis, low)}", place_text(axis, high)
    if len(left) + len(right) + 2 > columns:
        return right.rjust(columns) if len(right) <= columns else ""
    row = list(left + " " * (columns - len(left) - len(right)) + right)
    for place in (time_ticks if axis == "seconds" else ticks)(low, high, columns // 14):
        text = place_text(axis, place)
        if text in (place_text(axis, low), right):
            continue
        at = round((place - low) / (high - low) * (columns - 1)) - len(text) // 2
        if at >= 3 and not "".join(row[at - 3 : at + len(text) + 3]).strip() and at + len(text) + 3 <= columns:
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
