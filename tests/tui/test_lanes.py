"""Lanes on the screen: what the keys make of them, how their text is wrapped, and what is drawn and said."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.messages import EngineMessage, Notice, SetKnobs, SetPace, SetPaused
from charrnn.engine.questions.lanes import (
    LONGEST_PRIME,
    MOST_LANES,
    CheckpointsListed,
    CloseLanes,
    LaneOpened,
    LanesEnded,
    LanesOpened,
    LanesText,
    LaneWish,
    ListCheckpoints,
    OpenLanes,
    OtherRun,
    SavedStep,
    TuneLanes,
)
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_speaking import conversation
from tests.tui.test_workbench import Bench, bench, run
from tui.lane_text import KEPT_ROWS, LaneText
from tui.lanes import Plan, by_seed, by_temperature, by_weights
from tui.panes.lane_columns import LEAST_WIDTH, in_sight
from tui.screens.lane_choices import spread
from tui.screens.lanes import LanesScreen
from tui.session import Session
from tui.terminal import width, wrap

# ---- the plan ------------------------------------------------------------------------------------------------


def temperatures(plan: Plan) -> list[float]:
    return [wish.knobs.temperature for wish in plan.wishes]


def test_lanes_differ_in_what_their_names_say() -> None:
    plan = by_temperature(Knobs(top_k=5, greedy=True), 7, "To be")
    assert [plan.name(at) for at in range(3)] == ["T 0.40 top-k 5", "T 0.80 top-k 5", "T 1.20 top-k 5"]
    seeds = by_seed(Knobs(), 7, "To be")
    assert [seeds.name(at) for at in range(3)] == ["seed 7", "seed 8", "seed 9"]
    weights = by_weights(Knobs(), 7, "To be", [("", "1200"), ("", ""), ("hamlet-\x1b2", "best")])
    assert [weights.name(at) for at in range(3)] == ["step 1,200", "live", "hamlet-␛2"]
    live, saved = LaneOpened(10, None, True), LaneOpened(1200, 1.5)
    assert plan.rest(0, live, 55, "loss 1.5") == ["step 55", "loss 1.5"]
    assert seeds.rest(0, live, 55, "") == ["T 0.80", "step 55"]
    assert weights.rest(0, saved, 55, "loss 1.5") == ["loss 1.5"]
    assert weights.rest(2, saved, 55, "loss 1.5") == ["step 1,200", "loss 1.5"]


def test_lanes_are_added_and_taken_away() -> None:
    plan = by_temperature(Knobs(), 7, "")
    for _ in range(20):
        plan = plan.with_one_more(0)
    assert temperatures(plan)[:5] == [0.4, 0.8, 1.2, 1.6, 2.0]
    assert len(plan.wishes) == MOST_LANES
    assert all(0.05 <= one <= 2.0 for one in temperatures(plan))
    for _ in range(20):
        plan = plan.without(1)
    assert temperatures(plan) == [0.4]
    assert [wish.seed for wish in by_seed(Knobs(), 7, "").with_one_more(0).wishes] == [7, 8, 9, 10]


def test_new_seeds_are_new_and_equal_ones_stay_equal() -> None:
    assert {wish.seed for wish in by_temperature(Knobs(), 7, "").with_new_seeds().wishes} == {8}
    assert [wish.seed for wish in by_seed(Knobs(), 7, "").with_new_seeds().wishes] == [10, 11, 12]


@given(st.lists(st.integers(0, 10**9), unique=True).map(sorted), st.integers(1, 12))
def test_checkpoints_to_begin_with_are_spread_and_the_first_is_among_them(steps: list[int], count: int) -> None:
    found = spread(steps, count)
    assert len(found) == min(len(steps), count)
    assert found == sorted(set(found))
    assert not steps or found[0] == steps[0]


@pytest.mark.parametrize(("columns", "lanes"), [(118, 5), (78, 3), (58, 2), (30, 1), (3, 1), (300, 12)])
def test_so_many_lanes_stand_side_by_side(columns: int, lanes: int) -> None:
    found = in_sight(12, columns)
    assert found == lanes
    assert found == 1 or (columns - 3 * (found - 1)) // found >= LEAST_WIDTH


# ---- the text ------------------------------------------------------------------------------------------------


def rows(text: LaneText, height: int) -> list[str]:
    return ["".join(part for part, _ in text.row(y)).rstrip() for y in range(height)]


@given(
    st.text(alphabet="ab  \n中é\u0301\t", max_size=60),
    st.lists(st.text(alphabet="abc   \n中e\u0301", max_size=9), max_size=20),
    st.integers(2, 14),
)
def test_text_that_comes_in_pieces_is_wrapped_as_the_whole_is(prime: str, pieces: list[str], columns: int) -> None:
    text = LaneText(prime, columns, 400)
    for piece in pieces:
        text.add(piece)
    whole = LaneText(prime + "".join(pieces), columns, 400)
    assert rows(text, 400) == rows(whole, 400)
    assert text.said == prime + "".join(pieces)
    assert all(width(row) <= columns for row in rows(text, 400))
    again = LaneText(prime, columns + 3, 400)
    for piece in pieces:
        again.add(piece)
    again.fit(columns, 400)
    assert rows(again, 400) == rows(text, 400)


def test_a_lane_is_wrapped_after_words_as_other_text_is() -> None:
    text = LaneText("It was the best of times,", 12, 30)
    for character in " it was the worst of times,\nit was the age of wisdom" * 3:
        text.add(character)
    wanted = wrap("It was the best of times," + " it was the worst of times,\nit was the age of wisdom" * 3, 12)
    assert rows(text, len(wanted)) == [row.rstrip() for row in wanted]


def test_only_rows_that_changed_are_drawn_and_a_full_column_moves_up_by_half() -> None:
    text = LaneText("", 10, 8)
    assert text.take_changed() == (0, 8)
    text.add("one two")
    assert text.take_changed() == (0, 1)
    text.add(" three")
    assert text.take_changed() == (0, 2)
    text.add("s")
    assert text.take_changed() == (1, 2)
    assert text.take_changed() == (0, 0)
    for number in range(4, 9):
        text.add(f"\nline {number}")
    assert text.top == 0
    text.take_changed()
    text.add("\nlast")
    text.add("\nover")
    assert text.top > 0
    assert text.take_changed() == (0, 8)
    assert rows(text, 8)[3] == "over"
    assert not text.scroll(-1)  # the end is in sight
    assert text.scroll(-9)
    top = text.top
    text.add("\nmore", follow=False)
    assert text.top == top
    text.follow()
    assert "more" in rows(text, 8)


def test_a_lane_that_goes_on_for_days_is_bounded() -> None:
    text = LaneText("prime", 10, 8)
    for _ in range(100):
        text.add("nine of ten\n" * 100)
    assert len(text) <= 3_000
    assert text.characters <= 120_000
    text.add("\nthe end")
    assert "the end" in rows(text, 8)
    text.fit(20, 8)
    assert "the end" in rows(text, 8)
    assert len(text) >= min(KEPT_ROWS, 1000)


# ---- the screen ----------------------------------------------------------------------------------------------


class FakeLanes:
    """Stands in for the engine's lanes: opens what is asked for, and writes when it is told to."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.opened: list[LaneOpened] | None = None
        self.listed = CheckpointsListed(
            [SavedStep(100, 2.5), SavedStep(400, None)], [OtherRun("hamlet-2", "hamlet", 1.43, 5000)]
        )

    def answers(self, message: Any) -> Iterable[EngineMessage]:
        if isinstance(message, OpenLanes | TuneLanes | CloseLanes | ListCheckpoints):
            self.asked.append(message)
        if isinstance(message, OpenLanes):
            yield LanesOpened(message.number, self.opened or [LaneOpened(12, None, True) for _ in message.lanes])
        elif isinstance(message, ListCheckpoints):
            yield self.listed

    def last(self, kind: type[Any]) -> Any:
        return next(message for message in reversed(self.asked) if isinstance(message, kind))

    def wishes(self) -> list[LaneWish]:
        return list(self.last(OpenLanes).lanes)


