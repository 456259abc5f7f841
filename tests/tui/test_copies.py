"""Is it copying? The lens on the stream, the list with where each piece is from, the curve, and the order in lines."""

from __future__ import annotations

import asyncio
import csv
import os
from typing import Any
from xml.etree import ElementTree

import pytest
from rich.style import Style

from charrnn.commands.picture import drawn as picture_file
from charrnn.engine.messages import ClientMessage, EngineMessage, Losses
from charrnn.engine.questions.copying import (
    CopiedCurve,
    CopiedPoint,
    Copies,
    CopiesTold,
    Copy,
    TellCopies,
    WatchCopies,
)
from tests.tui.fake_corpus import FakeCorpus
from tests.tui.fake_engine import WORDS, corpus, point
from tests.tui.test_speaking import conversation
from tests.tui.test_workbench import Bench, bench, run
from tui.chart import draw
from tui.charts.copied import copied_at, copied_run
from tui.charts.exporting import picture_of, table
from tui.charts.reading import parts_at
from tui.charts.scene import Scene
from tui.charts.view import AXES, View
from tui.charts.window import Window
from tui.copies_lens import LEVELS, CopiesLens
from tui.lenses import UNKNOWN
from tui.orders_copying import words_of
from tui.screens.copies import HELP
from tui.terminal import width

FOX = "the quick brown fox jumps over the lazy dog"
LEARNT = ("It is said that " + FOX + " whenever it can.\n") * 900
INFO = corpus(characters=len(LEARNT), held_out_at=len(LEARNT) - 1000, head=LEARNT[:4000])


def ready(*copies: Copy, first: int = 0, end: int = 1000, share: float = 0.12) -> Copies:
    return Copies(state="ready", first=first, end=end, copies=list(copies), share=share, characters=2000)


def copy(begin: int, length: int, at: int = 16, times: int = 3) -> Copy:
    return Copy(begin, begin + length, at, times, (FOX * 30)[:length])


class Library(FakeCorpus):
    """Answers also what is asked of copies, with what a test wants told."""

    def __init__(self, *told: Copies) -> None:
        super().__init__(LEARNT)
        self.told = list(told)

    def answers(self, message: ClientMessage) -> list[EngineMessage]:
        if message == WatchCopies():
            return list(self.told)
        return super().answers(message)


def stream_styles(one: Bench, piece: str) -> set[Style | None]:
    """The styles in which the stream's text shows a piece."""
    text = one.app.panes.stream.text
    found = set()
    for number in range(text.row_count()):
        for words, style in text.row_segments(number):
            if piece in words:
                found.add(style)
    return found


async def at_rest(one: Bench) -> None:
    one.engine.change(pace=2000.0)
    await one.until(lambda: one.engine._position > 300)
    one.engine.change(state="paused", pace=0.0)
    await one.shows("○ paused", "still")
    await one.until(lambda: one.app.panes.stream.text.transcript.positions(one.app.panes.stream.text.row_count() - 2))


# ---- the lens ----------------------------------------------------------------------------------------------------


def test_the_longest_copy_marks_a_character_and_others_are_left_as_they_are() -> None:
    lens = CopiesLens()
    lens.hear(ready(copy(10, 25), copy(20, 45), copy(100, 300)))
    assert lens.levels(5, 70) == [UNKNOWN] * 5 + [0] * 10 + [1] * 45 + [UNKNOWN] * 5
    assert set(lens.levels(100, 400)) == {2}
    assert lens.at(22) == copy(20, 45)
    assert lens.at(70) is None
    assert len(lens.styles) == len(LEVELS) == 3
    assert len({(style.bold, style.underline, style.reverse) for style in lens.styles}) == 3  # told without colour


def test_what_is_told_takes_the_place_of_what_was_told_of_the_same_part() -> None:
    lens = CopiesLens()
    assert lens.legend == [("asking the engine", lens.legend[0][1])]
    assert lens.hear(ready(copy(10, 25), copy(50, 22), end=72)) == 10
    assert lens.hear(ready(copy(50, 40), first=50, end=90)) == 50
    assert lens.copies == [copy(10, 25), copy(50, 40)]
    assert lens.hear(ready(copy(50, 40), first=50, end=120)) == 120  # nothing is another
    assert lens.hear(ready(first=125, end=140, share=0.5)) == 140
    assert [words for words, _ in lens.legend] == ["copied 50 %", "longest 40", "21+", "40+", "80+"]
    lens.forget()
    lens.hear(ready(share=0.0))
    assert [words for words, _ in lens.legend] == ["copied 0 %", "no 21 characters in a row"]


