"""Text is selected with the mouse or by rows, shown so, and copied whole to the clipboard and a file."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import MouseDown, MouseMove, MouseUp

from charrnn.config import Knobs
from charrnn.engine.messages import Generated
from tests.tui.test_workbench import Bench, bench, run
from tui.copying import CLIPBOARD, clipped, sequences
from tui.selection import Selection, word_at
from tui.terminal import rest_marks, safe_line, width
from tui.transcript import Transcript

TEXT = st.text(st.sampled_from("ab 漢e\u0301字é"), max_size=30).map(safe_line).map(rest_marks)


@given(TEXT, st.integers(0, 40), st.integers(0, 40))
def test_a_selection_of_a_row_is_a_piece_of_it_and_all_of_it_is_all(text: str, one: int, other: int) -> None:
    piece = Selection.between((3, one), (3, other)).of(3, text)
    assert piece in text
    assert Selection((2, 5), (4, 0)).of(3, text) == text
    assert Selection.between((3, one), (3, other)) == Selection.between((3, other), (3, one))


def test_a_wide_character_is_taken_when_either_half_is() -> None:
    assert Selection((0, 1), (0, 3)).of(0, "a漢b") == "漢"
    assert Selection((0, 1), (0, 2)).of(0, "a漢b") == "漢"


@given(TEXT.filter(bool), st.integers(0, 29))
def test_two_clicks_select_the_word_under_them(text: str, column: int) -> None:
    if column < width(text):
        word = word_at(0, text, column).of(0, text)
        assert re.fullmatch(r"[\w\u0301]+|[\s\u0301]+|◌\u0301*", word)
        assert word in text
    assert word_at(0, "to be, or", 3).of(0, "to be, or") == "be"


def reversed_cells(one: Bench) -> str:
    """What is shown as selected; the title of the pane with the focus is reversed too, and is none of it."""
    strips = [strip for strip in one.app.screen._compositor.render_strips() if not strip.text.startswith(("╭", "──"))]
    return "\n".join(
        line
        for strip in strips
        if (line := "".join(part.text for part in strip if part.style is not None and part.style.reverse))
    )


async def mouse(one: Bench, kind: type, widget: Any, place: tuple[int, int]) -> None:
    """As the terminal tells it, at a cell of a widget's content: (column, row)."""
    x = widget.region.x + widget.gutter.left + place[0]
    y = widget.region.y + widget.gutter.top + place[1]
    one.app.screen._forward_event(kind(None, x, y, 0, 0, 1, False, False, False, x, y))
    await one.pilot.pause()


async def drag(one: Bench, widget: Any, begin: tuple[int, int], end: tuple[int, int]) -> None:
    await mouse(one, MouseDown, widget, begin)
    await mouse(one, MouseMove, widget, end)


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path


def test_text_dragged_over_in_the_corpus_is_shown_selected_and_copied(copies: Path) -> None:
    async def test() -> None:
        async with bench() as one:
            await one.shows("To be, or not to be")
            text = one.app.panes.corpus.text
            (number,) = [n for n in range(text.row_count()) if text.row_text(n).startswith("To be, or")][:1]
            await drag(one, text, (1, number), (5, number))
            await mouse(one, MouseUp, text, (5, number))
            await one.shows("Copied 5 characters")
            assert reversed_cells(one) == "To be"
            (written,) = copies.rglob("*.txt")
            assert written.read_text() == one.app.clipboard == "To be"
            text.focus()
            await one.press("escape")
            await one.until(lambda: not reversed_cells(one))

    run(test)


def test_the_stream_rests_under_the_pointer_and_follows_again(copies: Path) -> None:
    async def test() -> None:
        async with bench(pace=1000.0) as one:
            stream = one.app.panes.stream.text
            await one.until(lambda: stream.last_top > 20)
            await drag(one, stream, (1, 2), (9, 4))
            top, rows = stream.top, stream.row_count()
            chosen = stream.selected_text()
            assert len(chosen.splitlines()) == 3
            await one.until(lambda: stream.row_count() > rows + 10)
            assert (stream.top, stream.selected_text()) == (top, chosen)
            assert reversed_cells(one).splitlines() == [line.rstrip() or line for line in chosen.splitlines()]
            await mouse(one, MouseUp, stream, (9, 4))
            await one.shows("Copied")
            await one.until(lambda: stream.following and stream.top == stream.last_top)
            assert one.app.clipboard == chosen

    run(test)