def write(one: Bench, fake: FakeLanes, *pieces: str, step: int = 12) -> None:
    one.engine.say(LanesText(fake.last(OpenLanes).number, step, list(pieces)))


def with_lanes(
    test: Callable[[Bench, FakeLanes], Coroutine[Any, Any, None]], size: tuple[int, int] = (120, 34)
) -> None:
    async def whole() -> None:
        fake = FakeLanes()
        async with bench(size=size, library=fake) as one:
            await one.until(lambda: one.app.session.model is not None)
            await one.press("b")
            await one.until(lambda: isinstance(one.app.screen, LanesScreen) and fake.asked)
            await test(one, fake)

    run(whole)


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16), (40, 10), (20, 6)])
def test_lanes_stand_side_by_side_at_any_size(size: tuple[int, int]) -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        assert temperatures_of(fake) == [0.4, 0.8, 1.2]
        write(one, fake, " alpha", " beta", " gamma", step=77)
        count = in_sight(3, one.app.screen.query_one("#lane-columns").size.width - 2)
        words = ["alpha", "beta", "gamma"][:count]
        await one.shows(*words, "T 0.40")
        if size[1] >= 16:
            await one.shows("step 77", "prime", "esc back")
        if size[1] >= 22:
            await one.shows("Every lane writes on from the same prime")
        assert all(width(line) <= size[0] for line in one.lines())
        await one.press("right", "right")
        await one.shows("▸ T 1.20", "gamma")

    with_lanes(test, size)


