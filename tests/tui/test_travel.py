"""Time travel on the screen: a slider over the run's states, what each wrote, a film of them, and files."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs, UsageError
from charrnn.engine.messages import SetCooldown, SetKnobs, SetPaused, WriteCheckpoint
from charrnn.engine.questions.travel import EraWritten, StatesKept, StateThen, TravelRun
from charrnn.runs.milestones import scale
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_speaking import conversation
from tests.tui.test_workbench import Bench, bench, run
from tui import keys
from tui.journey import REST_AT_THE_END, SPEEDS, Asked, Journey
from tui.screens import travel as screen_module
from tui.screens.travel import TravelScreen
from tui.screens.travel_look import EXPLAINED, NO_STATE, ONE_STATE
from tui.screens.travel_slider import AWAITED, KNOB, THERE, curve, labels, track
from tui.screens.travel_text import text_rows
from tui.settings import Settings
from tui.terminal import width

STEPS = (0, 11, 25, 60, 140, 400, 1000)


class Younger:
    """What an engine would answer: every state writes the same beginning and its own step."""

    def __init__(self, steps: tuple[int, ...] = STEPS, *, silent: tuple[int, ...] = ()) -> None:
        self.steps, self.silent = steps, silent
        self.asked: list[TravelRun] = []

    def states(self) -> list[StateThen]:
        return [StateThen(step, step * 2048, 4.2 - step / 500, 3.9 if step > 99 else None) for step in self.steps]

    def answers(self, message: Any) -> list[Any]:
        if not isinstance(message, TravelRun):
            return []
        self.asked.append(message)
        if not message.length:
            return []
        told: list[Any] = [StatesKept(message.number, self.states())]
        wanted = [step for step in self.steps if step not in {*message.had, *self.silent}]
        wanted = [step for step in wanted if not message.only or step in message.only]
        return told + [EraWritten(message.number, step, message.prime, self.text(message, step)) for step in wanted]

    @staticmethod
    def text(asked: TravelRun, step: int) -> str:
        return (
            f" at step {step}, seed {asked.seed}, T {asked.knobs.temperature:g}:\n[bold]\x1b]52;c;x\x07 and words\n" * 3
        )


@contextlib.asynccontextmanager
async def travelling(
    size: tuple[int, int] = (120, 34), younger: Younger | None = None, **options: Any
) -> AsyncIterator[tuple[Bench, Younger]]:
    younger = younger or Younger()
    async with bench(size, library=younger, **options) as one:
        await one.press("T")
        await one.until(lambda: isinstance(one.app.screen, TravelScreen))
        await one.shows("Time travel")
        yield one, younger


def journey(one: Bench) -> Journey:
    assert isinstance(one.app.screen, TravelScreen)
    return one.app.screen.journey


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16), (40, 10)])
def test_the_newest_state_is_shown_first_and_the_arrows_go_back(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with travelling(size) as (one, _):
            await one.shows("step 1,000", "7 of 7", "To be at step 1000, seed 1, T 0.8:", "[bold]␛]52")
            await one.press("left", "left")
            await one.shows("step 140", "5 of 7", "at step 140")
            await one.press("home")
            await one.shows("step 0", "1 of 7", "at step 0,")
            await one.press("left")
            await one.shows("1 of 7")
            await one.press("end")
            await one.shows("7 of 7")
            assert all(width(line) == size[0] for line in one.lines())
            assert any(KNOB in line and line.count(THERE) >= 5 for line in one.lines())

    run(test)


def test_it_begins_with_the_streams_prime_and_knobs_and_ends_its_work_when_it_closes() -> None:
    async def test() -> None:
        async with bench(library=(younger := Younger())) as one:
            await one.press("k", "plus", "T")
            await one.shows("step 1,000", "top-k 40", "temperature 0.85", 'prime "To be"')
            assert (younger.asked[0].prime, younger.asked[0].knobs) == ("To be", Knobs(temperature=0.85, top_k=40))
            await one.press("escape")
            await one.shows("─ Stream ─")
            await one.until(lambda: younger.asked[-1].length == 0)
            count = len(younger.asked)
            await one.pilot.pause(0.1)
            assert len(younger.asked) == count
            assert one.app.hearers._of[EraWritten] == []

    run(test)


def test_another_seed_temperature_length_or_prime_asks_again_and_what_stood_there_stays_till_then() -> None:
    async def test() -> None:
        async with travelling() as (one, younger):
            await one.shows("seed 1, T 0.8")
            younger.silent = STEPS
            await one.press("r", "minus", "minus")
            await one.shows("seed 2  ·  400 characters", "temperature 0.70", "seed 1, T 0.8")
            await one.until(lambda: len(younger.asked) == 2)  # once, for three keys
            assert (younger.asked[1].seed, younger.asked[1].knobs.temperature) == (2, 0.7)
            assert younger.asked[1].had == []
            one.engine.say(EraWritten(younger.asked[0].number, 1000, "", "too late"))
            younger.silent = ()
            await one.press("s", *["backspace"] * 3, *"77", "enter")
            await one.shows("at step 1000, seed 77, T 0.7")
            await one.press("l", *["backspace"] * 4, *"abc", "enter")
            await one.shows("The length wants a whole number, not 'abc'.")
            await one.press(*["backspace"] * 3, *"9999", "enter")
            await one.shows("The length can be from 1 to 5,000 characters.")
            await one.press(*["backspace"] * 4, *"50", "enter")
            await one.shows("50 characters")
            await one.press("p", *["backspace"] * 5, *"hey", "enter")
            await one.until(lambda: younger.asked[-1].prime == "hey")
            assert (younger.asked[-1].length, younger.asked[-1].seed) == (50, 77)
            await one.shows("hey at step 1000")
            await one.press("p", "x", "☃")
            await one.shows("The model does not know ☃; it is left out.")
            await one.press("escape")
            await one.shows('prime "hey"')
            assert "too late" not in one.screen()

    run(test)


def test_a_state_whose_text_is_not_there_is_asked_for_once_the_slider_rests() -> None:
    async def test() -> None:
        async with travelling(younger=Younger(silent=(11, 25))) as (one, younger):
            await one.shows("step 1,000")
            await one.press("home", "right")
            await one.shows("step 11", "writing…")
            younger.silent = ()
            await one.press("right")
            await one.shows("at step 25")
            assert len(younger.asked) == 2
            assert (younger.asked[1].number, younger.asked[1].near) == (younger.asked[0].number, 25)
            assert younger.asked[1].had == [0, 60, 140, 400, 1000]

    run(test)


def test_the_film_plays_stops_and_changes_its_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        async with travelling() as (one, _):
            await one.shows("7 of 7", "at step 1000")
            await one.press("left_square_bracket")
            await one.shows("The film shows 1 states a second; space plays it.")
            await one.press(*["right_square_bracket"] * 5, "space")
            await one.shows("▶ film, 4 a second")
            await one.until(lambda: journey(one).at >= 2)
            await one.press("space")
            assert not journey(one).playing
            at = journey(one).at
            await one.pilot.pause(0.6)
            assert journey(one).at == at
            await one.press("space", "left")  # who moves it takes it over
            assert not journey(one).playing
            assert one.sent(SetPaused) == []

    run(test)


def test_the_film_waits_for_a_text_and_begins_again_after_a_rest() -> None:
    one = Journey(Asked())
    one.hear_states(StatesKept(1, [StateThen(step) for step in (0, 5, 9)]))
    one.move(0)
    assert not one.beat()
    for step in (0, 5, 9):
        one.hear_era(EraWritten(1, step, "", "x"))
    beats = [one.beat() for _ in range(2 + REST_AT_THE_END + 1)]
    assert beats == [True, True, *[False] * REST_AT_THE_END, True]
    assert one.at == 0
    for _ in SPEEDS * 2:
        one.faster(1)
    assert one.speed == SPEEDS[-1]


def test_a_run_that_trains_on_takes_who_stands_on_the_newest_along() -> None:
    async def test() -> None:
        async with travelling() as (one, younger):
            await one.shows("7 of 7")
            younger.steps = (*STEPS, 2000)
            one.engine.say(StatesKept(journey(one).number, younger.states()))
            await one.shows("8 of 8", "step 2,000", "writing…")
            one.engine.say(EraWritten(journey(one).number, 2000, "To be", " new"))
            await one.shows("To be new")
            await one.press("left")
            younger.steps = (0, 25, 140, 1000, 2000, 3000)  # thinned meanwhile
            one.engine.say(StatesKept(journey(one).number, younger.states()))
            await one.shows("4 of 6", "step 1,000")

    run(test)


def test_what_there_is_to_say_instead_of_a_text() -> None:
    async def test() -> None:
        async with travelling(younger=Younger(())) as (one, _):
            await one.shows(NO_STATE.split("\n")[0])
            await one.press("left", "right", "home", "end", "space", "e")
            await one.shows("There is no text to export yet.")
        async with travelling(younger=Younger((0,))) as (one, _):
            await one.shows("1 of 1", "at step 0", ONE_STATE[:60])
            await one.press("space")
            await one.shows("A film needs two states at least")
        async with travelling(younger=Younger(silent=STEPS)) as (one, _):
            await one.shows("writing…")
            one.engine.say(EraWritten(journey(one).number, 1000, "", "", "The weights are damaged."))
            await one.shows("This state cannot be opened: The weights are damaged.")
        async with bench() as one:
            one.app.session.connected = False
            await one.press("T")
            await one.shows("The engine has gone; enter starts it again")
            assert not isinstance(one.app.screen, TravelScreen)

    run(test)


def test_it_is_explained_in_two_sentences() -> None:
    assert EXPLAINED.count(". ") == 1

    async def test() -> None:
        async with travelling((120, 34)) as (one, _):
            await one.shows(EXPLAINED[:60])
            await one.press("question_mark")
            await one.until(lambda: EXPLAINED[:60] not in one.screen())
        async with travelling((60, 16)) as (one, _):
            assert EXPLAINED[:40] not in one.screen()
            await one.press("question_mark")
            await one.shows(EXPLAINED[:40])

    run(test)


def test_the_slider_follows_the_mouse() -> None:
    async def test() -> None:
        async with travelling() as (one, _):
            await one.shows("7 of 7")
            slider = one.app.screen.query_one("#travel-slider")
            y = slider.region.y + 1
            await one.pilot.mouse_down(offset=(slider.region.x + 1, y))
            await one.shows("1 of 7")
            await one.pilot.hover(offset=(slider.region.x + slider.region.width // 2, y))
            await one.pilot.mouse_up(offset=(slider.region.x + slider.region.width // 2, y))
            await one.until(lambda: 0 < journey(one).at < 6 or journey(one).at == 0)

    run(test)


def test_no_key_acts_on_what_lies_below() -> None:
    async def test() -> None:
        async with travelling() as (one, _):
            await one.press("k", "c", "w", "comma", "full_stop", "n", "y", "v", "1", "z", "plus", "space", "space")
            await one.pilot.pause(0.1)
            for kind in (SetKnobs, SetCooldown, SetPaused, WriteCheckpoint):
                assert one.sent(kind) == []
            assert isinstance(one.app.screen, TravelScreen)

    run(test)


def test_every_key_of_it_is_bound_and_the_palette_opens_it() -> None:
    async def test() -> None:
        async with bench(library=Younger()) as one:
            own = [key for key in keys.TABLE if key.pane == "travel"]
            (close,) = (key for key in own if key.id == "travel-close")
            await one.app.perform(close)
            await one.shows("Time travel is not open.")
            (first,) = (key for key in own if key.id == "travel-help")
            await one.app.perform(first)
            await one.shows("Time travel", "7 of 7")
            for key in own:
                assert key.command
                for name in key.keys:
                    assert name in one.app.screen.query_one("#travel-text")._bindings.key_to_bindings
            await one.app.perform(close)
            await one.shows("─ Stream ─")

    run(test)


@pytest.mark.parametrize(("down", "ending"), [(0, ".txt"), (1, ".html"), (2, ".cast")])
def test_what_was_written_becomes_a_file(
    down: int, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    async def test() -> None:
        async with travelling(younger=Younger(silent=(11,))) as (one, _):
            await one.shows("at step 1000")
            await one.press("e")
            await one.shows("Write what the states wrote")
            await one.press(*["down"] * down, "enter")
            await one.shows("of those 6 states that have written is in")
            (made,) = tmp_path.iterdir()
            assert made.name == f"hamlet-1-travel{ending}"
            assert "at step 400" in made.read_text()
            await one.press("e", "enter")
            await one.until(lambda: len(list(tmp_path.iterdir())) == 2)

    run(test)


def test_little_is_drawn_from_one_state_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    async def test() -> None:
        async with travelling() as (one, _):
            await one.shows("7 of 7", "at step 1000")
            text = one.app.screen.query_one("#travel-text")
            real = text.refresh
            monkeypatch.setattr(
                text, "refresh", lambda *regions, **o: (drawn.extend(r.height for r in regions), real(*regions, **o))
            )
            await one.press("left")
            await one.shows("at step 400")
            assert sum(drawn) == 3  # the three rows that name the step, of nine

    run(test)


def test_over_a_slow_line_the_film_is_slower() -> None:
    async def test() -> None:
        async with travelling(settings=Settings(slow=True)) as (one, _):
            await one.shows("at step 1000")
            await one.press("right_square_bracket", "space")
            screen = one.app.screen
            assert isinstance(screen, TravelScreen)
            assert screen._film is not None
            assert screen._film._interval == 1.0
            assert screen_module.FILM_WHEN_SLOW == 1.0

    run(test)


# ---- the slider ----------------------------------------------------------------------------------------------

STATES = st.lists(st.integers(0, 10**7), min_size=1, max_size=60, unique=True).map(sorted)


@given(STATES, st.data(), st.integers(1, 200))
def test_a_track_has_the_knob_in_its_place_and_every_state_a_mark(steps: list[int], data: Any, columns: int) -> None:
    at = data.draw(st.integers(0, len(steps) - 1))
    written = data.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    row, columns_of = track(steps, written, at, columns)
    text = "".join(part for part, _ in row)
    assert len(text) == columns
    assert text.count(KNOB) == 1
    assert text[columns_of[at]] == KNOB
    for column, there in zip(columns_of, written, strict=True):
        assert text[column] in (KNOB, THERE, AWAITED)
        assert not there or text[column] in (KNOB, THERE)


@given(STATES, st.integers(1, 200))
def test_the_steps_below_fit_and_never_touch(steps: list[int], columns: int) -> None:
    row = labels(steps, columns)
    text = "".join(part for part, _ in row)
    assert len(text) <= columns
    words = text.split()
    values = [int(word.replace(",", "")) for word in words]
    assert values == sorted(values)
    assert set(values) - {10**p * d for p in range(1, 19) for d in (1, 2, 5)} <= {steps[0], steps[-1]}


def test_the_losses_stand_over_the_steps_that_they_are_of() -> None:
    steps = [0, 1000]
    losses = [(step, 4.0 if step < 100 else 1.0) for step in range(1, 1001)]
    rows = curve(losses, steps, 0, 60, 3)
    top = "".join(part for part, _ in rows[0])
    edge = round(scale(100) / scale(1000) * 59)
    assert top[: edge - 1].strip() == "█" * len(top[: edge - 1].strip())
    assert top[edge + 1 :].strip() == ""
    assert curve(losses[:1], steps, 0, 60, 3) == []
    assert curve(losses, [5], 0, 60, 3) == []


@given(st.text(max_size=60), st.text(max_size=200), st.integers(2, 60))
def test_prime_and_text_are_wrapped_as_one_and_each_has_its_look(prime: str, text: str, columns: int) -> None:
    from tui import palette
    from tui.terminal import safe, wrap

    rows = text_rows(prime, text, palette.PLAIN, columns)
    joined = ["".join(part for part, _ in row) for row in rows]
    wrapped = wrap(safe(prime + text), columns)
    assert [row for row in joined if width(row) <= columns] == [
        whole for whole, row in zip(wrapped, joined, strict=True) if width(row) <= columns
    ]
    of_prime = "".join(part for row in rows for part, style in row if style is palette.PRIME)
    if prime.isascii() and prime.isprintable():
        assert of_prime == prime


def test_what_is_typed_becomes_a_setting_or_a_sentence() -> None:
    asked = Asked(knobs=Knobs(temperature=0.05, greedy=True))
    assert asked.with_typed("seed", " 1,234 ").seed == 1234
    assert asked.with_typed("length", "5000").length == 5000
    assert asked.warmer(-1).knobs == replace(asked.knobs, greedy=False)
    assert asked.with_prime("x" * 10_000).prime == "x" * 10_000
    with pytest.raises(UsageError, match="10,000 characters at most"):
        asked.with_prime("x" * 10_001)
    for what, words in (("seed", "-1"), ("seed", ""), ("seed", str(2**63)), ("length", "0"), ("length", "5001")):
        with pytest.raises(UsageError):
            asked.with_typed(what, words)


# ---- in lines ------------------------------------------------------------------------------------------------


def test_in_lines_the_first_the_middle_and_the_last_state_are_said() -> None:
    async def test() -> None:
        younger = Younger()
        async with conversation(FakeEngine(pace=500.0, library=younger)) as (one, _, _typed):
            await one.hears("Training, step")
            one.speaking.obey("travel")
            await one.hears("The run has kept 7 states, of step 0 to 1,000", "Step 0: To be at step 0,")
            await one.hears("Step 60: To be at step 60", "Step 1,000, held-out loss 3.90: To be at step 1000")
            assert [asked.only for asked in younger.asked] == [[-1], [0, 60, 1000], []]
            assert younger.asked[-1].length == 0
            one.speaking.obey("travel 350")
            await one.hears("Step 400, held-out loss 3.90: To be at step 400")
            one.speaking.obey("travel soon")
            await one.hears("The state is named by its step, a whole number, not 'soon'.")
            younger.steps = ()
            one.speaking.obey("T")
            await one.hears("The run has kept no state of itself yet")

    asyncio.run(test())
