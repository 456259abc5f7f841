"""What the chart shows of the losses: units, axes, smoothing, the part in sight, references, marks, other runs."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.commands.ticks import log_ticks, ticks, time_ticks
from charrnn.engine.mark_messages import Mark
from charrnn.engine.messages import LossPoint
from tests.thorough import examples
from tui import palette
from tui.chart import Drawn, draw
from tui.charts.canvas import Canvas, heavier
from tui.charts.labels import loss_labels, place_labels
from tui.charts.reading import parts_at
from tui.charts.scene import LETTERS, Other, Scene, curves
from tui.charts.series import Series, series, smoothed
from tui.charts.view import AXES, SMOOTHINGS, UNITS, View
from tui.charts.window import Window, beside, moved_to, nearest
from tui.terminal import width


def made(step: int, train: float | None, val: float | None = None, *, diverged: bool = False) -> LossPoint:
    return LossPoint(step, step * 100, step / 4, train, val, 0.003, diverged)


FALLING = tuple(made(step, 1 + 3 / step, 1.2 + 3 / step if step % 10 == 0 else None) for step in range(1, 300))
EXTENT = (1.0, 299.0)


def lines(drawn: Drawn) -> list[str]:
    return ["".join(segment.text for segment in row) for row in drawn.rows]


def text(scene: Scene, columns: int = 60, rows: int = 12) -> str:
    return "\n".join(lines(draw(scene, columns, rows)))


LOSS = st.none() | st.floats(allow_nan=False, allow_infinity=False, min_value=-1, max_value=800) | st.just(1e300)
VIEWS = st.builds(View, st.sampled_from(UNITS), st.sampled_from(AXES), st.sampled_from(SMOOTHINGS), st.booleans())
PLACE = st.none() | st.floats(-50, 400)
MARKS = st.builds(
    Mark, st.sampled_from(["rate", "cooldown", "checkpoint", "restart", "back"]), st.integers(0, 40), st.floats(0, 1)
)


@examples(80)
@given(
    st.lists(st.tuples(LOSS, LOSS, st.booleans()), max_size=20),
    VIEWS,
    st.builds(Window, PLACE, PLACE, PLACE),
    st.lists(MARKS, max_size=4),
    st.lists(st.lists(st.tuples(LOSS, LOSS), max_size=8), max_size=3),
    st.integers(1, 130),
    st.integers(1, 34),
)
def test_anything_that_can_be_shown_draws_within_its_size(
    losses: list[tuple[float | None, float | None, bool]],
    view: View,
    window: Window,
    marks: list[Mark],
    others: list[list[tuple[float | None, float | None]]],
    columns: int,
    rows: int,
) -> None:
    points = tuple(made(step, train, val, diverged=broken) for step, (train, val, broken) in enumerate(losses))
    laid = tuple(
        Other(letter, f"run {letter} 漢", tuple(made(step, *pair) for step, pair in enumerate(one)))
        for letter, one in zip(LETTERS, others, strict=False)
    )
    scene = Scene(points, view, window, (("bigram", 2.5), ("xz", 1.7), ("odd", 900.0)), tuple(marks), laid)
    drawn = draw(scene, columns, rows)
    assert len(drawn.rows) <= max(rows, 1)
    assert all(width(row) <= columns for row in lines(drawn))
    if points and window.cursor is not None:
        assert parts_at(scene, window.cursor, drawn)[0].text.startswith("step ")


# ---- units, axes -------------------------------------------------------------------------------------------------


def test_a_nat_is_so_many_bits_and_its_perplexity_is_e() -> None:
    assert [View(unit).value(1.0) for unit in UNITS] == [1.0, pytest.approx(1.442695), pytest.approx(math.e)]
    assert View("perplexity").value(1e6) == math.inf
    assert View().text(None) == ""


def test_the_keys_go_through_all_units_axes_and_smoothings_and_come_back() -> None:
    for step in (View.next_unit, View.next_axis, View.next_smoothing):
        seen = [View()]
        for _ in range(3):
            seen.append(step(seen[-1]))
        assert len(set(seen[:3])) == 3
        assert seen[3] == seen[0]


def test_the_axis_counts_what_the_view_says() -> None:
    assert text(Scene(FALLING)).splitlines()[-1].split() == ["step", "1", "100", "200", "299"]
    assert text(Scene(FALLING, View(axis="chars"))).splitlines()[-1].split()[::3] == ["characters", "29.9k"]
    assert text(Scene(FALLING, View(axis="seconds"))).splitlines()[-1].split()[-1] == "1:14"


def test_the_losses_beside_the_chart_are_in_its_unit() -> None:
    flat = tuple(made(step, 2.0) for step in range(1, 30))
    for unit, shown in (("nats", "2.00 ┤"), ("bits", "2.89 ┤"), ("perplexity", "7.39 ┤")):
        assert shown in text(Scene(flat, View(unit)))


def test_a_perplexity_beyond_numbers_is_a_gap() -> None:
    points = tuple(made(step, 50.0 if 10 < step < 20 else 2.0) for step in range(1, 40))
    assert "diverged" in text(Scene(points, View("perplexity")))
    assert "diverged" not in text(Scene(points))


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 12))
def test_ticks_are_round_lie_within_and_are_not_many(low: float, span: float, about: int) -> None:
    for made_by in (ticks, time_ticks):
        found = made_by(low, low + span, about)
        slack = (abs(low) + span) * 1e-6
        assert len(found) <= about + 2
        assert all(low - slack <= at <= low + span + slack for at in found)


def test_ticks_of_logarithms_and_of_time() -> None:
    assert log_ticks(-1, 1, 6) == pytest.approx([0.1, 0.2, 0.5, 1, 2, 5, 10])
    assert time_ticks(0, 7200, 4) == [0, 1800, 3600, 5400, 7200]


def test_a_tall_chart_names_round_losses_and_a_low_one_its_ends() -> None:
    assert set(loss_labels(1.0, 4.0, 24, log=False).values()) == {
        "1.00",
        "1.50",
        "2.00",
        "2.50",
        "3.00",
        "3.50",
        "4.00",
    } - {text for text in ("1.00", "4.00") if text not in loss_labels(1.0, 4.0, 24, log=False).values()}
    assert set(loss_labels(1.0, 4.0, 8, log=False)) == {0, 3, 7}
    narrow = list(loss_labels(1.061, 1.064, 24, log=False).values())
    assert len(set(narrow)) == len(narrow) > 2


@given(st.sampled_from(AXES), st.floats(0, 1e7), st.floats(1, 1e7), st.integers(0, 200))
def test_the_row_of_places_fits(axis: str, low: float, span: float, columns: int) -> None:
    assert len(place_labels(axis, low, low + span, columns)) <= columns  # type: ignore[arg-type]


# ---- smoothing ---------------------------------------------------------------------------------------------------


@given(st.lists(st.tuples(st.floats(0.01, 50), st.floats(0, 20)), min_size=1, max_size=40), st.floats(0.1, 1e3))
def test_smoothing_stays_within_the_losses_and_keeps_their_places(
    steps: list[tuple[float, float]], reach: float
) -> None:
    at, run = 0.0, []
    for step, value in steps:
        at += step
        run.append((at, value))
    (found,) = smoothed(Series([run], []), reach).runs
    values = [value for _, value in run]
    assert [at for at, _ in found] == [at for at, _ in run]
    assert all(min(values) - 1e-9 <= value <= max(values) + 1e-9 for _, value in found)


def test_smoothing_takes_noise_away_without_lagging_and_never_crosses_a_gap() -> None:
    noise = random.Random(1)
    line = [(float(x), 5 - x / 100 + noise.gauss(0, 0.3)) for x in range(400)]
    (found,) = smoothed(Series([line], []), 15).runs
    inner = [value - (5 - x / 100) for x, value in found[40:-40]]
    assert abs(sum(inner) / len(inner)) < 0.03
    assert max(map(abs, inner)) < 0.3
    steep = [(float(x), 100.0 - x) for x in range(100)]
    (found,) = smoothed(Series([steep], []), 10).runs
    assert found == [(x, pytest.approx(y, abs=3)) for x, y in steep]  # at the ends too, where a mean is off by 10
    assert found[50] == (50.0, pytest.approx(50.0, abs=0.01))
    step = smoothed(Series([[(0.0, 1.0)] * 1 + [(1.0, 1.0), (2.0, 1.0)], [(3.0, 9.0), (4.0, 9.0), (5.0, 9.0)]], []), 50)
    assert [value for run in step.runs for _, value in run] == pytest.approx([1, 1, 1, 9, 9, 9])


def test_both_shows_the_recorded_losses_behind_the_smoothed_line() -> None:
    noise = random.Random(2)
    points = tuple(made(step, 2 + noise.gauss(0, 0.3)) for step in range(1, 200))
    dots = {
        smoothing: sum("⠁" <= cell <= "⣿" for cell in text(Scene(points, View(smoothing=smoothing))))  # type: ignore[arg-type]
        for smoothing in ("smoothed", "both")
    }
    assert dots["both"] > dots["smoothed"]
    assert [curve.dust is not None for curve in curves(Scene(points, View(smoothing="both")), 100)] == [True, True]


# ---- the part in sight, the cursor -------------------------------------------------------------------------------

FRACTION = st.floats(0.01, 0.99)


@given(
    st.lists(
        st.tuples(st.sampled_from(["zoom", "pan", "cursor"]), st.floats(-3, 3), st.none() | st.floats(0, 1000)),
        max_size=12,
    )
)
def test_whatever_is_done_what_is_in_sight_lies_within_what_there_is(
    deeds: list[tuple[str, float, float | None]],
) -> None:
    window, extent = Window(), (10.0, 500.0)
    for deed, number, at in deeds:
        if deed == "zoom":
            window = window.zoomed(extent, 2.0**number, at)
        elif deed == "pan":
            window = window.panned(extent, number)
        else:
            window = window.with_cursor(extent, None if at is None else min(max(at, 10.0), 500.0))
        low, high = window.limits(extent)
        assert 10 - 1e-6 <= low < high <= 500 + 1e-6
        if deed == "cursor" and window.cursor is not None:
            assert low - 1e-6 <= window.cursor <= high + 1e-6


def test_looking_closer_keeps_the_place_under_the_pointer_and_the_newest_end_follows() -> None:
    closer = Window().zoomed(EXTENT, 0.5, 100.0)
    low, high = closer.limits(EXTENT)
    assert (100 - low) / (high - low) == pytest.approx((100 - 1) / 298)
    newest = Window().zoomed(EXTENT, 0.5)
    assert newest.high is None
    assert newest.limits((1.0, 400.0))[1] == 400
    assert closer.zoomed(EXTENT, 4.0).whole


def test_the_cursor_goes_about_a_cell_at_a_time_and_always_to_another_point() -> None:
    assert beside(FALLING, View(), 100.0, 7.6) == 108
    assert beside(FALLING, View(), 100.0, -0.2) == 99
    assert beside(FALLING, View(), 100.0, 0.2) == 101
    assert beside(FALLING, View(), 299.0, 5) == 299
    assert beside(FALLING, View(), 1.0, -5) == 1
    assert nearest(FALLING, View(), 41.4) == 40
    with pytest.raises(ValueError, match="no points"):
        nearest((), View(), 1.0)


def test_another_axis_shows_the_same_moment() -> None:
    for axis in AXES[1:]:
        there = moved_to(FALLING, View(), View(axis=axis), 120.5)
        assert there is not None
        assert moved_to(FALLING, View(axis=axis), View(), there) == pytest.approx(120.5)
    assert moved_to(FALLING, View(), View(axis="chars"), 598.0) == pytest.approx(59_800)


def test_lines_go_on_to_the_edge_of_what_is_in_sight() -> None:
    """Where no held-out loss was measured in sight its line between two that were is there all the same."""
    found = {curve.kind: curve.lines for curve in curves(Scene(FALLING, window=Window(102.0, 108.0)), 200)}
    (run,) = found["held-out"].runs
    assert [at for at, _ in run] == [102.0, 108.0]
    assert run[0][1] > run[1][1]


def test_the_cursor_reads_off_step_losses_and_rate_and_what_happened_there() -> None:
    marks = (Mark("rate", 50, 0.003), Mark("rate", 104, 0.0024), Mark("checkpoint", 250))
    scene = Scene(FALLING, window=Window(cursor=104.0), marks=marks)
    words = [part.text for part in parts_at(scene, 104.0, draw(scene, 56, 11)) if part.text]
    assert words == ["step 104", "train 1.029", "held-out 1.230", "lr 0.003", "lr 0.003 → 0.0024"]
    assert "│" in text(scene)
    broken = Scene((made(1, None, diverged=True),), View(axis="chars"))
    assert [p.text for p in parts_at(broken, 1.0, None)][:4] == ["step 1", "100", "diverged", "held-out –"]


def test_a_part_without_losses_says_how_to_leave_it() -> None:
    points = (made(1, 2.0), made(2, None, diverged=True), made(100, None, diverged=True), made(200, 2.0))
    assert "home shows the whole run" in text(Scene(points, window=Window(20.0, 60.0)))


# ---- references, marks, other runs -------------------------------------------------------------------------------


def test_references_are_drawn_where_they_are_near_and_told_of_with_an_arrow_where_not() -> None:
    drawn = draw(Scene(FALLING, references=(("bigram", 2.0), ("5-gram", 0.9), ("xz", 0.2), ("high", 9.0))), 60, 12)
    shown = "\n".join(lines(drawn))
    assert " bigram 2.00 ╌" in shown
    assert " 5-gram 0.90 ╌" in shown
    assert drawn.beyond == (("xz", 0.2, "↓"), ("high", 9.0, "↑"))
    assert "xz" not in shown


def test_marks_stand_under_the_losses_at_their_places() -> None:
    marks = (
        Mark("checkpoint", 75),
        Mark("rate", 150, 0.004),
        Mark("rate", 200, 0.001),
        Mark("restart", 250),
        Mark("back", 280, 290),
        Mark("checkpoint", 280),
    )
    for axis in AXES:
        row = text(Scene(FALLING, View(axis=axis), marks=marks), 108, 14).splitlines()[-2]
        assert row.split() == ["■", "▲", "▼", "◌", "✗"]
        assert row.index("■") == pytest.approx(6 + 102 * 74 / 298, abs=3)
    low = text(Scene(FALLING, marks=marks), 108, 7).splitlines()[-1]
    assert low.split()[:4] == ["step", "1", "50", "■"]
    assert "■" not in text(Scene(FALLING, window=Window(100.0, 140.0), marks=marks))


def test_other_runs_have_a_letter_on_their_lines_and_a_name_in_the_corner() -> None:
    slower = tuple(replace_loss(point, 1.0) for point in FALLING)
    scene = Scene(FALLING, others=(Other("a", "lstm-1", slower), Other("b", "gru-2", slower[:150])))
    shown = text(scene, 80, 16)
    assert "a lstm-1" in shown.splitlines()[0]
    assert "b gru-2" in shown.splitlines()[1]
    assert shown.count("a") >= 3
    assert shown.count("b") >= 3
    only = text(Scene((), others=scene.others), 80, 16)
    assert "a lstm-1" in only


def replace_loss(point: LossPoint, more: float) -> LossPoint:
    return made(point.step, (point.train_loss or 0) + more, None if point.val_loss is None else point.val_loss + more)


def test_names_without_room_are_handed_back_to_be_shown_elsewhere() -> None:
    flat = tuple(made(step, 2.0 + step % 2, 2.5) for step in range(1, 400))
    others = tuple(Other(letter, f"run-{letter}", flat) for letter in LETTERS)
    drawn = draw(Scene(flat, others=others), 40, 6)
    shown = "\n".join(lines(drawn))
    assert drawn.unnamed
    assert all(
        f"{other.letter} {other.name}" in (*drawn.unnamed, *shown.split("\n"), shown)
        or f"{other.letter} {other.name}" in shown
        for other in others
    )


def test_held_out_and_train_are_told_apart_without_colour() -> None:
    """The same losses once as training and once as held-out ones: the latter make the heavier line."""
    train = tuple(made(step, 3 - step / 100) for step in range(1, 200))
    held_out = tuple(made(step, None, 3 - step / 100) for step in range(1, 200))

    def dots(points: tuple[LossPoint, ...]) -> int:
        return sum((ord(cell) - 0x2800).bit_count() for cell in text(Scene(points)) if "⠁" <= cell <= "⣿")

    assert dots(held_out) > 1.5 * dots(train)


def test_a_heavier_line_covers_the_dot_below_each_one_across_cells_too() -> None:
    assert heavier(["⠁⠈", "⠀⠀"]) == ["⠃⠘", "⠀⠀"]
    assert heavier(["⡀⢀", "⠀⠀"]) == ["⡀⢀", "⠁⠈"]


def test_words_stand_over_dots_and_dots_over_rules() -> None:
    canvas = Canvas(5, 1, palette.PLAIN)
    canvas.rule(0, "╌", palette.QUIET)
    canvas.dots(["⠁⠁⠁  "], palette.PLAIN, (1,), 3)
    canvas.write(0, 2, "ab", palette.STRONG)
    assert "".join(segment.text for segment in canvas.strips()[0]) == "⠁╌ab╌"
    assert not canvas.free(0, 0, 1)
    assert canvas.free(0, 4, 1)
    assert not canvas.free(0, 4, 2)


def test_twenty_thousand_points_are_thinned_to_twice_the_columns() -> None:
    points = tuple(made(step, 2.0 + step % 7, 2.0) for step in range(1, 20_000))
    for view in (View(), View(axis="chars"), View(axis="seconds", smoothing="smoothed")):
        for curve in curves(Scene(points, view), 200):
            assert sum(map(len, curve.lines.runs)) <= 203
    assert sum(map(len, series(points, "train_loss", 200).runs)) <= 202
    scene = Scene(points)
    assert replace(scene, points=points[:5]).extent == (1.0, 5.0)
