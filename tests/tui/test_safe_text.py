"""Whatever the text, the terminal gets glyphs."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.terminal import breaks, cut, fit, pad, rest_marks, safe, safe_line, width, wrap

ANY_TEXT = st.text(st.characters(), max_size=200)
NASTY = st.text(st.sampled_from("a b\n\t\x1b\x07\x9b\u202e\u2066\u200d\ufe0f\u0301é漢👩🏽🇩\ud800\ue000\u2028\u0378"))
TEXT = ANY_TEXT | NASTY


@given(TEXT)
def test_no_character_of_any_text_acts_on_the_terminal(text: str) -> None:
    for character in safe(text):
        assert character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(TEXT)
def test_one_line_of_any_text_is_one_line(text: str) -> None:
    assert len(safe_line(text).splitlines()) <= 1
    assert safe(safe_line(text)) == safe_line(text)


@given(TEXT)
def test_making_any_text_safe_twice_changes_nothing(text: str) -> None:
    assert safe(safe(text)) == safe(text)
    assert safe_line(safe_line(text)) == safe_line(text)


@given(TEXT, st.data())
def test_any_text_is_made_safe_the_same_way_in_pieces(text: str, data: st.DataObject) -> None:
    text = text.replace("\t", " ")
    at = data.draw(st.integers(0, len(text)))
    assert safe(text[:at]) + safe(text[at:]) == safe(text)


@given(TEXT)
def test_the_width_of_any_safe_text_is_the_sum_of_its_characters_widths(text: str) -> None:
    line = safe_line(text)
    assert width(line) == cell_len(line) == sum(map(cell_len, line))


@given(TEXT, st.integers(0, 40))
@example("\u0300", 0)
def test_fitted_text_fits_and_padded_text_fills(text: str, columns: int) -> None:
    line = safe_line(text)
    assert width(fit(line, columns)) <= columns
    assert width(pad(line, columns)) == columns
    assert fit(line, 0) == ""  # not even a mark that takes no cell: it would change the one before
    if columns > 0 and width(line) <= columns:
        assert fit(line, columns) == line


@given(TEXT, st.integers(2, 40))
def test_wrapping_any_text_keeps_every_character_and_fits_every_row(text: str, columns: int) -> None:
    shown = safe(text)
    rows = wrap(shown, columns)
    assert all(width(row) <= columns for row in rows)
    kept = "".join(rows).replace(" ", "")
    assert kept == "".join(map(rest_marks, shown.split("\n"))).replace(" ", "")


@given(TEXT, st.integers(1, 40))
def test_wrapping_may_go_on_from_any_row(text: str, columns: int) -> None:
    line = safe_line(text)
    rows = breaks(line, columns)
    assert rows == sorted(set(rows))
    for number, row in enumerate(rows):
        assert breaks(line, columns, row) == rows[number:]


@given(st.integers(1, 6))
def test_a_cut_never_parts_a_mark_from_its_letter(columns: int) -> None:
    text = "e\u0301" * 8
    assert cut(text, columns) == 2 * columns


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[31m", "␛[31m"),
        ("\x00\x7f", "␀␡"),
        ("\x9b1m", "�1m"),
        ("a\u202eb\u2066c", "a◌b◌c"),
        ("\ud800", "�"),
        ("\ue000\u0378", "��"),
        ("👩\u200d🚀", "👩◌🚀"),
        ("🇩🇪", "🄳🄴"),
        ("[bold]x[/bold]", "[bold]x[/bold]"),
        ("a\tb\n\tc", "a   b\n    c"),
        ("漢\tx", "漢  x"),
    ],
)
def test_what_is_shown_for(raw: str, shown: str) -> None:
    assert safe(raw) == shown


def test_tab_stops_count_from_the_column_at_which_a_piece_begins() -> None:
    assert safe("\tx", column=3) == " x"


def test_words_stay_whole_when_they_fit() -> None:
    assert [row.rstrip() for row in wrap("to be or not to be", 8)] == ["to be or", "not to", "be"]


def test_a_million_characters_are_safe_within_a_moment() -> None:
    import time

    text = "The quick brown fox jumps over the lazy dög\n" * 25_000
    begun = time.perf_counter()
    safe(text)
    assert time.perf_counter() - begun < 1.0
