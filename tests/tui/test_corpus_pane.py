"""The corpus pane: all of a long text is reached, found and seen, and little of it is held."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from charrnn.config import TrainingConfig
from charrnn.engine.corpus_messages import CorpusSearched, FindInCorpus, StreamPlaces, SymbolCount, SymbolsCounted
from charrnn.engine.messages import BaselinesFound
from tests.tui.fake_corpus import FakeCorpus
from tests.tui.fake_engine import corpus, model
from tests.tui.test_baselines import FIGURES
from tests.tui.test_workbench import Bench, bench, run
from tui import keys
from tui.panes.corpus_facts import fact_lines
from tui.panes.corpus_input import place_in
from tui.panes.strip import strip_cells
from tui.screens.alphabet import AlphabetScreen, symbol_rows
from tui.selection import Selection
from tui.terminal import safe_line, width

TEXT = "".join(f"Line {number} is here, ünd 漢字 with\ttabs.\n" for number in range(10_000)) + "The very last line"
HELD_OUT_AT = len(TEXT) * 9 // 10


@contextlib.asynccontextmanager
async def browsing(size: tuple[int, int] = (120, 34), text: str = TEXT, **changes: Any) -> AsyncIterator[Bench]:
    """The workbench with a long text, its corpus pane in the focus."""
    held_out_at = min(HELD_OUT_AT, len(text))
    made = {"characters": len(text), "held_out_at": held_out_at, "head": text[:5000], "held_out_head": "", **changes}
    info = corpus(alphabet="".join(sorted(set(text))), **made)
    async with bench(size, corpus=info, library=FakeCorpus(text)) as one:
        if not one.app.panes.shown["corpus"]:
            await one.press("1")
        one.app.panes.corpus.text.focus()
        await one.pilot.pause(0.05)
        yield one


def body(one: Bench) -> list[str]:
    """The rows of the pane's text, as they are on the screen."""
    region = one.app.panes.corpus.text.content_region
    return [line[region.x : region.right] for line in one.lines()[region.y : region.bottom]]


def test_home_end_and_pages_reach_all_of_a_text_that_is_not_held() -> None:
    async def test() -> None:
        async with browsing() as one:
            await one.shows("Line 0 is here, ünd 漢字 with", f"character 0 of {len(TEXT):,} · 0 %")
            await one.press("end")
            await one.shows("The very last line", "· 100 %")
            await one.press("home")
            await one.shows("Line 0 is here", "· 0 %")
            text = one.app.panes.corpus.text
            await one.press("pagedown")
            seen = "".join(body(one))
            for _ in range(40):
                text.action_scroll_pages(1)
                await one.pilot.pause(0.005)
                seen += "".join(body(one))
            numbers = [number for number in range(500) if f"Line {number} " in seen]
            assert numbers == list(range(min(numbers), max(numbers) + 1))
            assert len(numbers) > 200
            for _ in range(45):
                text.action_scroll_pages(-1)
                await one.pilot.pause(0.005)
            await one.press("pageup")
            await one.shows(f"{len(TEXT):,} characters")
            assert text.top == 0

    run(test)


def test_a_place_is_gone_to_by_its_share_or_its_number() -> None:
    async def test() -> None:
        async with browsing() as one:
            await one.press("g", *"50%", "enter")
            await one.until(lambda: "· 49 %" in one.screen() or "· 50 %" in one.screen())
            at = TEXT.index("Line 7777 ")
            await one.press("g", *f"{at:,}".replace(",", ""), "enter")
            await one.until(lambda: body(one)[0].startswith(" Line 7777 "))
            await one.press("g", *"120%", "enter")
            await one.shows(f"0 % to 100 %, or 0 to {len(TEXT) - 1:,}")
            assert one.app.panes.corpus.input.is_open
            await one.press("escape")
            assert not one.app.panes.corpus.input.is_open
            assert one.app.panes.corpus.text.has_focus
            await one.press("h")
            await one.shows(f"── held out from character {HELD_OUT_AT:,} ─")
            await one.until(lambda: "held out" in body(one)[0])
            assert body(one)[1].startswith(" " + TEXT[HELD_OUT_AT : HELD_OUT_AT + 5].partition("\n")[0][:5])

    run(test)


@pytest.mark.parametrize(
    ("words", "place"),
    [("0", 0), ("0%", 0), ("12.5 %", 125), ("100%", 999), ("1,0", 10), ("999", 999), ("1000", None), ("101 %", None)],
)
def test_what_is_typed_means_a_place_or_none(words: str, place: int | None) -> None:
    assert place_in(words, 1000) == place