def temperatures_of(fake: FakeLanes) -> list[float]:
    return [wish.knobs.temperature for wish in fake.wishes()]


def test_keys_change_the_lanes() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        await one.press("a")
        await one.until(lambda: temperatures_of(fake) == [0.4, 0.8, 1.2, 1.6])
        await one.shows("▸ T 1.60")
        await one.press("plus", "plus", "minus")
        await one.until(lambda: [k.temperature for k in fake.last(TuneLanes).knobs] == [0.4, 0.8, 1.2, 1.65])
        await one.shows("▸ T 1.65")
        await one.press("k", "n")
        await one.until(lambda: fake.last(TuneLanes).knobs[3] == Knobs(temperature=1.65, top_k=40, min_p=0.02))
        await one.press("x")
        await one.until(lambda: temperatures_of(fake) == [0.4, 0.8, 1.2])
        seed = fake.wishes()[0].seed
        await one.press("r")
        await one.until(lambda: {wish.seed for wish in fake.wishes()} == {seed + 1})
        await one.press("s")
        await one.until(lambda: [wish.seed for wish in fake.wishes()] == [seed + 1, seed + 2, seed + 3])
        await one.press("t", "left", "left", "enter")
        await one.until(lambda: one.sent(SetKnobs) and one.sent(SetKnobs)[-1].knobs.temperature == 0.4)
        await one.shows("The stream takes the knobs of this lane: T 0.40.")
        await one.press("h")
        await one.until(lambda: fake.last(TuneLanes).held)
        await one.shows("held still")
        await one.press("h")
        await one.until(lambda: not fake.last(TuneLanes).held)
        await one.press("space", "right_square_bracket")
        await one.until(lambda: one.sent(SetPaused) and one.sent(SetPace))
        await one.press("l", "z", "comma", "tab")  # what they change is covered
        assert isinstance(one.app.screen, LanesScreen)
        await one.press("escape")
        await one.until(lambda: isinstance(fake.asked[-1], CloseLanes))
        assert not isinstance(one.app.screen, LanesScreen)
        await one.press("b")
        await one.until(lambda: isinstance(fake.asked[-1], OpenLanes))
        assert temperatures_of(fake) == [0.4, 0.8, 1.2]
        await one.press("b")
        await one.until(lambda: isinstance(fake.asked[-1], CloseLanes))

    with_lanes(test)