def test_the_lens_marks_the_stream_while_it_is_on_and_then_nobody_looks_any_more() -> None:
    async def test() -> None:
        library = Library(Copies(state="indexing", words="indexing the training text: sorting, 3 s"))
        async with bench(library=library, corpus=INFO) as one:
            await at_rest(one)
            lens = one.app.copies_lens
            one.app.panes.stream.text.look_through(lens)
            await one.shows("copies", "indexing the training text: sorting, 3 s")
            end = one.engine._position
            begin = end - len(WORDS)
            one.engine.say(ready(copy(begin, 30), end=end, share=0.34))
            await one.shows("copied 34 %", "longest 30")
            marked = [level for level in lens.levels(0, end) if level != UNKNOWN]
            assert marked == [0] * 30
            await one.until(lambda: LEVELS[0][1] in {s for s in stream_styles(one, "") if s is not None})
            assert one.sent(WatchCopies) == [WatchCopies()]
            one.app.panes.stream.text.look_through(None)
            await one.until(lambda: one.sent(WatchCopies) == [WatchCopies(), WatchCopies(on=False)])
            await one.until(lambda: "copied 34 %" not in one.screen())

    run(test)


def test_the_key_for_lenses_comes_by_it() -> None:
    async def test() -> None:
        async with bench(library=Library(ready())) as one:
            for _ in one.app.lenses:
                await one.press("v")
                if one.app.panes.stream.text.lens is one.app.copies_lens:
                    break
            await one.shows("copied 12 %", "no 21 characters in a row")

    run(test)


def test_why_there_are_none_is_said() -> None:
    async def test() -> None:
        words = "Copies are looked for in training texts of up to 200 MB; this one is larger."
        async with bench(library=Library(Copies(state="none", words=words))) as one:
            one.app.panes.stream.text.look_through(one.app.copies_lens)
            await one.shows(words)
            await one.press("quotation_mark")
            await one.shows("Is it copying?", words)

    run(test)


def test_a_click_on_a_marked_piece_shows_where_it_is_from() -> None:
    async def test() -> None:
        async with bench(library=Library(), corpus=INFO) as one:
            await at_rest(one)
            text = one.app.panes.stream.text
            text.look_through(one.app.copies_lens)
            await one.until(lambda: one.sent(WatchCopies))
            number = text.row_count() - 2
            positions = [place for place in text.transcript.positions(number) if place >= 0]
            one.engine.say(ready(copy(positions[0], 25, at=30_016), end=one.engine._position))
            await one.shows("longest 25")
            await one.pilot.click(text, offset=(5 + text.gutter.left, number - text.top))
            await one.shows("25 characters in a row from character 30,016 of the training text, the first of 3 places.")
            await one.until(lambda: one.app.panes.corpus.text.sight[0] <= 30_016 < one.app.panes.corpus.text.sight[1])
            assert one.app.panes.corpus.text.found == 30_016

    run(test)


# ---- the list ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (60, 16)])
def test_the_list_has_the_longest_first_and_enter_goes_to_the_source(size: tuple[int, int]) -> None:
    async def test() -> None:
        library = Library(ready(copy(100, 25), copy(200, 90, at=20_000), copy(300, 41), end=1000, share=0.08))
        async with bench(size, library=library, corpus=INFO) as one:
            await one.press("quotation_mark")
            await one.shows("Is it copying?", "copied 8 %", "length", "esc closes")
            await one.until(lambda: "90" in one.lines()[1])
            rows = [line for line in one.lines() if "quick brown" in line]
            assert [length in row for length, row in zip(("90", "41", "25"), rows, strict=True)] == [True] * 3
            if size[1] >= 20:
                await one.shows("A model that has learnt how its text is made writes new text")
            else:
                assert "A model that" not in one.screen()
                await one.press("question_mark")
                await one.shows("A model that has learnt how its text is made")
                await one.press("question_mark")
                await one.until(lambda: "A model that" not in one.screen())
            await one.press("enter")
            await one.shows("90 characters in a row from character 20,000 of the")
            await one.until(lambda: one.app.panes.corpus.text.found == 20_000)
            await one.until(lambda: one.sent(WatchCopies)[-1] == WatchCopies(on=False))

    run(test)


def test_the_list_without_copies_says_so_and_takes_new_ones() -> None:
    async def test() -> None:
        async with bench(library=Library(ready(share=0.0))) as one:
            await one.press("quotation_mark")
            await one.shows("nothing of late: no 21 characters in a row")
            one.engine.say(ready(copy(10, 33), end=50))
            await one.shows("33", FOX[:33])
            one.engine.say(ready(copy(10, 33), copy(60, 77), end=200))
            await one.pilot.pause(1.0)
            assert "77" not in one.screen()  # rows do not move under the user's finger
            await one.press("r")
            await one.shows("77", "33")
            await one.press("escape")
            await one.until(lambda: "Is it copying?" not in one.screen())

    run(test)


def test_the_help_is_two_sentences() -> None:
    assert HELP.count(". ") == 1
    assert HELP.endswith(".")


def test_where_no_engine_is_there_it_is_said() -> None:
    async def test() -> None:
        async with bench() as one:
            one.app.session.connected = False
            await one.press("quotation_mark")
            await one.shows("The engine has gone; enter starts it again")

    run(test)


# ---- the curve ---------------------------------------------------------------------------------------------------

POINTS = tuple(point(step) for step in range(1, 101))
CURVE = tuple(CopiedPoint(step, step / 200, step) for step in range(10, 101, 10))


