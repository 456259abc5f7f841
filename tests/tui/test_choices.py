"""Looking behind the stream's characters: the cursor, the candidates, taking another, the tree, and the lens."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from charrnn.config import Knobs
from charrnn.engine.choice_messages import GoToEnd, StepStream, TakeInstead, UndoGoingBack
from charrnn.engine.messages import ClientMessage, Generated, RestartStream, Text
from charrnn.engine.questions.choice import (
    AskChoice,
    CandidateTold,
    ChoiceTold,
    HoldStream,
    SurpriseKnown,
    WatchSurprise,
)
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_speaking import conversation
from tests.tui.test_workbench import Bench, bench, run
from tui import keys
from tui.choice_rows import HELP, candidates_of, in_words, rows_of
from tui.lenses import UNKNOWN
from tui.settings import Settings
from tui.stream_surprise import KEPT, SurpriseLens, level_of_byte
from tui.terminal import width

LIKELY = "eaoiu nrst"


def told(number: int = 1, position: int = 60, **changes: Any) -> ChoiceTold:
    candidates = [
        CandidateTold(token, text, token + 1, 0.5 / 2**token, 0.6 / 2**token * (token < 6), "top-k" * (token > 5))
        for token, text in enumerate(LIKELY)
    ]
    made = ChoiceTold(
        number=number,
        position=position,
        first=position,
        end=position + 1,
        place=1234,
        candidates=candidates,
        taken=candidates[1],
        entropy_before=1.83,
        entropy_after=1.2,
        left=6,
        known=65,
        knobs=Knobs(temperature=0.7, top_k=6),
        step=5600,
    )
    return msgspec.structs.replace(made, **changes)


class Answering(FakeEngine):
    """Holds the stream, and answers with the same candidates at every place."""

    problem = ""

    def _obey(self, message: ClientMessage) -> None:
        match message:
            case AskChoice(number, position):
                taken = None if position == self._position else told().taken
                self.say(told(number, position, taken=taken, problem=self.problem))
            case HoldStream(on):
                self.pace_before = self.status.pace or self.pace_before
                self.change(held=on, pace=0.0 if on else self.pace_before)
            case StepStream():
                self.say(Text([self._piece("x", prime=False)]))
            case TakeInstead(position, token):
                self.go_back(position, LIKELY[token], 77)
            case WatchSurprise(True):
                self.say(SurpriseKnown(0, bytes([0, 16, 32, 64, 96, 255]) * 20))
            case _:
                super()._obey(message)

    pace_before = 50.0

    def go_back(self, after: int, text: str, seed: int) -> None:
        piece = Generated(self._position, text, self.status.knobs, self._stream, seed, False, 1, after)
        self._position += len(text)
        self.say(Text([piece]))


@pytest.fixture(autouse=True)
def answering(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.tui.test_workbench.FakeEngine", Answering)


async def opened(one: Bench) -> None:
    await one.until(lambda: one.app.panes.stream.text.transcript.branches.end > 60)
    await one.press("i")
    await one.shows("token 1,234", "held still")


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16)])
@pytest.mark.parametrize("charset", ["utf-8", "ascii"])
def test_the_choice_is_shown_at_every_size(size: tuple[int, int], charset: str) -> None:
    async def test() -> None:
        async with bench(size, Settings(charset=charset)) as one:
            await opened(one)
            await one.shows("before", "after", "25.0 %", "30.0 %", "entropy 1.83")
            lines = one.lines()
            assert all(width(line) == size[0] for line in lines)
            if size[0] >= 80:
                await one.shows("0.1 %", "bits")
                assert sum("top-k" in line for line in lines) >= 5
            await one.press("question_mark")
            await one.shows("Each row is a", "from there.")
            await one.press("question_mark")
            await one.shows("before")
            await one.press("escape")
            await one.until(lambda: "before" not in one.screen())
            assert one.sent(HoldStream) == [HoldStream(True), HoldStream(False)]
            assert one.app.panes.zoomed is None

    run(test)


def test_the_cursor_goes_through_the_text() -> None:
    async def test() -> None:
        async with bench(pace=500.0) as one:
            await one.until(lambda: one.app.panes.stream.text.row_count() > 5)
            await opened(one)
            text = one.app.panes.stream.text
            end = text.transcript.branches.end
            assert text.position == end - 1
            await one.press("left", "left")
            assert text.position == end - 3
            await one.press("right", "right", "right")
            await one.shows("comes next")
            assert text.position == end
            await one.press("right")
            assert text.position == end
            await one.press("home")
            assert text.position == 0
            await one.press("left")
            assert text.position == 0
            row = text.find(0)[0]
            await one.press("down")
            assert text.find(text.position)[0] > row
            await one.press("up")
            assert text.position == 0
            await one.press("end")
            assert text.position == end - 1
            where = text.region
            at = text.find(4)[0] - text.top
            await one.pilot.click("#stream-text", offset=(1 + 1 + 2, at))
            await one.pilot.pause()
            assert text.transcript.positions(text.find(text.position)[0]).index(text.position) in (1, 2, 3)
            assert where.width == text.region.width
            assert not one.app.panes.stream.text.following

    run(test)


def test_another_candidate_is_taken_and_the_stream_goes_on_from_there() -> None:
    async def test() -> None:
        async with bench() as one:
            await opened(one)
            text = one.app.panes.stream.text
            await one.press("left", "left", "left")
            place = text.position
            await one.until(lambda: text.told is not None and text.told.position == place)
            await one.press("tab")
            assert text.candidate == 2
            await one.press("shift+tab", "shift+tab", "enter")
            await one.until(lambda: one.sent(TakeInstead) == [TakeInstead(place, 0)])
            assert one.sent(HoldStream)[-1] == HoldStream(False)
            await one.shows("⟨←⟩e", "streaming")
            said = text.transcript.said()
            assert said[place] == "e"
            await one.until(lambda: len(text.transcript.said()) > place + 20)
            await one.until(lambda: text.position > place + 10)  # the cursor goes with it
            await one.press("s")
            await one.until(lambda: one.sent(StepStream))
            await one.shows("held still")
            await one.press("u")
            await one.press("U")
            await one.until(lambda: one.sent(UndoGoingBack) == [UndoGoingBack(), UndoGoingBack(redo=True)])
            await one.press("t")
            await one.shows("Branches of the stream", "seed 77", "Enter goes to the end")
            await one.press("up", "enter")
            await one.until(lambda: one.sent(GoToEnd))
            assert text.transcript.branches.branch_at(one.sent(GoToEnd)[0].position).seed == 1
            await one.press("i")
            await one.until(lambda: not text.choosing)

    run(test)


def test_a_step_brings_the_cursor_to_what_it_made() -> None:
    async def test() -> None:
        async with bench() as one:
            await opened(one)
            text = one.app.panes.stream.text
            await one.press("left", "left")
            end = text.transcript.branches.end
            await one.press("s")
            await one.until(lambda: text.position == end)
            assert text.held

    run(test)


@pytest.mark.parametrize("key", ["r", "p"])
def test_starting_again_and_the_prime_end_it(key: str) -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            await opened(one)
            await one.press(key)
            await one.until(lambda: not one.app.panes.stream.text.choosing)
            assert one.sent(HoldStream)[-1] == HoldStream(False)
            assert one.app.panes.stream.input.is_open == (key == "p")
            assert bool(one.sent(RestartStream)) == (key == "r")

    run(test)


def test_what_there_is_no_choice_behind_is_said_in_the_panel() -> None:
    async def test() -> None:
        async with bench(problem="") as one:
            await opened(one)
            one.engine.problem = "That place has left the window of the last 10,000; choose a newer one."  # type: ignore[attr-defined]
            await one.press("home")
            await one.shows("That place has left")
            await one.press("enter", "tab")
            assert not one.sent(TakeInstead)

    class Told(Answering):
        def __init__(self, problem: str = "", **options: Any) -> None:
            super().__init__(**options)
            self.problem = problem

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tests.tui.test_workbench.FakeEngine", Told)
        run(test)


def test_without_an_engine_there_is_a_sentence() -> None:
    async def test() -> None:
        async with bench() as one:
            one.app.session.connected = False
            await one.press("i")
            await one.shows("The engine has gone, and with it")
            assert not one.app.panes.stream.text.choosing

    run(test)


def test_every_key_of_it_is_in_the_palette_and_opens_it() -> None:
    async def test() -> None:
        async with bench() as one:
            commands = {key.id for key in one.app.commands()}
            inside = [key for key in keys.TABLE if key.pane == "choice"]
            assert {key.id for key in inside} <= commands
            await one.app.perform(next(key for key in inside if key.id == "choice-step"))
            await one.until(lambda: one.sent(StepStream))
            assert one.app.panes.stream.text.choosing

    run(test)


def test_keys_mean_what_they_meant_before_and_after_it() -> None:
    async def test() -> None:
        async with bench() as one:
            before = one.app.chart_view.unit
            await one.press("u")
            assert one.app.chart_view.unit != before
            await opened(one)
            now = one.app.chart_view.unit
            await one.press("u")
            await one.until(lambda: one.sent(UndoGoingBack))
            assert one.app.chart_view.unit == now
            await one.press("escape", "u")
            assert one.app.chart_view.unit != now

    run(test)


def test_the_lens_colours_what_is_known_and_is_paid_for_only_while_it_is_on() -> None:
    async def test() -> None:
        async with bench() as one:
            assert not one.sent(WatchSurprise)
            await one.press("v")
            await one.shows("surprise", "expected", "startling")
            lens = one.app.panes.stream.text.surprise
            await one.until(lambda: list(lens.levels(0, 6)) == [0, 1, 2, 3, 4, UNKNOWN])
            for _ in one.app.lenses:
                await one.press("v")
            await one.until(lambda: one.sent(WatchSurprise) == [WatchSurprise(True), WatchSurprise(False)])
            await one.shows("The stream without a lens.")

    run(test)


def test_surprise_is_kept_by_position_within_bounds() -> None:
    lens = SurpriseLens()
    assert list(lens.levels(0, 3)) == [UNKNOWN] * 3
    lens.put(10, bytes([0, 255, 250]))
    lens.put(15, bytes([16]))
    lens.put(8, bytes([0]))
    assert list(lens.levels(7, 18)) == [UNKNOWN, 0, UNKNOWN, 0, UNKNOWN, 4, UNKNOWN, UNKNOWN, 1, UNKNOWN, UNKNOWN]
    lens.take(
        [
            Generated(20, "ab", Knobs(), 1, 1, False, 1, None, bytes([40, 80])),
            Generated(22, "c", Knobs(), 1, 1, False, 1),
        ]
    )
    assert list(lens.levels(20, 23)) == [2, 4, UNKNOWN]
    for _ in range(3):
        lens.put(lens._first + len(lens._bytes), bytes(KEPT // 2))
    assert len(lens._bytes) <= 1.1 * KEPT
    lens.put(10 * KEPT, b"\x00")
    assert list(lens.levels(10 * KEPT, 10 * KEPT + 1)) == [0]
    assert level_of_byte(0) == 0


@pytest.mark.parametrize("columns", [8, 20, 33, 44, 54, 78, 118])
@pytest.mark.parametrize("rows", [1, 2, 5, 8, 13, 30])
def test_the_rows_fit_any_room(columns: int, rows: int) -> None:
    rare = CandidateTold(60, "a long word \x1b[31m", 50, 1e-9, 0.0, "min-p")
    wide = told(candidates=[CandidateTold(0, "漢字", 1, 0.9, 1.0, ""), *told().candidates[1:]], taken=rare, now=True)
    for one in (told(), wide, None, told(problem="That was given as its prime."), told(knobs=Knobs(greedy=True))):
        for explained in (False, True):
            for at in (0, 10):
                made = rows_of(one, at, columns, rows, explained=explained)
                assert 1 <= len(made) <= rows
                for row in made:
                    assert sum(width(text) for text, _ in row) <= columns
                    assert "\x1b" not in "".join(text for text, _ in row)
    assert len(candidates_of(wide)) == 11
    marked = ["".join(text for text, _ in row) for row in rows_of(wide, 10, columns, rows)]
    assert sum("▸" in row for row in marked) == 1
    assert HELP.count(". ") == 1
    assert HELP.endswith(".")


def test_it_is_said_in_words_and_obeyed_in_lines() -> None:
    async def test() -> None:
        async with conversation(Answering(pace=500.0)) as (one, _, _):
            await one.until(lambda: one.speaking.transcript.branches.end > 30)
            one.speaking.obey("take 2")
            await one.hears("There is nothing to take yet")
            one.speaking.obey("pace 0")
            one.speaking.obey("choice 3")
            await one.hears(
                "At 'a' it took number 2 of 65, 25.0 % and 30.0 %", "1 'e' 50.0 % and 60.0 %", "removed by top-k"
            )
            assert one.speaking.choice is not None
            place = one.speaking.choice.first
            one.speaking.obey("take 99")
            await one.hears("There are the candidates 1 to 10")
            one.speaking.obey("take 1")
            await one.until(lambda: TakeInstead(place, 0) in one.engine.received)
            one.speaking.obey("undo")
            one.speaking.obey("redo")
            one.speaking.obey("step")
            await one.until(lambda: StepStream() in one.engine.received)
            assert [m for m in one.engine.received if isinstance(m, UndoGoingBack)] == [
                UndoGoingBack(),
                UndoGoingBack(redo=True),
            ]
            for wrong in ("choice x", "choice 999999999", "take"):
                one.speaking.obey(wrong)
            await one.hears("wants the number of a character", "has only", "There are the candidates")

    run(test)


def test_what_comes_next_is_said_too() -> None:
    assert in_words(told(taken=None)).startswith("What comes next. The likeliest")
    assert "as the model sees it now" in in_words(told(now=True))
    assert in_words(told(problem="No.")) == "No."
