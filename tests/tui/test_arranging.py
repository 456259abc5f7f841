"""Panes in a running workbench: any size, zoom, sizes by key and mouse, the footer, help and palette."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import Knobs
from charrnn.engine.messages import SetKnobs, SetPaused
from tests.tui.fake_engine import FakeEngine
from tests.tui.test_workbench import Bench, bench, run
from tui import keys
from tui.app import Workbench
from tui.layout import Shares, arrange
from tui.remembered import read_sizes
from tui.screens.help import help_groups
from tui.settings import Settings
from tui.terminal import width


@pytest.fixture(autouse=True)
def _state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_STATE", str(tmp_path))


@contextlib.asynccontextmanager
async def bench_with(settings: Settings) -> AsyncIterator[Bench]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    engine = FakeEngine()
    serving = asyncio.create_task(engine.serve(theirs))
    async with Workbench(ours, settings=settings).run_test(size=(120, 34)) as pilot:
        app: Any = pilot.app
        one = Bench(app, engine, pilot)
        await one.until(lambda: app.panes.stream.text.transcript.characters > 20)
        yield one
    serving.cancel()


# ---- sizes ---------------------------------------------------------------------------------------------------

CORNERS = (1, 2, 3, 9, 10, 11, 19, 20, 39, 40, 59, 69, 70, 79, 80, 99, 100, 120, 255, 500)
HEIGHTS = (1, 2, 3, 4, 9, 10, 15, 16, 19, 20, 24, 29, 30, 34, 60, 200)


def test_every_size_from_1x1_to_500x200_has_an_arrangement() -> None:
    for columns, rows in itertools.product(range(1, 501), range(1, 201)):
        plan = arrange(columns, rows, {}, None, Shares(0.99, 0.01))
        assert plan.too_small == (columns < 10)
        if plan.upper_height:
            assert plan.upper_height >= 4
            assert rows - 2 - plan.spark - plan.upper_height >= 3
        if plan.left:
            assert 20 <= plan.left <= columns - 20


def test_at_a_sample_of_all_sizes_every_row_is_full_and_nothing_is_raised() -> None:
    chance = random.Random(4)
    sizes = [(chance.choice(CORNERS), chance.choice(HEIGHTS)) for _ in range(30)]

    async def test() -> None:
        async with bench(pace=500.0) as one:
            for number, size in enumerate([*sizes, (1, 1), (500, 200)]):
                await one.pilot.resize_terminal(*size)
                if number % 7 == 0:
                    await one.press(chance.choice(["1", "2", "3", "z", "0", "tab", "right_curly_bracket"]))
                await one.until(lambda size=size: [width(line) for line in one.lines()] == [size[0]] * size[1])
            await one.pilot.resize_terminal(120, 34)
            await one.press("0")
            await one.shows("● training", "─ Stream ─", "─ Loss ─", "─ Corpus ─")

    run(test)


def test_below_40x10_there_is_one_line_of_state_and_the_stream() -> None:
    async def test() -> None:
        async with bench((39, 9)) as one:
            await one.shows("● training", "loss ", "T 0.80", "the quick brown")
            first, *rest = one.lines()
            assert not any(set("╭╮╰╯│") & set(line) for line in [first, *rest])
            assert "pause" not in one.screen()
            await one.press("plus")
            await one.shows("T 0.85")
            one.app.say("info", "A sentence.", 0.3)
            await one.shows("A sentence.")
            await one.until(lambda: "A sentence." not in one.screen())

    run(test)


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (30, 8)])
def test_each_pane_can_be_the_whole_screen_at(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with bench(size) as one:
            panes = one.app.panes
            rows = size[1] - (2 if panes.plan.framed else 1)
            await one.press("z")
            for key, name in (("1", "corpus"), ("2", "loss"), ("3", "stream")):
                await one.press(key)
                await one.until(lambda name=name: panes.pane(name).display)
                pane = panes.pane(name)
                await one.until(lambda pane=pane: (pane.size.width, pane.size.height) == (size[0], rows))
                if panes.plan.framed:
                    assert one.app.focused is pane.body
            await one.press("0")
            await one.until(lambda: panes.zoomed is None and panes.stream.display)

    run(test)


def test_tab_goes_through_the_panes_in_their_order_also_while_one_is_zoomed() -> None:
    async def test() -> None:
        async with bench() as one:
            panes = one.app.panes
            order = [panes.loss.body, panes.corpus.body, panes.stream.body]
            for body in order:
                await one.press("tab")
                assert one.app.focused is body
            await one.press("z", "tab")
            await one.until(lambda: panes.zoomed == "loss" and one.app.focused is order[0])
            await one.press("shift+tab")
            await one.until(lambda: panes.zoomed == "stream" and one.app.focused is order[2])

    run(test)


def test_a_pane_that_goes_hands_the_focus_on() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("tab", "2")
            await one.until(lambda: one.app.focused is one.app.panes.stream.body)
            await one.pilot.resize_terminal(9, 3)
            await one.pilot.resize_terminal(120, 34)
            await one.until(lambda: one.app.focused is one.app.panes.stream.body)

    run(test)


# ---- sizes that the user gives -------------------------------------------------------------------------------


def test_sizes_change_by_key_are_remembered_and_reset() -> None:
    async def test() -> None:
        async with bench() as one:
            panes = one.app.panes
            height, left = panes.upper.size.height, panes.loss.size.width
            await one.press("right_curly_bracket", "right_curly_bracket", "less_than_sign")
            await one.until(lambda: panes.upper.size.height == height + 2)
            await one.until(lambda: panes.loss.size.width == left - 2)
        async with bench() as one:
            panes = one.app.panes
            assert (panes.upper.size.height, panes.loss.size.width) == (height + 2, left - 2)
            await one.pilot.resize_terminal(80, 24)
            await one.until(lambda: panes.plan.kind == "narrow")
            assert panes.plan == arrange(80, 24, {}, None)
            await one.pilot.resize_terminal(120, 34)
            await one.until(lambda: panes.upper.size.height == height + 2)
            await one.press("0")
            await one.until(lambda: (panes.upper.size.height, panes.loss.size.width) == (height, left))
            assert read_sizes() == {}

    run(test)


def test_a_line_stops_where_the_other_pane_has_its_least() -> None:
    async def test() -> None:
        async with bench() as one:
            panes = one.app.panes
            await one.press(*["right_curly_bracket"] * 20)
            await one.until(lambda: panes.stream.size.height == 3)
            await one.press("left_curly_bracket")
            await one.until(lambda: panes.stream.size.height == 4)

    run(test)


def test_where_there_is_no_line_the_key_says_so_and_the_footer_does_not_name_it() -> None:
    async def test() -> None:
        async with bench((60, 16)) as one:
            await one.press("right_curly_bracket")
            await one.shows("There is no line to move: nothing stands over the")
            entries = {entry.key.id for entry in one.app.panes.bottom._entries}
            assert not {"shorter", "narrower"} & entries

    run(test)


def test_the_lines_between_panes_are_dragged() -> None:
    async def test() -> None:
        async with bench() as one:
            panes = one.app.panes
            for x, y, to_x, to_y in ((30, panes.upper.region.bottom, 30, 20), (panes.plan.left, 8, 40, 8)):
                await one.pilot.mouse_down(offset=(x, y))
                await one.pilot.hover(offset=((x + to_x) // 2, (y + to_y) // 2))
                await one.pilot.hover(offset=(to_x, to_y))
                await one.pilot.mouse_up(offset=(to_x, to_y))
            await one.until(lambda: panes.upper.region.bottom == 20)
            await one.until(lambda: panes.plan.left == 40)
            assert panes.zoomed is None
            assert read_sizes()["wide"] == Shares(round(19 / 32, 4), round(40 / 120, 4))

    run(test)


# ---- the mouse -----------------------------------------------------------------------------------------------


def test_a_click_focuses_a_pane_and_one_on_its_title_zooms() -> None:
    async def test() -> None:
        async with bench() as one:
            panes = one.app.panes
            await one.pilot.click(offset=(90, 5))
            await one.until(lambda: one.app.focused is panes.corpus.body)
            await one.pilot.click(offset=(panes.loss.region.x + 4, panes.loss.region.bottom - 1))
            await one.until(lambda: one.app.focused is panes.loss.body)
            await one.pilot.click(offset=(70, 1))
            await one.until(lambda: panes.zoomed == "corpus" and one.app.focused is panes.corpus.body)
            await one.pilot.click(offset=(70, 1))
            await one.until(lambda: panes.zoomed is None)
            await one.pilot.click(offset=(10, panes.stream.region.y))
            await one.until(lambda: panes.zoomed == "stream")

    run(test)


def test_a_click_on_a_word_of_the_footer_does_it() -> None:
    async def test() -> None:
        async with bench() as one:
            row = one.lines()[-1]
            await one.pilot.click(offset=(row.index("pause"), 33))
            await one.until(lambda: SetPaused(True) in one.engine.received)
            await one.shows("space train")
            await one.pilot.click(offset=(one.lines()[-1].index("prime"), 33))
            await one.shows("enter start", "esc leave")
            await one.pilot.click(offset=(one.lines()[-1].index("leave"), 33))
            await one.until(lambda: not one.app.panes.stream.input.is_open)

    run(test)


def test_a_click_on_the_line_of_bars_makes_a_chart_of_it() -> None:
    async def test() -> None:
        async with bench((60, 16)) as one:
            await one.pilot.click(offset=(20, 1))
            await one.until(lambda: one.app.panes.zoomed == "loss")

    run(test)


# ---- footer, help, palette -----------------------------------------------------------------------------------


def test_the_footer_names_only_what_does_something_now() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.shows("space pause", "r restart")
            one.engine.change(state="finished")
            await one.until(lambda: "space" not in one.lines()[-1])
            one.engine.change(state="failed")
            await one.shows("space start again")
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("✗ disconnected")
            one.app._notices.over()
            await one.shows("enter start again", "q save and quit")
            assert "restart" not in one.lines()[-1]

    run(test)


def test_while_the_prime_is_edited_the_footer_has_no_key_that_would_type() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("p")
            await one.shows("enter start", "esc leave", "f1 help")
            assert "pause" not in one.lines()[-1]
            await one.press("escape")
            await one.shows("space pause")

    run(test)


def test_a_prime_that_is_wider_than_its_line_is_shown_to_its_end() -> None:
    async def test() -> None:
        async with bench((30, 8)) as one:
            one.engine.change(prime="the beginning of a prime that is quite long, and its end")
            await one.pilot.pause(0.1)
            await one.press("p")
            await one.shows("and its end")

    run(test)


def test_help_begins_with_the_focused_pane_and_is_searched_by_typing() -> None:
    async def test() -> None:
        async with bench((80, 24)) as one:
            await one.press("tab", "question_mark")
            await one.shows("─ Help ─", "type to search")
            assert "Chart" in one.lines()[1]
            await one.press(*"seed")
            await one.shows("search: seed", "start the stream again with a new seed")
            assert "learning rate" not in one.screen()
            await one.press(*"qqq")
            await one.shows("Nothing has “seedqqq”")
            await one.press("backspace", "backspace", "backspace", "escape")
            await one.shows("logarithmic or linear loss", "type to search")
            await one.press("escape")
            await one.shows("● training")
            await one.press("f1")
            await one.shows("type to search")
            await one.press("question_mark")
            await one.shows("● training")

    run(test)


@pytest.mark.parametrize(
    ("search", "found"),
    [("temperature", {"Stream", "Words"}), ("q", {"Leaving and help"}), ("panes zoom", {"Panes"}), ("\x1b[", set())],
)
def test_a_search_finds_lines_by_key_group_and_words(search: str, found: set[str]) -> None:
    assert {group for group, _ in help_groups(search)} >= found
    assert bool(help_groups(search)) == bool(found)


def test_the_palette_lists_every_command_with_its_key_and_runs_it() -> None:
    async def test() -> None:
        async with bench() as one:
            await one.press("ctrl+p")
            await one.shows("Pause or resume training", "[         Stream slower")
            await one.press(*"temperature up")
            await one.shows("+         Temperature up")
            await one.press("enter")
            await one.until(lambda: SetKnobs(Knobs(temperature=0.85)) in one.engine.received)

    run(test)


def test_a_panes_own_action_is_run_on_that_pane_whatever_has_the_focus() -> None:
    key = keys.Key(
        id="own", keys=("x",), shown="x", description="", group="Corpus", action="scroll_rows(3)", pane="corpus"
    )

    async def test() -> None:
        async with bench((60, 16)) as one:
            await one.app.perform(key)
            await one.until(lambda: one.app.panes.corpus.display)
            assert one.app.focused is one.app.panes.corpus.body
            await one.app.perform(key)
            await one.until(lambda: one.app.panes.corpus.text.top > 0)

    run(test)


def test_keys_of_ones_own_work_and_are_shown_everywhere() -> None:
    settings = Settings(keys={"warmer": ("a",), "colder": ("A",), "help": ("f9",), "palette": ("f8",), "quit": ("f7",)})

    async def test() -> None:
        async with bench_with(settings) as one:
            await one.shows("A/a temperature", "f9 help", "f7 save and quit")
            await one.press("a")
            await one.shows("T 0.85")
            await one.press("plus", "minus", "question_mark")
            await one.press("A", "A")
            await one.shows("T 0.75")
            await one.press("f9")
            await one.shows("type to search")
            assert any(line.strip(" │").startswith("a ") and "unlikelier" in line for line in one.lines())
            await one.press("escape", "f8")
            await one.shows("a         Temperature up")

    run(test)


def test_the_title_of_the_focused_pane_stands_out_without_colours() -> None:
    async def test() -> None:
        async with bench() as one:

            def reversed_titles() -> set[str]:
                panes = (one.app.panes.loss, one.app.panes.corpus, one.app.panes.stream)
                segments = itertools.chain(*(pane.upper.render_line(0) for pane in panes))
                return {segment.text for segment in segments if segment.style and segment.style.reverse}

            assert reversed_titles() == {"Stream"}
            await one.press("tab")
            assert reversed_titles() == {"Loss"}

    run(test)