def lines(scene: Scene, columns: int = 60, rows: int = 12) -> list[str]:
    return ["".join(segment.text for segment in row) for row in draw(scene, columns, rows).rows]


@pytest.mark.parametrize("axis", AXES)
def test_the_curve_has_an_axis_of_its_own_where_there_is_room(axis: Any) -> None:
    view = View(axis=axis)
    scene = Scene(POINTS, view, copied=CURVE)
    seen = lines(scene)
    assert "├ 100%" in seen[0]
    assert any("├ 50%" in row for row in seen)
    assert sum("%" in row.replace("100%", "").replace("50%", "").replace(" 0%", "") for row in seen) == 3
    assert all(width(row) <= 60 for row in seen)
    assert copied_run(scene)[-1] == (view.place(POINTS[-1]), 0.5)
    narrow = lines(scene, 40)
    assert not any("%" in row for row in narrow)
    assert lines(Scene(POINTS, view)) != seen


def test_one_sample_is_seen_and_what_is_out_of_sight_is_not() -> None:
    assert sum("%" in row for row in lines(Scene(POINTS, copied=CURVE[:1]))) >= 3
    part = Scene(POINTS, window=Window(40, 60), copied=CURVE)
    assert [round(at) for at, _ in copied_run(part)] == [40, 50, 60]
    assert copied_run(Scene(copied=CURVE)) == []


def test_the_cursor_reads_the_newest_sample_off() -> None:
    scene = Scene(POINTS, window=Window(cursor=57.0), copied=CURVE)
    assert copied_at(scene, 57) == CURVE[4]
    assert copied_at(scene, 9) is None
    assert "copied 25 %, longest 50" in [part.text for part in parts_at(scene, 57.0, None)]
    assert not any("copied" in part.text for part in parts_at(scene, 5.0, None))


def test_exports_have_it_and_without_it_are_what_they_were() -> None:
    scene = Scene(POINTS, copied=CURVE)
    rows = list(csv.DictReader(table(scene, "run").decode().splitlines()))
    assert [row["copied_share"] for row in rows if row["copied_share"]] == [str(one.share) for one in CURVE]
    assert [row["step"] for row in rows if row["longest_copy"]] == [str(one.step) for one in CURVE]
    assert "copied" not in table(Scene(POINTS), "run").decode()
    root = ElementTree.fromstring(picture_file(picture_of(scene, "run"), ".svg"))
    words = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert {"copied (%)", "50", "100"} <= set(words)
    plain = ElementTree.fromstring(picture_file(picture_of(Scene(POINTS), "run"), ".svg"))
    assert "copied (%)" not in [element.text for element in plain.iter()]
    pytest.importorskip("matplotlib")
    assert picture_file(picture_of(scene, "run"), ".png").startswith(b"\x89PNG")


def test_the_key_shows_and_hides_it() -> None:
    async def test() -> None:
        async with bench() as one:
            await at_rest(one)
            one.app.panes.loss.chart.focus()
            await one.press("percent_sign", "percent_sign")
            await one.shows("The share of copies is not known yet")
            one.engine.say(Losses(list(POINTS), first=True), CopiedCurve(list(CURVE)))
            await one.shows("copied 50 %", "├ 100%")
            await one.press("percent_sign")
            await one.until(lambda: "copied 50 %" not in one.screen() and "100%" not in one.screen())
            await one.press("percent_sign")
            await one.shows("copied 50 %")

    run(test)


def test_it_is_drawn_when_it_comes_before_the_losses() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.say(CopiedCurve([CopiedPoint(1, 0.77, 30)]))
            await one.shows("copied 77 %")

    run(test)


# ---- in lines ----------------------------------------------------------------------------------------------------


def test_the_order_says_share_longest_and_source() -> None:
    async def test() -> None:
        async with conversation() as (one, _, typed):
            await one.hears("Training, step")
            os.write(typed, b"copies\n")
            await one.hears("Looking for copies")
            await one.until(lambda: TellCopies() in one.engine.received)
            one.engine.say(CopiesTold(share=0.25, characters=2000, count=2, longest=copy(5, 43, at=1234)))
            await one.hears(
                "Copied is 25 % of the newest 2,000 characters, in 2 pieces.",
                "The longest has 43 characters and stands in the training text from character 1,234 on and 2 more: ",
                repr(FOX),
            )

    run(test)


def test_the_orders_other_answers() -> None:
    assert words_of(CopiesTold(problem="Too large.")) == "Too large."
    assert words_of(CopiesTold()) == "The stream has no text yet."
    assert "no 21 in a row" in words_of(CopiesTold(characters=300))
    assert "in 1 piece." in words_of(CopiesTold(characters=300, count=1, longest=copy(0, 400, times=1)))


def test_an_answer_that_comes_when_nobody_looks_is_passed_over() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.say(ready(copy(10, 33), end=50))
            await asyncio.sleep(0.2)
            assert one.app.copies_lens.told is None

    run(test)
