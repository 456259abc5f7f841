"""What the user sets counts at once; a prime survives being written on one line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.messages import (
    ClientMessage,
    Losses,
    Reading,
    RestartStream,
    SetCooldown,
    SetKnobs,
    SetPaused,
    Status,
)
from tests.tui.fake_engine import point
from tui.panes.prime import read, unknown_in, written
from tui.panes.status import status_parts
from tui.session import MOST_POINTS, NUCLEUS, PATIENCE, Session
from tui.terminal import safe_line


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def session() -> tuple[Session, list[ClientMessage], Clock]:
    sent: list[ClientMessage] = []
    clock = Clock()
    return Session(sent.append, clock), sent, clock


def test_a_knob_counts_at_once_and_older_states_do_not_take_it_back() -> None:
    one, sent, clock = session()
    one.step_temperature(1)
    assert sent == [SetKnobs(Knobs(temperature=0.85))]
    one.receive(Status(state="training", knobs=Knobs(temperature=0.8)))
    assert one.knobs.temperature == 0.85
    clock.now += PATIENCE
    one.receive(Status(state="training", knobs=Knobs(temperature=0.8)))
    assert one.knobs.temperature == 0.8


def test_a_cool_down_is_asked_for_once_and_called_off_the_second_time() -> None:
    one, sent, clock = session()
    assert one.toggle_cooldown()
    one.receive(Status(state="training"))  # the engine has not heard of it yet
    assert not one.toggle_cooldown()
    assert sent == [SetCooldown(True), SetCooldown(False)]
    clock.now += PATIENCE
    one.receive(Status(state="training", phase="cool-down", phase_step=1, phase_steps=4, current_rate=0.001))
    assert one.current_rate == 0.001
    assert not one.toggle_cooldown()
    assert sent[2:] == [SetCooldown(False)]


def test_how_far_the_corpus_is_stands_in_the_status_line_until_it_is_there() -> None:
    one, _, _ = session()
    one.receive(Status(state="starting", reading=Reading("fetching", 1_200_000, 4_000_000)))
    assert [part.text for part in status_parts(one)] == ["◌ starting", "fetching the corpus: 1.2 of 4.0 MB"]
    one.receive(Status(state="starting", reading=Reading("reading", 5_000, None)))
    assert status_parts(one)[1].text == "reading the corpus: 5.0 KB"
    one.receive(Status(state="starting"))
    assert len(status_parts(one)) == 1


def test_another_clients_knob_is_taken_over() -> None:
    one, _, _ = session()
    one.step_temperature(1)
    one.receive(Status(state="training", knobs=Knobs(temperature=0.85)))
    one.receive(Status(state="training", knobs=Knobs(temperature=1.5)))
    assert one.knobs.temperature == 1.5


@given(st.lists(st.sampled_from([-1, 1]), max_size=80))
def test_any_steps_of_temperature_stay_clean_and_in_bounds(steps: list[int]) -> None:
    one, _, _ = session()
    for step in steps:
        one.step_temperature(step)
    assert 0.05 <= one.knobs.temperature <= 2.0
    assert one.knobs.temperature == round(one.knobs.temperature, 2)


def test_top_k_goes_through_its_values_and_comes_back() -> None:
    one, _, _ = session()
    seen = []
    for _ in range(7):
        one.next_top_k()
        seen.append(one.knobs.top_k)
    assert seen == [40, 20, 10, 5, 3, 1, 0]


def test_min_p_and_top_p_take_turns() -> None:
    one, _, _ = session()
    seen = []
    for _ in NUCLEUS:
        one.next_nucleus()
        seen.append((one.knobs.min_p, one.knobs.top_p))
    assert seen == [*NUCLEUS[1:], NUCLEUS[0]]


def test_pace_and_learning_rate_step_as_the_table_says() -> None:
    one, _, _ = session()
    one.receive(Status(state="training", learning_rate=0.01))
    one.step_pace(1)
    one.step_learning_rate(1)
    assert (one.pace, one.learning_rate) == (50.0, 0.0125)
    one.step_pace(-1)
    one.step_pace(-1)
    one.step_learning_rate(-1)
    assert (one.pace, one.learning_rate) == (20.0, 0.01)


def test_every_restart_takes_a_seed_that_was_not_used() -> None:
    one, sent, _ = session()
    assert [one.restart(), one.restart()] == [2, 3]
    one.restart("Th")
    assert sent[-1] == RestartStream(prime="Th", seed=3)


def test_pause_is_shown_at_once() -> None:
    one, sent, _ = session()
    one.receive(Status(state="training"))
    one.toggle_pause()
    assert sent == [SetPaused(True)]
    assert one.state == "paused"


def test_the_history_of_losses_is_bounded_and_prefers_held_out_losses() -> None:
    one, _, _ = session()
    for begin in range(0, 3 * MOST_POINTS, 1000):
        one.receive(Losses([point(step) for step in range(begin, begin + 1000)]))
    assert len(one.points) <= MOST_POINTS
    steps = [p.step for p in one.points]
    assert steps == sorted(steps)
    assert sum(p.val_loss is not None for p in one.points) / len(one.points) > 0.3


@given(st.text())
def test_any_prime_survives_being_written_on_one_line(prime: str) -> None:
    line = written(prime)
    assert read(line) == prime
    assert safe_line(line) == line


@given(st.text("\\nut0d8é", max_size=20))
def test_any_line_means_some_prime(line: str) -> None:
    assert read(written(read(line))) == read(line)


def test_unknown_characters_are_named_once_and_safely() -> None:
    assert unknown_in("éé\x1b\n“a", "abc") == "é ␛ \\n “"