def test_what_is_selected_stays_the_same_text_when_older_text_is_dropped_or_put_in_front() -> None:
    async def test() -> None:
        async with bench(pace=1000.0) as one:
            stream = one.app.panes.stream.text
            await one.until(lambda: stream.row_count() > 60)
            stream.select(Selection((50, 0), (52, 5)))
            chosen = stream.selected_text()
            stream.transcript.limit = round(stream.transcript.characters / 1.06) - 200
            stream.transcript._forget()
            stream.transcript.limit = 1_000_000
            await one.until(lambda: stream.selection is not None and stream.selection.begin[0] < 50)
            assert stream.selected_text() == chosen
            older = Transcript(stream.transcript.columns)
            older.add(Generated(0, "older\n" * 9, Knobs(), 0, 1, False, 1))
            begin = stream.selection.begin[0]
            stream.transcript.prepend(older)
            await one.until(lambda: stream.selection is not None and stream.selection.begin[0] > begin)
            assert stream.selected_text() == chosen

    run(test)


def test_rows_are_selected_by_keys_and_y_copies_them_and_a_wrapped_line_is_one(copies: Path) -> None:
    async def test() -> None:
        async with bench((60, 20), pace=500.0, text="word " * 40 + "\n") as one:
            stream = one.app.panes.stream.text
            await one.until(lambda: stream.row_count() > 30)
            await one.press("shift+up", "shift+up", "shift+up", "shift+up")
            assert stream.selection is not None
            assert stream.selection.end[0] - stream.selection.begin[0] == 4
            assert not stream.following
            await one.press("y")
            await one.shows("Copied")
            assert one.app.clipboard.count("\n") <= 1
            await one.press("escape")
            await one.until(lambda: stream.following and stream.selection is None)

    run(test)


def test_two_clicks_copy_the_word_and_three_the_row(copies: Path) -> None:
    async def test() -> None:
        async with bench() as one:
            text = one.app.panes.corpus.text
            await one.shows("To be, or not to be")
            number = next(n for n in range(text.row_count()) if text.row_text(n).startswith("To be, or"))
            await one.pilot.click(text, offset=(2 + 11, number), times=2)
            await one.until(lambda: one.app.clipboard == "not")
            await one.pilot.click(text, offset=(2 + 11, number), times=3)
            await one.until(lambda: one.app.clipboard.startswith("To be, or not to be, that is"))

    run(test)


# ---- the clipboard -------------------------------------------------------------------------------------------


def undone(code: str) -> str:
    found = re.fullmatch(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", code)
    assert found
    return base64.b64decode(found[1]).decode()


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=600))
def test_any_text_reaches_the_clipboard_also_through_tmux_and_screen(text: str) -> None:
    assert undone(sequences(text, {})) == text
    plain, _, passed = sequences(text, {"TMUX": "/tmp/tmux,1,0", "TERM": "screen"}).partition("\x1bPtmux;")
    assert undone(plain) == text
    assert passed.endswith("\x1b\\")
    assert undone(passed[:-2].replace("\x1b\x1b", "\x1b")) == text
    for environ in ({"STY": "1.pts", "TERM": "xterm"}, {"TERM": "screen-256color"}):
        pieces = sequences(text, environ).split("\x1bP")
        assert pieces[0] == ""
        assert all(piece.endswith("\x1b\\") and len(piece) < 300 for piece in pieces[1:])
        assert undone("".join(piece[:-2] for piece in pieces[1:])) == text


@given(st.text(st.sampled_from("a漢é"), min_size=1, max_size=50).map(lambda text: text * (CLIPBOARD // 50)))
def test_what_goes_to_the_clipboard_is_the_end_and_no_longer_than_terminals_take(text: str) -> None:
    kept = clipped(text)
    assert text.endswith(kept)
    assert len(base64.b64encode(kept.encode())) <= 74_994
    assert kept == text or len(kept.encode()) > CLIPBOARD - 4