@pytest.mark.parametrize("words", ["", "-1", "ten", "5%5", "٣", "1" * 30, "\n"])
def test_what_is_no_place_is_none(words: str) -> None:
    assert place_in(words, 10**6) is None


def test_a_match_is_found_shown_and_walked_through_and_one_that_is_not_there_is_told() -> None:
    async def test() -> None:
        async with browsing() as one:
            text = one.app.panes.corpus.text
            await one.press("slash", *"LINE 9999".lower(), "enter")
            at = TEXT.index("Line 9999")
            await one.shows(f"“line␣9999” at {at:,}", "Line 9999 is here")
            assert one.sent(FindInCorpus)[-1] == FindInCorpus(1, "line 9999", 0)
            number = text.top + next(row for row, line in enumerate(body(one)) if "Line 9999" in line)
            assert any(part == "Line 9999" and style.reverse for part, style in text.row_segments(number))
            await one.press("greater_than_sign")
            await one.shows(f"“line␣9999” at {at:,}, come around")
            await one.press("slash", *("backspace",) * 9, *"last", "enter")
            await one.shows("“last” at")
            await one.press("less_than_sign")
            await one.shows("come around")
            await one.press("slash", *("backspace",) * 4, *"Last", "enter")
            await one.shows("not found: “Last”")
            await one.press("escape")
            await one.until(lambda: "not found" not in one.screen())
            assert text.wanted == ""

    run(test)


def test_a_long_search_says_how_far_it_is_and_esc_ends_it() -> None:
    async def test() -> None:
        async with browsing() as one:
            library, one.engine.library = one.engine.library, None
            await one.press("slash", *"tabs", "enter")
            await one.shows("searching for “tabs”")
            one.engine.say(CorpusSearched(1, 0.37), CorpusSearched(99, 0.99))
            await one.shows("searching for “tabs”: 37% · esc ends it")
            await one.press("escape")
            await one.until(lambda: one.sent(FindInCorpus)[-1].text == "")
            assert "searching" not in one.screen()
            one.engine.library = library

    run(test)


def test_what_the_corpus_cannot_have_is_said_while_one_types() -> None:
    async def test() -> None:
        async with browsing() as one:
            await one.press("slash", "ж")
            await one.shows("the corpus has no ж")
            await one.press("backspace", "L", "l")
            await one.until(lambda: "has no" not in one.screen())

    run(test)


def test_where_the_streams_read_is_marked_and_can_be_gone_along_with() -> None:
    async def test() -> None:
        async with browsing() as one:
            text = one.app.panes.corpus.text
            await one.press("t")
            await one.shows("no stream has read yet")
            await one.press("escape")
            here, far = TEXT.index("here"), TEXT.index("Line 5000")
            one.engine.say(StreamPlaces(2, [here, far]))
            await one.shows("2 streams")
            rows = [text.row_segments(number) for number in range(text.row_count())]
            marked = [part for row in rows for part, style in row if style.reverse]
            assert marked == ["h"]
            await one.press("t")
            await one.shows("along with stream 1 of 2")
            await one.press("t")
            await one.shows("along with stream 2 of 2", "Line 5000 is here")
            one.engine.say(StreamPlaces(2, [here + 50, TEXT.index("Line 6000")]))
            await one.shows("Line 6000 is here")
            await one.press("up")
            await one.until(lambda: "along with" not in one.screen())
            one.engine.say(StreamPlaces(2, [here, TEXT.index("Line 7000")]))
            await one.pilot.pause(0.1)
            assert "Line 7000" not in one.screen()

    run(test)


def test_random_portions_have_no_places_and_that_is_said() -> None:
    async def test() -> None:
        async with browsing() as one:
            config = replace(model().config, training=TrainingConfig(sampling_of_text="random"))
            one.engine.say(msgspec.structs.replace(model(), config=config))
            await one.shows("random portions")
            await one.press("t")
            await one.shows("portions are random: no streams")

    run(test)


def test_the_alphabet_has_each_symbol_with_its_name_and_count() -> None:
    async def test() -> None:
        async with browsing((80, 24)) as one:
            await one.press("a")
            await one.shows("Alphabet", "␣", "space", "U+0020", "line break", f"of {len(set(TEXT))} characters occur")
            count = TEXT.count("\n")
            await one.shows(f"{count:,}", f"{100 * count / len(TEXT):.2f} %")
            await one.press("s")
            await one.shows("s by count")
            assert {width(line) for line in one.lines()} == {80}
            await one.press("escape")
            await one.shows("─ Corpus ─")
            assert not isinstance(one.app.screen, AlphabetScreen)

    run(test)