def test_checkpoints_and_runs_are_chosen_from_a_list() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        await one.press("c")
        await one.shows(
            "[x] step 100", "2.500", "[x] step 400", "[x] live", "[ ] hamlet-2 · hamlet, best at step 5,000"
        )
        await one.press("space", "end", "space", "enter")
        await one.until(lambda: len(fake.asked) > 2)
        found = [(wish.run, wish.checkpoint) for wish in fake.wishes()]
        assert found == [("", "400"), ("", ""), ("hamlet-2", "best")]
        await one.shows("step 400", "live", "hamlet-2")
        await one.press("a")  # the list again, with what is there chosen
        await one.shows("[ ] step 100", "[x] hamlet-2")
        count = len([message for message in fake.asked if isinstance(message, OpenLanes)])
        await one.press("escape", "h")
        await one.until(lambda: isinstance(fake.asked[-1], TuneLanes))
        assert len([message for message in fake.asked if isinstance(message, OpenLanes)]) == count

    with_lanes(test)


def test_a_lane_that_cannot_be_says_why_and_the_others_go_on() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        fake.opened = [LaneOpened(9, 1.5), LaneOpened(problem="The checkpoint \x1b is damaged."), LaneOpened(7, None)]
        await one.press("r")
        write(one, fake, " alpha", "", " gamma")
        await one.shows("The checkpoint ␛ is damaged.", "alpha", "gamma")
        fake.opened = [LaneOpened(9, unknown="☃"), LaneOpened(9), LaneOpened(9)]
        await one.press("r")
        await one.shows("Left out of the prime where a model does not know it: ☃")
        one.engine.say(LanesEnded(fake.last(OpenLanes).number, "It cannot be."))
        await one.shows("It cannot be.")
        one.engine.say(Notice("warning", "Something else."))
        await one.shows("Something else.")

    with_lanes(test)


def test_the_prime_of_all_lanes_is_edited() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        await one.press("p", "ctrl+u", "q", "u", "o")
        await one.shows("enter starts all", "esc leave")
        assert "esc back" not in one.screen()
        await one.press("enter")
        await one.until(lambda: fake.last(OpenLanes).prime.endswith("quo"))
        await one.shows("quo")
        before = len(fake.asked)
        await one.press("p", "x", "escape", "h")
        await one.until(lambda: len(fake.asked) > before)
        assert isinstance(fake.asked[-1], TuneLanes)
        assert one.app.panes.stream.text.transcript.characters  # the stream's own prime was left alone
        one.app.screen._input.value = "a" * (LONGEST_PRIME + 1)
        await one.press("p")
        one.app.screen._input.value = "a" * (LONGEST_PRIME + 1)
        await one.press("enter")
        await one.shows("shorten the prime")

    with_lanes(test)


def test_all_lanes_are_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        copied: list[str] = []
        monkeypatch.setattr(one.app, "_copy", copied.append)
        await one.press("y")
        await one.shows("There is no text to copy yet.")
        write(one, fake, " alpha", " beta", " gamma")
        await one.shows("gamma")
        await one.press("y")
        (text,) = copied
        assert "── T 0.40 · step 12" in text
        assert all(word in text for word in ("To be alpha", "To be beta", "To be gamma"))

    with_lanes(test)


def test_text_is_followed_unless_somebody_scrolls() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        write(one, fake, *["".join(f"\nline {number}" for number in range(90))] * 3)
        await one.shows("line 89")
        await one.press("pageup", "pageup", "pageup")
        await one.shows("following off")
        assert "line 89" not in one.screen()
        write(one, fake, "\nnew", "\nnew", "\nnew")
        await one.pilot.pause(0.3)
        assert "new" not in one.screen()
        await one.press("f")
        await one.shows("new")
        assert "following off" not in one.screen()

    with_lanes(test)


def test_help_is_two_sentences_and_then_all_keys() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        assert "same prime" not in one.screen()
        await one.press("question_mark")
        await one.shows("Every lane writes on from the same prime")
        await one.press("question_mark")
        await one.shows("Help", "Lanes, while they are on the screen")

    with_lanes(test, (60, 16))
    for plan in (by_temperature(Knobs(), 1, ""), by_seed(Knobs(), 1, ""), by_weights(Knobs(), 1, "", [("", "")])):
        assert plan.explained.count(". ") == 1
        assert plan.explained.endswith(".")


