"""When a run ends, when its last cool-down begins, and for how long the held-out loss has not fallen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import TrainingConfig
from charrnn.engine.ending import LEAST_MEASURED, OVERTIME, Ending
from charrnn.engine.held_out import TOLD_AFTER, HeldOut


def lived(training: TrainingConfig, pace: list[float], begun: float = 0.0) -> tuple[int | None, int, int, float, str]:
    """A run whose steps take `pace` seconds, over and over: the last cool-down's start and length, the end, and why."""
    ending, step, seconds = Ending(training), 0, begun
    start: int | None = None
    length = 0
    while True:
        cooling = start is not None and step < start + length
        reason = ending.over(step, seconds, cooling=cooling)
        if reason:
            return start, length, step, seconds, reason
        planned = ending.cooldown(step, seconds)
        if planned is not None:
            assert start is None
            start, length = step, planned
        seconds += pace[step % len(pace)]
        step += 1


def test_the_last_share_of_the_steps_is_the_cool_down() -> None:
    assert lived(TrainingConfig(steps=1000, cooldown=0.25), [1.0])[:3] == (750, 250, 1000)
    assert lived(TrainingConfig(steps=10, cooldown=1.0), [1.0])[:3] == (0, 10, 10)
    assert lived(TrainingConfig(steps=1, cooldown=0.25), [1.0])[2] == 1


def test_without_a_share_or_an_end_there_is_none() -> None:
    assert lived(TrainingConfig(steps=100), [1.0])[0] is None
    assert lived(TrainingConfig(minutes=1), [1.0])[:1] + lived(TrainingConfig(minutes=1), [1.0])[2:] == (
        None,
        60,
        60.0,
        "minutes",
    )
    ending = Ending(TrainingConfig(cooldown=0.25))
    assert not any(ending.cooldown(step, step) or ending.over(step, step, cooling=False) for step in range(1000))


@given(
    st.floats(0.5, 20), st.floats(0.05, 0.9), st.lists(st.floats(0.02, 0.1), min_size=1, max_size=7), st.floats(0, 20)
)
def test_a_run_for_minutes_cools_down_to_its_end_near_its_time(
    minutes: float, share: float, pace: list[float], begun: float
) -> None:
    limit = 60 * minutes
    start, length, step, seconds, reason = lived(TrainingConfig(minutes=minutes, cooldown=share), pace, begun)
    assert reason == "minutes"
    if start is not None and limit > 60:  # long enough to have a pace
        assert step == start + length
        assert 0.95 * limit <= seconds <= limit * OVERTIME + max(pace)


def test_a_machine_that_becomes_slow_in_the_cool_down_is_not_waited_for() -> None:
    pace = [0.1] * 450 + [0.5] * 10_000
    start, length, step, seconds, reason = lived(TrainingConfig(minutes=1, cooldown=0.25), pace)
    assert start == 450
    assert step < start + length
    assert seconds == pytest.approx(60 * OVERTIME, abs=0.5)
    assert reason == "minutes"


def test_whatever_comes_first_ends_the_run_and_the_cool_down_ends_with_it() -> None:
    both = TrainingConfig(minutes=1, steps=1000, cooldown=0.25)
    for pace in (0.01, 0.05, 0.059, 0.061, 0.07, 0.2):
        start, length, step, seconds, _ = lived(both, [pace])
        assert start is not None
        assert step == start + length
        assert 0.95 * min(1000, 60 / pace) <= step <= 1000
        assert seconds < 60 * OVERTIME


def test_no_time_is_told_in_steps_before_the_pace_is_known() -> None:
    ending = Ending(TrainingConfig(minutes=1, cooldown=0.9))
    assert [ending.cooldown(step, 50 + step / 100) for step in range(LEAST_MEASURED)] == [None] * LEAST_MEASURED
    assert ending.cooldown(LEAST_MEASURED, 50 + LEAST_MEASURED / 100) == pytest.approx(970, abs=3)


def test_the_best_is_kept_and_patience_ends() -> None:
    held_out = HeldOut(3)
    assert [held_out.take(step, loss) for step, loss in enumerate([2.0, 1.5, 1.6, math.nan])] == [True, True] + [
        False
    ] * 2
    assert (held_out.best, held_out.best_step, held_out.exhausted) == (1.5, 1, False)
    assert not held_out.take(4, 1.5)
    assert held_out.exhausted
    assert held_out.at(4) == 1.5
    assert held_out.at(3) is None
    again = HeldOut(3)
    state = held_out.state()
    again.load_state(state)
    assert (again.best, again.best_step, again.since_best, state) == (1.5, 1, 3, {})
    assert not HeldOut(0).exhausted


def test_that_the_loss_does_not_fall_is_told_more_and_more_seldom() -> None:
    held_out = HeldOut(0)
    told = []
    for number in range(100):
        held_out.take(number, 1.0)
        if held_out.worth_telling:
            told.append(held_out.since_best)
    assert told == [TOLD_AFTER, 2 * TOLD_AFTER, 4 * TOLD_AFTER, 8 * TOLD_AFTER]
