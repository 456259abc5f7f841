"""A text under the model's eyes: typed, pasted, coloured, asked about; the corpus likewise, and its passages."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from array import array
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from charrnn.engine.messages import ClientMessage, EngineMessage
from charrnn.engine.questions.reading import (
    AROUND,
    LONGEST_TEXT,
    CorpusSeen,
    PassageRated,
    PassagesRated,
    RatePassages,
    Spot,
    TextSeen,
    WatchCorpus,
    WatchText,
)
from charrnn.insight.levels import UNKNOWN, level_of
from tests.tui.fake_corpus import FakeCorpus
from tests.tui.fake_engine import corpus
from tests.tui.test_corpus_pane import HELD_OUT_AT, TEXT
from tests.tui.test_speaking import conversation
from tests.tui.test_workbench import Bench, bench, run
from tui.lenses import SHADES
from tui.screens.passages import PassagesScreen
from tui.screens.reading import ReadingScreen
from tui.screens.reading_panel import bar, percent, spot_row
from tui.screens.typed_text import STRANGE
from tui.terminal import width
from tui.text_surprise import SurpriseLens
from tui.typed import Typed


def cost(character: str) -> float:
    """What the fake model makes of a character: of an x it would never have thought."""
    return {"x": 6.0, "y": 4.0}.get(character, 0.1)


class FakeReader(FakeCorpus):
    """Reads texts as an engine does; ☃ is what it does not know. `hold` keeps its answers back."""

    def __init__(self, text: str = TEXT) -> None:
        super().__init__(text)
        self.step, self.hold = 100, False
        self.questions: list[Any] = []

    def answers(self, message: ClientMessage) -> list[EngineMessage]:
        if isinstance(message, WatchText | WatchCorpus | RatePassages):
            self.questions.append(message)
            return [] if self.hold else self.of(message)
        return super().answers(message)

    def of(self, message: Any) -> list[EngineMessage]:
        match message:
            case WatchText(number, text, at) if text:
                nats = array(
                    "f", [math.nan if one == "☃" or not place else cost(one) for place, one in enumerate(text)]
                )
                first = max(0, at - AROUND)
                expected = [[("e", 0.5), (" ", 0.25), ("x", 0.0025)] if place else [] for place in range(len(text) + 1)]
                spots = [Spot(place, nats[place], "e", 0.5) for place, one in enumerate(text) if place and one in "xy"]
                spots.sort(key=lambda spot: -spot.nats)
                unknown = "☃" if "☃" in text else ""
                around = expected[first : at + AROUND]
                return [TextSeen(number, self.step, nats.tobytes(), first, around, spots, unknown)]
            case WatchCorpus(number, first, end) if end > first:
                costs = array("f", map(cost, self.text[first:end]))
                return [CorpusSeen(number, self.step, first, costs.tobytes())]
            case RatePassages(number, True):
                rated = [
                    PassageRated(HELD_OUT_AT + at, 3.0 - at / 100, self.text[HELD_OUT_AT + at :][:40]) for at in (0, 40)
                ]
                half = PassagesRated(number, self.step, 50, 100, 200, rated[:1], rated[1:])
                return [half, PassagesRated(number, self.step, 100, 100, 200, rated, rated[::-1])]
            case _:
                return []

    def asks(self, kind: type) -> list[Any]:
        return [question for question in self.questions if isinstance(question, kind)]


@contextlib.asynccontextmanager
async def reading(
    size: tuple[int, int] = (120, 34), text: str = ""
) -> AsyncIterator[tuple[Bench, ReadingScreen, FakeReader]]:
    """The workbench with the screen on which a text is read."""
    async with bench(size, library=FakeReader()) as one:
        await one.press("j")
        await one.until(lambda: isinstance(one.app.screen, ReadingScreen))
        screen = one.app.screen
        assert isinstance(screen, ReadingScreen)
        await one.until(lambda: screen.text.has_focus)
        if text:
            await paste(one, text)
        yield one, screen, one.engine.library


async def paste(one: Bench, text: str) -> None:
    one.app.screen.focused.post_message(events.Paste(text))
    await one.pilot.pause(0.05)


# ---- the screen ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16)])
def test_what_is_typed_is_asked_about_and_shown_with_what_was_expected(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with reading(size) as (one, screen, reader):
            await one.shows("Type or paste a text", "nothing to expect from yet", "esc closes")
            await one.press("T", "h", "e", "enter", "q", "x", "space", "1")
            assert screen.typed.text == "The\nqx 1"  # letters, and what elsewhere quits
            await one.until(lambda: screen.seen is not None and screen.seen.number == screen._number)
            mean = (5 * 0.1 + 0.1 + 6.0) / 7
            await one.shows(f"{mean:.2f} nats", f"{mean / math.log(2):.2f} bits", "next it expects", "50 %", "step 100")
            await one.press("left", "left", "left")
            await one.shows("x cost 6.00 nats: 0.2 %", "▸x")
            if size[1] >= 20:
                await one.shows("Each character is coloured by its surprise", "for e 50 %")
            else:
                await one.press("f1")
                await one.shows("Each character is coloured by its surprise")
            assert all(width(line) == size[0] for line in one.lines())
            await one.press("escape")
            await one.until(lambda: not isinstance(one.app.screen, ReadingScreen))
            await one.until(lambda: reader.asks(WatchText)[-1].text == "")  # closed: nothing more is read
            await one.press("j")
            await one.shows("qx 1")  # the text is kept

    run(test)


def test_the_colours_are_the_levels_and_stay_with_their_characters() -> None:
    async def test() -> None:
        async with reading(text="abxc\ndy☃") as (one, screen, reader):
            await one.until(lambda: screen.seen is not None)
            await one.press("home")  # the cursor is on d, and not on what is looked at

            def styles() -> dict[str, Any]:
                rows = [*screen.text.row_segments(0), *screen.text.row_segments(1)]
                return {character: style for text, style in rows for character in text}

            assert (styles()["x"], styles()["y"], styles()["b"]) == (SHADES[4], SHADES[3], SHADES[0])
            assert styles()["☃"] == STRANGE
            await one.shows("unknown: ☃ snowman")
            await one.press("end", "left")
            await one.shows("is not in its alphabet", "snowman")
            reader.hold = True
            screen.text.go(0)
            await one.press("b")  # before the answer the colours go along with their characters
            assert screen.typed.text.startswith("babxc")
            assert styles()["x"] == SHADES[4]
            await one.press("f2")
            await one.shows("no lens")
            assert styles()["x"] not in SHADES[2:]
            await one.press("f2")
            await one.shows("surprise", "startling")
            assert styles()["x"] == SHADES[4]

    run(test)


def test_a_lens_of_somebody_else_is_told_the_text_and_looked_through() -> None:
    class Vowels:
        name, styles, legend = "vowels", SHADES, ()
        text = "nothing"

        def text_is(self, text: str) -> None:
            self.text = text

        def levels(self, first: int, end: int) -> list[int]:
            return [4 * (one in "aeiou") for one in self.text[first:end]]

    async def test() -> None:
        async with reading() as (one, screen, _):
            other = Vowels()
            screen.lenses.append(other)
            await one.press("b", "a", "d")
            await one.until(lambda: other.text == "bad")
            await one.press("tab", "v")
            await one.shows("vowels")
            assert ("a", SHADES[4]) in screen.text.row_segments(0)
            await one.press("escape")
            await one.until(lambda: other.text == "")

    run(test)


def test_spots_are_gone_to_and_changes_undone() -> None:
    async def test() -> None:
        async with reading(text="one x and a y, " * 3) as (one, screen, _):
            await one.until(lambda: screen.spots.rows)
            await one.press("ctrl+home", "f3")
            assert screen.typed.cursor == 4
            await one.press("f3", "f3")
            assert screen.typed.cursor == 19
            await one.press("tab", "down", "enter")
            assert screen.typed.cursor == screen.seen.spots[1].at
            assert screen.text.has_focus
            await one.press("ctrl+x")
            assert screen.typed.text == ""
            await one.shows("Type or paste a text")
            await one.press("ctrl+u")
            assert screen.typed.text == "one x and a y, " * 3
            await one.press("ctrl+r", "ctrl+u", "ctrl+end", "backspace", "ctrl+w")
            assert screen.typed.text == ("one x and a y, " * 3)[:-2]

    run(test)


def test_a_megabyte_is_cut_with_a_sentence_and_ten_thousand_characters_stay_fluid() -> None:
    async def test() -> None:
        async with reading() as (one, screen, _):
            await paste(one, "a line with an x\r\n" * 60_000)
            assert len(screen.typed.text) == LONGEST_TEXT
            assert "\r" not in screen.typed.text
            await one.shows("characters left out: 20,000 at most are read")
            await one.press("ctrl+x")
            await paste(one, "añd so it goes on, word for word,\n" * 300)
            await one.until(lambda: screen.seen is not None)
            begun = time.process_time()
            for _ in range(40):
                screen.text.put("e")
                await one.pilot.pause(0)
            assert (time.process_time() - begun) / 40 < 0.05  # seconds of this process a key, drawing among them

    run(test)


def test_nothing_typed_reaches_the_terminal_as_it_is_and_columns_stay_straight() -> None:
    async def test() -> None:
        async with reading((80, 24), "\x1b]52;c;eA==\x07 [bold]not[/bold]\t漢字 ́e\u202e\ud800 \u200d\n" * 3) as (
            one,
            _,
            _,
        ):
            await one.shows("[bold]not[/bold]")
            assert not any(ord(one) < 32 or one in "\u202e\u200d\ud800" for line in one.lines() for one in line)
            for line in one.lines():
                assert width(line) == 80
            await one.press("up", "up", "right", "right", "down", "x", "pagedown", "pageup")

    run(test)


def test_the_cursor_beyond_what_was_told_asks_again_and_older_answers_are_of_no_use() -> None:
    async def test() -> None:
        async with reading(text="abcdefgh " * 300) as (one, screen, reader):
            await one.until(lambda: screen.seen is not None)
            asked = len(reader.asks(WatchText))
            await one.press("ctrl+home")
            await one.until(lambda: len(reader.asks(WatchText)) == asked + 1)
            assert reader.asks(WatchText)[-1].at == 0
            await one.until(lambda: screen.seen.first == 0)
            before = screen.seen
            one.engine.say(*reader.of(WatchText(screen._number - 1, "abc")))
            await one.pilot.pause(0.05)
            assert screen.seen is before
            reader.step = 200
            one.engine.say(*reader.of(reader.asks(WatchText)[-1]))  # it has learnt
            await one.shows("step 200")

    run(test)


def test_without_an_engine_that_is_said() -> None:
    async def test() -> None:
        async with reading() as (one, screen, _):
            one.app.session.connected = False
            await one.press("a")
            await one.shows("the engine has gone")
            one.app.session.connected = True
            screen._look_after()
            await one.until(lambda: screen.seen is not None)

    run(test)


# ---- the text that is typed ----------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.text("ab \n\t漢é", max_size=12)),
        st.tuples(st.just("remove"), st.integers(-5, 5)),
        st.tuples(st.just("go"), st.integers(-3, 60)),
        st.tuples(st.just("rows"), st.integers(-3, 3)),
        st.tuples(st.just("wrap"), st.integers(1, 20)),
        st.tuples(st.just("undo"), st.just(0)),
        st.tuples(st.just("redo"), st.just(0)),
    ),
    max_size=25,
)


@given(STEPS)
def test_any_typing_keeps_text_rows_and_cursor_together(steps: list[tuple[str, Any]]) -> None:
    typed, mirror = Typed(80), []

    def told(at: int, removed: int, added: int) -> None:
        mirror[at : at + removed] = typed.text[at : at + added]

    typed.told = told
    for name, what in steps:
        match name:
            case "insert":
                room = 80 - len(typed.text)
                assert typed.insert(what) == max(0, len(what) - room)
            case "remove":
                typed.remove(typed.cursor, typed.cursor + what)
            case "go":
                typed.go(what)
            case "rows":
                typed.move_rows(what)
            case "wrap":
                typed.wrap(what)
            case "undo":
                typed.undo()
            case "redo":
                typed.redo()
        assert "".join(mirror) == typed.text
        assert 0 <= typed.cursor <= len(typed.text)
        assert "".join(typed.text[slice(*typed.span(row))] for row in range(len(typed.starts))) == typed.text
        row, cell = typed.place
        assert typed.at(row, cell) == typed.cursor or not typed.line(row)[: typed.cursor - typed.starts[row]].isascii()
    while typed.undo():
        pass
    assert typed.text == ""


def test_a_word_is_undone_at_once_and_what_was_undone_comes_again() -> None:
    typed = Typed(100)
    for letter in "two words":
        typed.insert(letter)
    typed.undo()
    assert typed.text == "two "
    typed.redo()
    assert typed.text == "two words"
    assert not typed.redo()
    assert typed.word(-1) == 4


@given(st.floats(0, 1), st.integers(0, 30))
def test_bars_are_as_long_as_their_share(share: float, columns: int) -> None:
    assert abs(width(bar(share, columns)) - share * columns) <= 1 or width(bar(share, columns)) == 1
    assert len(percent(share)) <= 5


def test_a_lens_knows_only_what_it_was_told() -> None:
    lens = SurpriseLens()
    lens.take(10, array("f", [0.1, math.nan, 9.0]).tobytes())
    assert list(lens.levels(8, 15)) == [UNKNOWN, UNKNOWN, 0, UNKNOWN, 4, UNKNOWN, UNKNOWN]
    assert list(lens.levels(0, 5)) == [UNKNOWN] * 5
    assert [level_of(nats) for nats in (0.49, 0.5, 1.5, 3, 5, 99)] == [0, 1, 2, 3, 4, 4]
    assert lens.mean()[1] == 2


@given(st.text(min_size=1, max_size=40), st.integers(0, 39), st.integers(0, 60))
def test_a_spots_row_stays_in_its_columns(text: str, at: int, columns: int) -> None:
    row = spot_row(Spot(min(at, len(text) - 1), 4.2, "e", 0.4), text, columns)
    assert sum(width(part) for part, _ in row) <= max(columns, 24)


# ---- the corpus ----------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def eyes(text: str = TEXT, held_out_at: int = HELD_OUT_AT) -> AsyncIterator[tuple[Bench, FakeReader]]:
    info = corpus(characters=len(text), held_out_at=held_out_at, head=text[:5000], alphabet="".join(sorted(set(text))))
    async with bench(corpus=info, library=FakeReader(text)) as one:
        one.app.panes.corpus.text.focus()
        await one.pilot.pause(0.05)
        yield one, one.engine.library


def test_the_corpus_is_coloured_where_it_is_in_sight_and_no_longer_when_it_is_not() -> None:
    text = "a line with an x in it\n" * 4000

    async def test() -> None:
        async with eyes(text, len(text) * 9 // 10) as (one, reader):
            await one.press("e")
            await one.shows("surprise", "learnt from", "Faint text went without saying")
            pane = one.app.panes.corpus
            first, end = pane.text.sight
            asked = reader.asks(WatchCorpus)[-1]
            assert asked.first <= first
            assert asked.end >= end
            row = next(row for row in range(pane.text.top, pane.text.top + 20) if "an x" in pane.text.row_text(row))
            assert ("x", SHADES[4]) in pane.text.row_segments(row)
            await one.press("h")
            await one.shows("held out")
            await one.until(lambda: reader.asks(WatchCorpus)[-1].first > asked.end)
            reader.step = 300
            one.engine.say(*reader.of(reader.asks(WatchCorpus)[-1]))
            await one.shows("step 300")
            await one.press("1")  # hidden: what nobody sees is not read
            pane._look_after()
            await one.until(lambda: reader.asks(WatchCorpus)[-1].end == 0)
            await one.press("1")
            await one.pilot.pause(0.05)
            pane._look_after()
            await one.until(lambda: reader.asks(WatchCorpus)[-1].end > 0)
            pane.text.focus()
            await one.press("e")
            await one.until(lambda: reader.asks(WatchCorpus)[-1].end == 0)
            assert "surprise" not in pane.upper._left[0].text
            assert pane.text.lens is None

    run(test)


def test_passages_are_listed_and_gone_to() -> None:
    async def test() -> None:
        async with eyes() as (one, reader):
            reader.hold = True
            await one.press("x")
            await one.shows(
                "the model begins to read what is held out", "The model has never learnt from these passages"
            )
            (question,) = reader.asks(RatePassages)
            half, whole = reader.of(question)
            one.engine.say(half)
            await one.shows("step 100, 50% read", "50 of 200 held-out characters read", "3.00")
            one.engine.say(whole)
            await one.shows("by the weights of step 100", "100 of 200", "2.60")
            await one.press("down", "enter")
            await one.until(lambda: not isinstance(one.app.screen, PassagesScreen))
            await one.until(lambda: one.app.panes.corpus.text.found == HELD_OUT_AT + 40)
            await one.until(
                lambda: one.app.panes.corpus.text.sight[0] <= HELD_OUT_AT + 40 < one.app.panes.corpus.text.sight[1]
            )
            assert reader.asks(RatePassages)[-1].on is False
            asked = len(reader.questions)
            await one.press("x")
            await one.shows("by the weights of step 100")  # they are kept
            assert len(reader.questions) == asked
            await one.press("r")
            await one.until(lambda: reader.asks(RatePassages)[-1].on)
            one.engine.say(PassagesRated(reader.asks(RatePassages)[-1].number, 5, 0, 0, 0))
            await one.shows("nothing of this text is held out")
            await one.press("escape")

    run(test)


# ---- in lines ------------------------------------------------------------------------------------------------


def test_in_lines_the_same_is_said_in_sentences() -> None:
    async def test() -> None:
        async with conversation() as (one, _, _typed):
            one.engine.library = reader = FakeReader()
            await one.hears("The run is hamlet-1.")
            one.speaking.obey("read the box ☃")
            await one.hears("by the weights of step 100.", "The model does not know ☃; left out.")
            await one.hears("After 'the bo' it expected 'e', 50% likely; 'x' cost 6.00 nats.")
            await one.until(lambda: reader.asks(WatchText)[-1].text == "")
            one.speaking.obey("read")
            await one.hears("What is to be read?")
            one.speaking.obey("passages")
            await one.hears("The model reads what is held out.", "Of the first 100 of 200 held-out characters")
            await one.hears("Number 2 of those that surprise most, 2.60 nats, at character", "surprise least")

    asyncio.run(test())