def test_before_there_is_a_corpus_a_sentence_says_so() -> None:
    async def whole() -> None:
        async with bench(load_seconds=0.0) as one:
            one.app.session.corpus = None
            one.app.action_lanes()
            await one.shows("lanes can be opened in a moment")
            one.app.session.connected = False
            one.app.action_lane("seeds")
            await one.shows("The engine has gone; enter starts it again")

    run(whole)


def test_the_palette_does_what_the_keys_do() -> None:
    async def whole() -> None:
        fake = FakeLanes()
        async with bench(library=fake) as one:
            await one.until(lambda: one.app.session.model is not None)
            key = next(key for key in one.app.table if key.id == "lanes-seeds")
            await one.app.perform(key)
            await one.until(lambda: fake.asked and len({wish.seed for wish in fake.wishes()}) == 3)
            await one.app.perform(next(key for key in one.app.table if key.id == "lanes-close"))
            await one.until(lambda: isinstance(fake.asked[-1], CloseLanes))

    run(whole)


# ---- in lines ------------------------------------------------------------------------------------------------


def test_lanes_can_be_heard_one_after_the_other() -> None:
    async def whole() -> None:
        fake = FakeLanes()
        async with conversation(FakeEngine(library=fake)) as (one, _, _):
            await one.hears("The model is")
            one.speaking.obey("lanes 0.4 1.2")
            await one.hears("2 lanes begin")
            await one.until(lambda: fake.asked)
            assert temperatures_of(fake) == [0.4, 1.2]
            number = fake.last(OpenLanes).number
            one.engine.say(LanesText(number, 1, ["a" * 70 + "\n", "b" * 71]), LanesText(number, 1, ["c" * 60] * 2))
            await one.hears(f"T 0.40: {'a' * 70} {'c' * 49}", f"T 1.20: {'b' * 71}{'c' * 49}")
            await one.until(lambda: isinstance(fake.asked[-1], TuneLanes) and fake.asked[-1].held)
            one.speaking.obey("lanes")
            await one.until(lambda: not fake.asked[-1].held)
            one.engine.say(LanesText(number, 1, ["d" * 200] * 2))
            await one.hears("T 0.40: " + "c" * 11 + "d" * 109)
            one.speaking.obey("lanes off")
            await one.until(lambda: isinstance(fake.asked[-1], CloseLanes))
            for wrong, words in (
                ("lanes warm", "wants a number"),
                ("lanes 3", "2 at most"),
                ("lanes " + "1 " * 13, "12 lanes at most"),
            ):
                one.speaking.obey(wrong)
                await one.hears(words)
            one.speaking.obey("pace 0")
            await one.until(lambda: one.speaking.session.pace == 0)
            one.speaking.obey("b")
            await one.hears("The stream stands still")

    run(whole)


def test_any_size_and_any_number_of_lanes_is_drawn() -> None:
    """Also one that was made smaller in the middle of a word, with characters two cells wide."""

    async def test(one: Bench, fake: FakeLanes) -> None:
        for number, size in enumerate([(200, 50), (61, 17), (33, 9), (12, 4), (5, 3), (80, 24), (120, 34)]):
            await one.pilot.resize_terminal(*size)
            await one.press("a", "right")
            await one.until(lambda number=number: len(fake.wishes()) >= min(12, number + 4))
            write(one, fake, *[" 中文 wide\n and ☃\u0301 " * 5] * len(fake.wishes()))
            await one.pilot.pause(0.15)
            assert all(width(line) <= size[0] for line in one.lines())
            columns = one.app.screen.query_one("#lane-columns")
            assert columns.chosen in columns.shown
        await one.shows("中文 wide", "lanes 6 to 10 of 10")

    with_lanes(test)


def test_lanes_begin_again_when_another_engine_took_over() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        one.app.session.connected = False
        await one.shows("the engine has gone")
        before = fake.last(OpenLanes).number
        one.app.session.connected = True
        await one.until(lambda: fake.last(OpenLanes).number > before)

    with_lanes(test)


def test_lanes_go_when_another_run_is_opened_over_them() -> None:
    async def test(one: Bench, fake: FakeLanes) -> None:
        one.app.session = Session(one.app._send)
        await one.until(lambda: not isinstance(one.app.screen, LanesScreen))
        assert one.app._lanes_last is None

    with_lanes(test)
