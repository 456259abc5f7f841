"""The network's units on the screen: their list, one of them over a passage, over the stream and over the corpus."""

from __future__ import annotations

from typing import Any

import pytest

from charrnn.engine.questions.units import (
    MIDDLE,
    UNREAD,
    RankedUnit,
    RankUnits,
    UnitHeard,
    UnitOfCorpus,
    UnitOfText,
    UnitRead,
    UnitsRanked,
    WatchUnit,
)
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_speaking import Conversation, conversation
from tests.tui.test_workbench import Bench, bench, run
from tui.lenses import UNKNOWN
from tui.orders_units import strong_parts
from tui.screens.units import ORDERS, tells_words
from tui.screens.units_sample import passage_rows
from tui.settings import Settings
from tui.unit_lens import KEPT, STYLES, UnitLens, level_of, spark_pieces

SAMPLE = 'He said "so it is", and\nleft (at last).\n' * 9
PROPERTIES = ["inside quotes", "inside brackets", "position in line", "word start", "capital", "digit", "indentation"]


def values(of: str, inside: str) -> bytes:
    return bytes(254 if character in inside else 30 for character in of)


def ranked(number: int, step: int = 500, units: int = 3) -> UnitsRanked:
    def unit(name: str, tells: int, auc: float, score: float) -> RankedUnit:
        every = [(auc, score) if number == tells else (0.5 + 0.01 * number, 0.0) for number in range(7)]
        return RankedUnit(name, PROPERTIES[tells], auc, score, None, every, values(SAMPLE, '"soit'))

    made = [unit("c 1·37", 0, 0.981, 0.93), unit("h 1·2", 2, 0.04, 0.81), unit("c 1·9", 1, 0.9, 0.7)][:units]
    return UnitsRanked(number, 1.0, step, 20_000, 1536, PROPERTIES, made, SAMPLE)


class Units:
    """What an engine answers about units."""

    def __init__(self, units: int = 3) -> None:
        self.units = units
        self.position = 0

    def answers(self, message: Any) -> list[Any]:
        match message:
            case RankUnits(number) if number:
                return [UnitsRanked(number, 0.34), ranked(number, units=self.units)]
            case WatchUnit(unit) if unit:
                return [UnitHeard(unit, 500, 0, bytes([254, 254, 0, 0, 127, UNREAD] * 40), 1.0)]
            case UnitOfCorpus(number, unit, first, end):
                return [UnitRead(number, unit, 500, first, bytes([254] * (end - first)), 1.0)]
            case UnitOfText(number, unit, text):
                return [UnitRead(number, unit, 500, 0, bytes(254 if letter == "x" else 127 for letter in text), 1.0)]
            case _:
                return []


def watching(one: Bench) -> list[str | None]:
    return [message.unit for message in one.sent(WatchUnit)]


def styles_of(one: Bench, text: str) -> set[str]:
    """The styles in which a text stands on the screen."""
    found = set()
    for strip in one.app.screen._compositor.render_strips():
        found |= {str(segment.style) for segment in strip if text in segment.text}
    return found


def test_the_list_shows_what_units_tell_and_the_passage_in_their_light() -> None:
    async def test() -> None:
        async with bench(library=Units()) as one:
            await one.press("m")
            await one.shows("c 1·37", "high inside quotes", "0.981", "0.93", "low late in the line", "0.960")
            await one.shows("c 1·37 is high inside quotes", "He said", "step 500, 1,536 units over 20,000 characters")
            await one.shows("0.5 is a coin", "low", "high", "enter look through it")
            await one.press("down")
            await one.shows("h 1·2 is low late in the line")
            await one.press("p")
            await one.shows("for inside quotes")
            await one.until(lambda: "h 1·2 " not in one.screen())
            await one.press("p", "right", "p")
            await one.shows("No unit tells “word start”")
            await one.press("left", "left", "left", "left")
            await one.shows("Cells that mean something")
            for order in (*ORDERS[2:], ORDERS[0]):
                await one.press("s")
                await one.shows(f"s {order}")
            await one.press("r")
            await one.until(lambda: [message.number for message in one.sent(RankUnits)] == [1, 2])
            await one.press("escape")
            await one.shows("space pause")
            await one.until(lambda: one.sent(RankUnits)[-1] == RankUnits(0))
            assert not watching(one)

    run(test)


def test_a_chosen_unit_colours_the_users_own_text_as_well() -> None:
    async def test() -> None:
        async with bench(library=Units()) as one:
            await one.press("m")
            await one.shows("c 1·37 is high")
            await one.press("enter")
            await one.until(lambda: watching(one) == ["c 1·37"])
            await one.press("j", "a", "x", "x", "b")
            await one.shows("unit c 1·37")
            await one.until(lambda: "reverse" in str(styles_of(one, "xx")))
            assert one.sent(UnitOfText)[-1].text == "axxb"
            await one.press("f2")
            await one.until(lambda: "reverse" not in str(styles_of(one, "xx")))
            await one.press("escape")
            await one.shows("space pause")

    run(test)


