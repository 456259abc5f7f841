"""What the chart's cursor reads off."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import palette
from tui.charts.copied import STYLE, copied_at, words
from tui.charts.labels import place_text, words_of
from tui.charts.scene import Scene, marks_in_sight, rate_before
from tui.charts.window import nearest
from tui.panes.frame import Part

if TYPE_CHECKING:
    from tui.chart import Drawn


def parts_at(scene: Scene, at: float, drawn: Drawn | None) -> list[Part]:
    """The recorded losses at a place of the axis, the learning rate, and what happened there.

    A held-out loss is the last one measured by then. In brief the losses go by their lines, as the line above the chart
    names them. There is at least one point.
    """
    view, here = scene.view, nearest(scene.points, scene.view, at)
    point = scene.points[here]
    held_out = next((p.val_loss for p in reversed(scene.points[: here + 1]) if p.val_loss is not None), None)
    trained, held = view.text(point.train_loss) or "–", view.text(held_out) or "–"
    parts = [
        Part(f"step {point.step:,}", palette.STRONG, 1),
        Part("" if view.axis == "step" else place_text(view.axis, view.place(point)), palette.PLAIN, 5),
        Part("diverged", palette.ERROR, 2)
        if point.diverged
        else Part(f"train {trained}", palette.PLAIN, 2, f"─ {trained}"),
        Part(f"held-out {held}", palette.ACCENT_STRONG, 2, f"━ {held}"),
        Part(f"lr {point.learning_rate:.3g}", palette.PLAIN, 3),
    ]
    sample = copied_at(scene, point.step)
    if sample is not None:
        parts.append(Part(f"{words(sample)}, longest {sample.longest}", STYLE, 4, words(sample)))
    for other in scene.others:
        if other.points:
            value = _last(other.points, other.field, nearest(other.points, view, at))
            parts.append(Part(f"{other.letter} {view.text(value) or '–'}", palette.QUIET, 4))
    reach = 0.0
    if drawn is not None and drawn.limits is not None:
        reach = (drawn.limits[1] - drawn.limits[0]) / max(1, drawn.columns - 1) / 2
    for _, mark in marks_in_sight(scene, at - reach, at + reach)[-3:]:
        parts.append(Part(words_of(mark, rate_before(scene.points, scene.marks, mark)), palette.ACCENT, 3))
    return parts


def _last(points: tuple[object, ...], field: str, index: int) -> float | None:
    """The newest value of a loss up to a point."""
    return next((value for p in reversed(points[: index + 1]) if (value := getattr(p, field)) is not None), None)
