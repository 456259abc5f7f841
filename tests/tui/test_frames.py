"""Whatever frames follow each other, the terminal shows the last one, and was sent little to get there."""

from __future__ import annotations

import pyte
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

from tests.terminal.pseudo_terminal import UNREAD
from tui.cells import sgr
from tui.frames import Frame
from tui.terminal import pad, safe_line, width

COLUMNS, ROWS = 24, 7
STYLES = [Style(), Style(color="#00868b"), Style(bold=True), Style(reverse=True), Style(underline=True, color="red")]
LETTERS = st.text(st.sampled_from("ab  │漢e\u0301字é⟨"), max_size=COLUMNS)
PIECES = st.lists(st.tuples(LETTERS, st.sampled_from(STYLES)), max_size=4)
SPAN = st.tuples(st.integers(0, ROWS - 1), st.integers(0, COLUMNS - 1), PIECES)


def row(pieces: list[tuple[str, Style]], columns: int) -> list[Segment]:
    """The pieces in exactly so many cells, none beginning with a mark that would change the cell before."""
    segments, used = [], 0
    for text, style in pieces:
        text = pad(safe_line(text.lstrip("\u0301")), min(len(text) * 2, columns - used))
        used += sum(0 if letter == "\u0301" else 2 if letter in "漢字" else 1 for letter in text)
        segments.append(Segment(text, style))
    return [*segments, Segment(" " * (columns - used))]


class Glass:
    """A terminal and the frame that writes to it."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self.frame, self.size = Frame(), (columns, rows)
        self.screen = pyte.Screen(columns, rows)
        self.screen.reset_mode(pyte.modes.DECAWM)
        self.stream = pyte.ByteStream(self.screen)

    def show(self, spans: list[tuple[int, int, list[Segment]]], cursor: tuple[int, int] | None = None) -> int:
        data = self.frame.update(self.size, spans, ColorSystem.TRUECOLOR, cursor).encode()
        self.stream.feed(UNREAD.sub(b"", data))
        return len(data)

    def cells(self) -> list[list[tuple[object, ...]]]:
        """Text and looks of each cell, the colour of a blank left out: nobody sees it."""
        looks = []
        for y in range(self.screen.lines):
            cells = [self.screen.buffer[y][x] for x in range(self.screen.columns)]
            looks.append([(c.data, c.reverse, c.underscore, *((c.fg, c.bold) if c.data != " " else ())) for c in cells])
        return looks


@settings(max_examples=150)
@given(st.lists(st.lists(SPAN, max_size=8), min_size=1, max_size=6))
def test_after_any_updates_the_terminal_shows_what_one_frame_would(updates: list[list[tuple[int, int, list]]]) -> None:  # type: ignore[type-arg]
    glass = Glass()
    rows = {y: row([], COLUMNS) for y in range(ROWS)}
    for update in updates:
        for y, _, pieces in update:
            rows[y] = row(pieces, COLUMNS)
        glass.show([(y, 0, rows[y]) for y, _, _ in update])
    whole = Glass()
    whole.show([(y, 0, segments) for y, segments in rows.items()])
    assert glass.cells() == whole.cells()


@given(st.lists(PIECES, min_size=ROWS, max_size=3 * ROWS), st.lists(st.integers(-3, 3), max_size=6))
def test_rows_that_move_either_way_show_as_if_drawn_anew(text: list[list[tuple[str, Style]]], moves: list[int]) -> None:
    glass, top = Glass(), 0
    for by in [0, *moves]:
        top = max(0, min(top + by, len(text) - ROWS))
        shown = [(y, 0, row(text[top + y], COLUMNS)) for y in range(ROWS)]
        glass.show(shown)
        whole = Glass()
        whole.show(shown)
        assert glass.cells() == whole.cells()


def lines(*words: str) -> list[tuple[int, int, list[Segment]]]:
    return [(y, 0, [Segment(pad(text, COLUMNS))]) for y, text in enumerate(words)]


def test_the_same_frame_again_costs_nothing() -> None:
    glass = Glass()
    assert glass.show(lines("one", "two")) > 0
    assert glass.show(lines("one", "two")) == 0


def test_text_that_grows_costs_its_characters_and_nothing_else() -> None:
    glass = Glass()
    glass.show(lines("to"))
    glass.show(lines("to be"))
    assert glass.show(lines("to be or not")) == len(" or not")


def test_a_row_that_scrolls_in_costs_less_than_two_rows() -> None:
    glass = Glass(100, 20)
    text = ["".join(chr(97 + number * column % 23) for column in range(90)) for number in range(1, 31)]
    glass.show([(y, 0, [Segment(pad(text[y], 100))]) for y in range(20)])
    cost = glass.show([(y, 0, [Segment(pad(text[y + 1], 100))]) for y in range(20)])
    assert cost < 140
    assert [line.rstrip() for line in glass.screen.display] == [line.rstrip() for line in text[1:21]]


def test_a_forgotten_frame_is_sent_whole() -> None:
    glass = Glass()
    glass.show(lines("one", "two"))
    glass.screen.erase_in_display(2)
    glass.frame.forget()
    glass.show(lines("one", "two"))
    assert glass.screen.display[0].startswith("one")
    assert glass.screen.display[1].startswith("two")


@pytest.mark.parametrize("letter", ["🚀", "e\u0301", "👨", "\u0e33"])
def test_after_a_character_of_doubtful_width_the_column_is_set_anew(letter: str) -> None:
    data = Frame().update((COLUMNS, ROWS), lines(letter + "|"), ColorSystem.TRUECOLOR, None)
    assert f"\x1b[1;{1 + width(letter)}H|" in data


def test_a_control_character_does_not_pass_whoever_drew_it() -> None:
    data = Frame().update((COLUMNS, ROWS), [(0, 0, [Segment("a\x1b]52;c;eA==\x07\x9bb")])], ColorSystem.TRUECOLOR, None)
    assert "\x1b]" not in data
    assert "\x07" not in data
    assert "\x9b" not in data


def test_a_cursor_that_an_input_asks_for_is_put_there() -> None:
    glass = Glass()
    glass.show(lines("one"), cursor=(5, 3))
    assert (glass.screen.cursor.x, glass.screen.cursor.y) == (5, 3)


def test_the_terminals_own_colours_need_no_numbers() -> None:
    assert sgr(Style(color="default", bgcolor="default", bold=True), ColorSystem.TRUECOLOR) == "1"
    assert sgr(Style(color="#01277f"), ColorSystem.TRUECOLOR) == "38;2;1;39;127"
    assert sgr(Style(color="red"), None) == ""
