"""The windows that the corpus pane holds: rows that are the text, whichever way one comes, in little memory."""

from __future__ import annotations

import sys
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from charrnn.text.visible import visible_line
from tests.tui.fake_corpus import FakeCorpus
from tui.pages import KEPT, Page, Pages, row_starts, shown
from tui.terminal import width

HARD = "ab c\t\n漢🙂e\u0301\u0301\u200d\x1b\x07é"
TEXTS = st.text(st.sampled_from(HARD), min_size=1, max_size=400)


def rows_of(text: str, columns: int) -> list[str]:
    starts = [*row_starts(text, columns), len(text)]
    return [text[begin:end] for begin, end in pairwise(starts)]


@given(TEXTS, st.integers(1, 40))
def test_rows_are_the_text_and_none_is_wider_than_its_room(text: str, columns: int) -> None:
    rows = rows_of(text, columns)
    assert "".join(rows) == text
    assert all(row for row in rows)
    for row in rows:
        drawn = shown(row.removesuffix("\n"))
        assert width(drawn.rstrip(" ")) <= max(2, columns) + (columns < 3)
        assert "\n" not in row[:-1]
        assert drawn.replace(" ", "") == visible_line(drawn).replace(" ", "")


def test_a_row_break_comes_after_a_word_and_a_tab_reaches_its_stop() -> None:
    assert rows_of("one two three\nfour\n\nfive", 8) == ["one two ", "three\n", "four\n", "\n", "five"]
    assert [shown(row) for row in rows_of("\tab\tc", 40)] == ["    ab  c"]
    assert all(width(shown(row).rstrip()) <= 10 for row in rows_of("\t\tx = 1\tdone\tagain", 10))


def all_pages(corpus: FakeCorpus, held_out_at: int, columns: int) -> Pages:
    pages = Pages(len(corpus.text), held_out_at, columns)
    while pages.end < len(corpus.text):
        window = corpus.window(pages.end)
        pages.put(window.at, window.text)
    return pages


def spans(pages: Pages) -> list[tuple[int, int, bool]]:
    found = []
    for number in range(pages.rows):
        page, row = pages.find(number)
        found.append((*page.span(row), page.ruled and row == 0))
    return found


@given(TEXTS, st.integers(0, 400), st.integers(3, 40), st.integers(0, 400))
def test_the_rows_are_the_same_on_the_way_up_as_on_the_way_down(text: str, held: int, columns: int, start: int) -> None:
    corpus = FakeCorpus(text, size=32)
    held_out_at = min(held, len(text))
    down = spans(all_pages(corpus, held_out_at, columns))
    pages = Pages(len(text), held_out_at, columns)
    window = corpus.window(min(start, len(text) - 1))
    pages.put(window.at, window.text)
    while (missing := pages.missing(0, 10**6)) is not None:
        window = corpus.window(missing)
        pages.put(window.at, window.text)
    assert spans(pages) == down
    assert "".join(text[first:end] for first, end, _ in down) == text
    assert [first for first, _, ruled in down if ruled] == ([held_out_at] if 0 <= held_out_at < len(text) else [])
    for character in range(len(text)):
        page, row = pages.find(pages.row_of(character))
        first, end = page.span(row)
        assert first <= character < end


def test_the_head_makes_room_for_the_windows_that_it_is_cut_otherwise_than() -> None:
    corpus = FakeCorpus("a line of the text\n" * 1000)
    pages = Pages(len(corpus.text), 15_000, 60)
    pages.begin_with(corpus.text[:5005])
    assert pages.missing(0, 10) == 0
    for _ in range(20):
        missing = pages.missing(0, 10_000)
        if missing is None:
            break
        window = corpus.window(missing)
        pages.put(window.at, window.text)
    assert spans(pages) == spans(all_pages(corpus, 15_000, 60))


def test_of_a_long_text_little_is_kept_however_far_one_scrolls() -> None:
    corpus = FakeCorpus(("word " * 30 + "\n") * 20_000)
    pages = Pages(len(corpus.text), len(corpus.text) - 1000, 80)
    top, height, most = 0, 30, 0
    while pages.end < len(corpus.text):
        missing = pages.missing(top, height)
        if missing is not None:
            window = corpus.window(missing)
            pages.put(window.at, window.text)
            before = pages.find(top)[0].span(0)
            rows = pages.rows
            pages.forget(top, height)
            top -= rows - pages.rows
            assert pages.find(top)[0].span(0) == before
        top = min(top + height, pages.rows - height)
        held = sum(sys.getsizeof(page.text) + sys.getsizeof(page.starts) for page in pages.pages)
        most = max(most, held)
    assert most < 4 * KEPT


def test_a_window_of_nothing_but_line_breaks_takes_little_memory() -> None:
    page = Page(0, "\n" * 16_384, 80)
    assert page.rows == 16_384
    assert sys.getsizeof(page.text) + sys.getsizeof(page.starts) < 100_000


def test_matches_are_found_whatever_the_case_unless_a_capital_is_typed() -> None:
    page = Page(10, "The the THE", 80)
    assert list(page.matches("the")) == [0, 4, 8]
    assert list(page.matches("The")) == [0]
