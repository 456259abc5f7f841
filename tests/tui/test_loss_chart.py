"""The chart takes whatever training does: nothing, one point, infinities, a divergence, years of points."""

from __future__ import annotations

import math
import time

from hypothesis import given
from hypothesis import strategies as st

from charrnn.engine.messages import LossPoint
from tests.thorough import examples
from tui.chart import draw, sparkline
from tui.charts.scene import Scene
from tui.charts.series import series
from tui.charts.view import View
from tui.terminal import width

LOSS = st.none() | st.floats() | st.sampled_from([0.0, -1.0, math.nan, math.inf, 1e300])


def made(step: int, train: float | None, val: float | None = None, *, diverged: bool = False) -> LossPoint:
    return LossPoint(step, step * 100, float(step), train, val, 0.003, diverged)


def text(points: list[LossPoint], columns: int = 60, rows: int = 12, *, log: bool = False) -> list[str]:
    return [
        "".join(segment.text for segment in row)
        for row in draw(Scene(tuple(points), View(log=log)), columns, rows).rows
    ]


FALLING = [made(step, 1 + 3 / step, 1.2 + 3 / step if step % 10 == 0 else None) for step in range(1, 300)]


@examples(60)
@given(
    st.lists(st.tuples(LOSS, LOSS, st.booleans()), max_size=30), st.integers(1, 90), st.integers(1, 20), st.booleans()
)
def test_any_losses_at_any_size_draw_within_it(
    losses: list[tuple[float | None, float | None, bool]], columns: int, rows: int, log: bool
) -> None:
    points = [made(step, train, val, diverged=broken) for step, (train, val, broken) in enumerate(losses)]
    drawn = text(points, columns, rows, log=log)
    assert len(drawn) <= max(rows, 1)
    assert all(width(row) <= columns for row in drawn)
    assert width(sparkline(points, columns)) <= columns


def test_a_falling_loss_falls_on_the_screen() -> None:
    drawn = text(FALLING)
    heights = [number for number, row in enumerate(drawn) for at, dot in enumerate(row) if "⠁" <= dot <= "⣿" and at < 9]
    last = [number for number, row in enumerate(drawn) for at, dot in enumerate(row) if "⠁" <= dot <= "⣿" and at > 50]
    assert min(heights) < min(last)


def test_the_axes_name_the_steps_and_the_losses() -> None:
    drawn = text(FALLING)
    assert "step 1" in drawn[-1]
    assert drawn[-1].endswith("299")
    assert drawn[0].lstrip()[0].isdigit()


def test_a_divergence_is_a_gap_with_its_name() -> None:
    points = [made(step, None if 40 <= step < 60 else 2.0, diverged=40 <= step < 60) for step in range(100)]
    assert "diverged" in text(points)[0]
    assert len(series(points, "train_loss", 200).runs) == 2


def test_many_points_are_thinned_to_the_dots_there_are() -> None:
    points = [made(step, 2.0 + step % 7) for step in range(20_000)]
    thinned = series(points, "train_loss", 200)
    assert sum(map(len, thinned.runs)) <= 202


def test_a_logarithmic_chart_spreads_small_losses() -> None:
    def row_of_the_middle(log: bool) -> int:
        points = [made(1, 10.0), made(2, 1.0), made(3, 0.1)]
        drawn = text(points, 60, 21, log=log)
        return next(number for number, row in enumerate(drawn) if "⠁" <= row[34] <= "⣿")

    assert row_of_the_middle(True) < row_of_the_middle(False)


def test_without_points_it_says_what_will_come() -> None:
    assert text([])[0] == "the first losses come in a moment"


def test_a_chart_costs_a_few_milliseconds() -> None:
    draw(Scene(tuple(FALLING)), 60, 12)
    begun = time.process_time()
    for _ in range(10):
        draw(Scene(tuple(FALLING)), 60, 12)
    assert (time.process_time() - begun) / 10 < 0.05