def test_a_chosen_unit_colours_stream_and_corpus_and_the_key_ends_it() -> None:
    async def test() -> None:
        async with bench(library=Units()) as one:
            one.app.lenses.clear()
            await one.press("m")
            await one.shows("c 1·37 is high")
            await one.press("enter")
            await one.until(lambda: watching(one) == ["c 1·37"])
            await one.shows("unit c 1·37", "low  high")
            text = one.app.panes.stream.text
            await one.until(lambda: isinstance(text.lens, UnitLens) and list(text.lens.levels(0, 5)) == [4, 4, 0, 0, 2])
            await one.until(lambda: one.sent(UnitOfCorpus) and "reverse" in str(styles_of(one, "six characters")))
            await one.until(lambda: any("█" in line and "▁" in line for line in one.lines()[12:]))
            await one.press("m")
            await one.shows("●c 1·37", "enter look no more")
            await one.press("escape", "v")
            await one.until(lambda: watching(one) == ["c 1·37", None])
            await one.until(lambda: "reverse" not in str(styles_of(one, "six characters")))
            assert one.app.panes.corpus.text.lens is None
            await one.press("v")
            await one.until(lambda: watching(one)[2:] == ["c 1·37"])
            await one.app.run_action("unit_off")
            await one.until(lambda: watching(one)[3:] == [None])
            assert one.app.lenses == []
            await one.app.run_action("unit_off")
            await one.shows("No unit is looked through")

    run(test)


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16)])
def test_every_size_shows_list_passage_and_what_it_means(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with bench(size, library=Units()) as one:
            await one.press("m")
            await one.shows("c 1·37 is high inside quotes", "0.981", "0.93", "how often a unit", "chance.")
            await one.shows("He said")
            assert all(len(line) == size[0] for line in one.lines())

    run(test)


def test_no_unit_and_no_engine_are_said() -> None:
    async def test() -> None:
        async with bench(library=Units(units=0)) as one:
            await one.press("m")
            await one.shows("No unit tells more of the text than chance would")
            await one.press("enter", "escape")
            await one.shows("space pause")
            one.app.session.connected = False
            await one.press("m")
            await one.shows("The engine has gone")

    run(test)


def test_a_slow_line_gets_colours_less_often() -> None:
    async def test() -> None:
        async with bench(settings=Settings(slow=True), library=Units()) as one:
            one.app.look_through_unit("c 1·37")
            lens = one.app.panes.stream.text.lens
            assert isinstance(lens, UnitLens)
            await one.until(lambda: lens.end > 0)

    run(test)


# ---- the pieces ----------------------------------------------------------------------------------------------


def test_bytes_become_levels_on_both_sides_of_the_middle() -> None:
    assert [level_of(value) for value in (0, 60, 110, MIDDLE, 140, 160, 254, UNREAD)] == [0, 1, 2, 2, 2, 3, 4, UNKNOWN]
    assert "".join(text for text, _ in spark_pieces(bytes([0, MIDDLE, 254, UNREAD]))) == "▁▄█ "
    assert len({str(style) for style in STYLES}) == 5


def test_a_lens_keeps_what_it_was_told_by_position() -> None:
    lens = UnitLens("h 1·1")
    assert list(lens.levels(5, 7)) == [UNKNOWN, UNKNOWN]
    assert lens.put(10, bytes([0, 254])) == (10, 12)
    assert lens.put(13, bytes([254])) == (13, 14)
    assert lens.put(8, bytes([127])) == (8, 9)
    assert list(lens.levels(7, 15)) == [-1, 2, -1, 0, 4, -1, 4, -1]
    assert lens.put(10, bytes([1, 0])) == (11, 12)
    assert lens.put(10, bytes([0, 0])) == (10, 10)
    lens.put(14, bytes(KEPT))
    assert lens.end == 14 + KEPT
    assert list(lens.levels(8, 14)) == [UNKNOWN] * 6
    lens.put(10 * KEPT, bytes([254]))
    assert list(lens.levels(14, 15)) == [UNKNOWN]
    lens.forget()
    assert lens.values(10 * KEPT, 10 * KEPT + 1) == bytes([UNREAD])


def test_a_passage_wraps_by_cells_and_tells_each_character() -> None:
    rows = passage_rows("ab漢\x1b\ncd\te", bytes([0, 0, 254, 254, 0, 127, 127, 127, 127]), 4)
    assert [[text for text, _ in row] for row in rows] == [["ab", "漢"], ["␛"], ["cd  "], ["e"]]
    assert passage_rows("ab", b"", 4)[0][0][0] == "ab"


def test_words_for_what_a_unit_does() -> None:
    assert tells_words("position in line", 0.1) == "low late in the line"
    assert tells_words("capital", 0.9) == "high at capitals"


# ---- in lines ------------------------------------------------------------------------------------------------


def test_units_are_told_in_sentences() -> None:
    class Told(Units):
        def answers(self, message: Any) -> list[Any]:
            if hasattr(message, "context"):
                return [UnitRead(message.number, "c 1·37", 1, 0, values(message.text, "qu"), 1.0)]
            return super().answers(message)

    async def test() -> None:
        async with conversation(FakeEngine(pace=500.0, library=Told())) as (one, _, _typed):
            await one.hears("Training, step")
            one.speaking.obey("units")
            await one.hears("Unit c 1·37 is high inside quotes, AUC 0.981, 0.93 against chance.")
            await one.hears("Unit h 1·2 is low late in the line, AUC 0.960, 0.81 against chance.")
            one.speaking.obey("unit")
            await one.hears("Give a unit's name, such as unit c 1.37")
            await one.until(lambda: one.speaking.transcript.characters > 200)
            one.speaking.obey("unit c 1.37")
            await one.hears("The stream's last words are: ", "Unit c 1·37 is high at “qu”")

    run(test)


def test_where_a_unit_is_strong() -> None:
    assert strong_parts("ab\ncd", bytes([254, 254, 0, 127, 254]), 1) == ["ab", "d"]
    assert strong_parts("ab\ncd", bytes([254, 254, 0, 127, 254]), -1) == ["line break"]
    assert strong_parts("", b"", 1) == []
    one = Conversation(FakeEngine())
    one.speaking.obey("unit c 1.1")
    assert one.said == ["The stream has no text yet."]
