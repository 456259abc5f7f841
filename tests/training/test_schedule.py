"""The learning rate is a function of the steps done, and of what was asked for and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.training.schedule import LEAST_ASKED, MOST_ASKED, Schedule, asked_length


def test_a_warm_up_rises_evenly_and_ends_at_the_stable_rate() -> None:
    schedule = Schedule(0.4, warmup=4)
    assert [schedule.learning_rate(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])
    assert [schedule.warming(step) for step in range(6)] == [True] * 4 + [False] * 2


def test_a_cool_down_falls_evenly_to_nearly_nothing_and_the_stable_rate_holds_after_it() -> None:
    schedule = Schedule(0.5).cooled_down(10, 5)
    assert [schedule.learning_rate(step) for step in range(9, 17)] == pytest.approx(
        [0.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.5, 0.5]
    )
    assert [schedule.cooling(step) is not None for step in range(9, 17)] == [False] + [True] * 5 + [False] * 2


def test_a_rate_changed_in_a_cool_down_scales_what_remains() -> None:
    schedule = Schedule(0.5).cooled_down(0, 10)
    changed = schedule.at_rate(1.0)
    for step in range(12):
        assert changed.learning_rate(step) == pytest.approx(2 * schedule.learning_rate(step))


def test_a_cool_down_in_another_goes_on_from_where_that_has_come_to() -> None:
    schedule = Schedule(1.0).cooled_down(0, 10).cooled_down(4, 3)
    assert [schedule.learning_rate(step) for step in range(4, 8)] == pytest.approx([0.6, 0.4, 0.2, 1.0])


def test_a_cool_down_called_off_leaves_the_stable_rate() -> None:
    assert Schedule(0.5).cooled_down(0, 10).without_cooldown().learning_rate(7) == 0.5


@given(
    st.floats(1e-9, 10),
    st.integers(0, 50),
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 60)), max_size=4),
    st.integers(0, 200),
)
def test_no_rate_is_ever_zero_or_above_the_stable_one(
    rate: float, warmup: int, cooldowns: list[tuple[int, int]], step: int
) -> None:
    schedule = Schedule(rate, warmup)
    for start, length in sorted(cooldowns):
        schedule = schedule.cooled_down(start, length)
    assert 0 < schedule.learning_rate(step) <= rate


@given(st.integers(0, 10**9), st.floats(0, 1))
def test_a_cool_down_that_is_asked_for_has_a_round_and_bounded_length(done: int, share: float) -> None:
    length = asked_length(done, share)
    assert LEAST_ASKED <= length <= MOST_ASKED
    assert len(str(length).rstrip("0")) <= 2


def test_a_cool_down_that_is_asked_for_is_the_share_of_all_steps() -> None:
    assert asked_length(3000, 0.25) == asked_length(3000, 0.0) == 1000
    assert asked_length(9000, 0.1) == 1000


def test_a_length_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="0 steps"):
        Schedule(0.1).cooled_down(5, 0)
    with pytest.raises(UsageError, match="--warmup"):
        Schedule(0.1, -1)