def test_every_action_of_the_pane_is_in_the_palette_and_brings_the_pane_into_sight() -> None:
    async def test() -> None:
        async with bench((80, 24), library=FakeCorpus(TEXT)) as one:
            commands = {command.title: command for command in one.app.get_system_commands(one.app.screen)}
            wanted = [key for key in keys.TABLE if key.pane == "corpus"]
            assert len(wanted) >= 7
            assert "─ Corpus ─" not in one.screen()
            (go,) = [title for title in commands if title.startswith("Corpus: go to a place")]
            result = commands[go].callback()
            if asyncio.iscoroutine(result):
                await result
            await one.shows("─ Corpus ─", "enter goes there")
            for key in wanted:
                assert any(title.startswith(key.command) for title in commands if key.command)

    run(test)


def test_a_click_on_the_strip_goes_to_that_place() -> None:
    async def test() -> None:
        async with browsing() as one:
            strip = one.app.panes.corpus.strip
            await one.pilot.click(strip, offset=(strip.size.width // 2, 0))
            await one.until(lambda: any(f"· {share} %" in one.screen() for share in range(46, 54)))

    run(test)


def test_the_strip_shows_what_is_in_sight_what_reads_and_what_is_held_out() -> None:
    glyphs, sight = strip_cells(10, 1000, 900, (100, 199), [250, 260, 999, 550])
    assert glyphs == "·●▃··▁···▁"
    assert sight == range(1, 2)
    assert strip_cells(10, 1000, 900, (0, 0), [])[0] == "●········═"
    assert strip_cells(5, 3, 3, (0, 2), [])[0].count("●") == 4
    assert strip_cells(0, 10, 10, (0, 0), [1]) == ("", range(0))


@pytest.mark.parametrize("size", [(120, 34), (100, 30), (80, 24), (60, 16), (40, 10)])
def test_at_any_size_the_rows_are_straight_and_some_text_is_in_sight(size: tuple[int, int]) -> None:
    async def test() -> None:
        async with browsing(size) as one:
            for pressed in ("z", "pagedown", "end", "home", "z", "h"):
                await one.press(pressed)
                await one.pilot.pause(0.05)
                assert {width(line) for line in one.lines()} == {size[0]}, one.screen()
            await one.press("home")
            await one.until(lambda: "Line 0 " in one.screen())

    run(test)


def test_what_is_in_sight_stays_when_the_width_changes_and_when_facts_come() -> None:
    async def test() -> None:
        async with browsing() as one:
            at = TEXT.index("Line 4321 ")
            await one.press("g", *str(at), "enter")
            await one.until(lambda: body(one)[0].startswith(" Line 4321 "))
            await one.pilot.resize_terminal(101, 31)
            await one.until(lambda: body(one)[0].startswith(" Line 4321 "))
            await one.press("home", "down", "down", "down", "down", "down", "down", "down")
            before = one.app.panes.corpus.text.sight[0]
            one.engine.say(BaselinesFound(FIGURES))
            await one.until(lambda: one.app.session.baselines is not None)
            await one.pilot.pause(0.1)
            assert one.app.panes.corpus.text.sight[0] == before

    run(test)


def test_the_pane_holds_little_of_a_long_text_and_asks_for_one_window_at_a_time() -> None:
    long = TEXT * 8

    async def test() -> None:
        async with browsing(text=long) as one:
            text, library = one.app.panes.corpus.text, one.engine.library
            assert library is not None
            for share in (10, 90, 30, 70, 50):
                await one.press("g", *f"{share}%", "enter")
                for _ in range(15):
                    text.action_scroll_pages(1)
                    await one.pilot.pause(0)
                await one.until(lambda share=share: any(f"· {share + more} %" in one.screen() for more in (-1, 0, 1)))
            assert text.pages is not None
            held = sum(sys.getsizeof(page.text) + sys.getsizeof(page.starts) for page in text.pages.pages)
            assert held < 1_000_000
            assert len(library.asked) < 60
            asked = len(library.asked)
            await one.pilot.pause(0.3)
            assert len(library.asked) == asked

    run(test)


def test_controls_and_markup_in_the_text_the_search_and_the_alphabet_stay_text() -> None:
    evil = "[bold]x[/bold]\x1b]52;c;eA==\x07 and \u202e more\n" * 300

    async def test() -> None:
        async with browsing(text=evil, held_out_at=len(evil)) as one:
            await one.shows("[bold]x[/bold]␛]52;c;eA==␇ and ◌ more")
            await one.press("h")
            await one.shows("nothing is held out")
            await one.press("slash", *"[bold]", "enter")
            await one.shows("“[bold]” at")
            await one.press("a")
            await one.shows("␛", "escape", "␇", "right-to-left override")
            assert not any(ord(character) < 32 or character == "\u202e" for character in one.screen().replace("\n", ""))

    run(test)


def test_in_few_rows_the_facts_are_brief_and_a_decoding_that_lost_something_warns() -> None:
    info = corpus(note="UTF-8 with damage, 3 undecodable bytes shown as �")
    (facts, style), *_ = fact_lines(info, None, 40, rows=5)
    assert facts.startswith("100,000 characters, ")
    assert "10% held out; UTF-8 with damage, 3 undecodable bytes shown as �" in facts
    full = fact_lines(info, None, 80)
    assert any("3 undecodable bytes" in line and line_style == style for line, line_style in full)
    assert fact_lines(corpus(), None, 80)[-1][1] != style


COUNTED = {
    "character": [SymbolCount(" ", 1, 90), SymbolCount("\x00", 0, 5), SymbolCount("漢", 2, 5), SymbolCount("~", 3, 0)],
    "byte": [SymbolCount(" ", 32, 90), *(SymbolCount("�", byte, 1) for byte in (0x80, 0xC3, 0xE6, 0xF0, 0xFF))],
    "word": [SymbolCount(" the", 9, 90), SymbolCount("e\u0301", 8, 5), SymbolCount("\n" * 32, 7, 5)],
}


@pytest.mark.parametrize("unit", COUNTED)
def test_a_row_of_the_alphabet_fits_its_width_and_says_what_the_glyph_does_not(unit: str) -> None:
    symbols = COUNTED[unit]
    total = sum(symbol.count for symbol in symbols)
    counted = SymbolsCounted(unit, 1.0, total, len(symbols), len(symbols), symbols)
    for columns in (56, 78, 118, 200):
        for by_number in (False, True):
            rows = symbol_rows(counted, columns, by_number=by_number)
            assert len(rows) == len(symbols) + 1
            assert all(sum(width(text) for text, _ in row) <= columns for row in rows)
            assert all(safe_line(text) == text for row in rows for text, _ in row)
    text = "\n".join("".join(part for part, _ in row) for row in symbol_rows(counted, 118, by_number=False))
    said = {
        "character": ["␣", "space", "U+0020", "␀", "control character", "cjk unified", "tilde", "never", "90.00 %"],
        "byte": ["0x20", "continues a character", "begins a character of 2 bytes", "of 3 bytes", "of 4", "in no text"],
        "word": ["␣the", "90.00 %", "␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊␊…"],
    }
    for words in said[unit]:
        assert words in text


def test_without_an_engine_a_search_and_a_count_say_so() -> None:
    async def test() -> None:
        async with browsing() as one:
            assert one.engine._writer is not None
            one.engine._writer.transport.abort()
            await one.shows("The engine has gone")
            await one.press("slash", *"tabs", "enter")
            await one.shows("the engine has gone")
            await one.press("a")
            await one.shows("enter starts it again, and then it counts")

    run(test)


LONG_LINES = "\n".join(" ".join(f"{line}-{word}" for word in range(1_500)) for line in range(9)) + "\n"


def test_a_line_that_was_wrapped_is_copied_in_one_piece_also_over_two_windows() -> None:
    async def test() -> None:
        async with browsing(text=LONG_LINES) as one:
            text = one.app.panes.corpus.text
            for _ in range(60):
                await one.press("pagedown")
            assert text.pages is not None
            inside = [page for page in text.pages.pages[1:] if LONG_LINES[page.at - 1] != "\n" and not page.ruled]
            assert inside  # a window that begins in the middle of a line
            row = text._above() + text.pages.row_of(inside[0].at)
            first, end = text.span(row - 3)[0], text.span(row + 3)[1]
            text.select(Selection((row - 3, 0), (row + 4, 0)))
            assert text.selected_text().rstrip() == LONG_LINES[first:end].rstrip()

    run(test)


def test_what_is_selected_stays_so_while_windows_come_and_go() -> None:
    async def test() -> None:
        async with browsing() as one:
            text = one.app.panes.corpus.text
            text.go(200_000, 3)
            await one.until(lambda: text.sight[0] <= 200_000 < text.sight[1])
            row = text.top + 2
            text.select(Selection((row, 0), (row + 2, 0)))
            chosen = text.selected_text()
            assert chosen.count("\n") == 2
            assert text.pages is not None
            first = text.pages.first
            for _ in range(24):
                await one.press("pageup")
                assert text.selection is not None
                assert text.selected_text() == chosen
            assert text.pages.first < first
            assert text.selection.begin[0] > row
            text.go(10, 0)
            await one.until(lambda: text.sight[0] < 1000)
            assert text.selection is None

    run(test)
