"""A text in windows, searched and counted: whatever the tokens are, it is the text that was there."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import counting, finding, positions, windows
from charrnn.text.casing import fold, minds_case, variants
from charrnn.text.counting import Counting
from charrnn.text.finding import Search
from charrnn.text.positions import Positions
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words
from charrnn.text.windows import Windows

LETTERS = "aAbB \n\tßéÉ漢🙂Σ"
TEXTS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=300)
KINDS = st.sampled_from([Characters.of_text, lambda _: Bytes(), Words.of_text])
WIDE = [chr(0x4E00 + number) for number in range(300)]


@pytest.fixture(autouse=True)
def _small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Portions so small that a short text has many."""
    monkeypatch.setattr(windows, "PORTION", {"word": 5})
    monkeypatch.setattr(windows, "PORTION_OF_CHARACTERS", 16)
    monkeypatch.setattr(windows, "_SPACE_WITHIN", 4)
    monkeypatch.setattr(positions, "STEP", 8)
    monkeypatch.setattr(finding, "_PIECE", 24)
    monkeypatch.setattr(finding, "_PIECE_OF_WORDS", 7)
    monkeypatch.setattr(counting, "PORTION", 13)


def made(text: str, vocabulary: Vocabulary) -> tuple[np.ndarray, Vocabulary, Positions]:
    ids = vocabulary.encode(text)
    return ids, vocabulary, Positions(ids, vocabulary)


@given(TEXTS, KINDS)
def test_every_token_has_its_place_among_the_characters(text: str, kind: object) -> None:
    ids, vocabulary, where = made(text, kind(text))  # type: ignore[operator]
    assert where.characters == len(text)
    for token in range(len(ids) + 1):
        assert where.before(token) == vocabulary.characters_in(ids[:token])
    for character in range(len(text) + 1):
        token = where.token(character)
        assert where.before(token) <= character
        assert token == len(ids) or character < where.before(token + 1)


@given(TEXTS, KINDS)
def test_the_windows_are_the_text_and_any_character_leads_to_its_own(text: str, kind: object) -> None:
    there = Windows(*made(text, kind(text)))  # type: ignore[operator]
    at, row = 0, []
    while at < len(text):
        first, window = there.at(at)
        assert first == at
        assert window
        row.append((first, window))
        at += len(window)
    assert "".join(window for _, window in row) == text
    for first, window in row:
        for character in range(first, first + len(window)):
            assert there.at(character) == (first, window)
    assert there.at(-7) == row[0]
    assert there.at(10**30) == row[-1]


@given(TEXTS)
def test_a_window_begins_where_a_line_does_if_any_is_near(text: str) -> None:
    there = Windows(*made(text, Characters.of_text(text)))
    for character in range(len(text)):
        first, window = there.at(character)
        assert len(window) <= 2 * 16
        if first and text[first - 1] != "\n":
            assert "\n" not in text[first // 16 * 16 - 1 : first // 16 * 16 + 15]


def expected(text: str, wanted: str, at: int, *, backwards: bool) -> int | None:
    if not minds_case(wanted):
        text = fold(text)
    places = [place for place in range(len(text)) if text.startswith(wanted, place)]
    before, after = [place for place in places if place < at], [place for place in places if place >= at]
    order = [*reversed(before), *reversed(after)] if backwards else [*after, *before]
    return order[0] if order else None


@given(
    TEXTS, KINDS, st.text(st.sampled_from(LETTERS + "xX"), min_size=1, max_size=4), st.integers(-3, 310), st.booleans()
)
def test_a_search_finds_what_a_search_of_the_whole_text_finds(
    text: str, kind: object, wanted: str, at: int, backwards: bool
) -> None:
    search = Search(*made(text, kind(text)), wanted)  # type: ignore[operator]
    looks = (search.look(piece, backwards=backwards) for piece in search.pieces(at, backwards=backwards))
    assert next((found for found in looks if found is not None), None) == expected(
        text, wanted, at, backwards=backwards
    )


def test_ids_of_two_bytes_are_found_only_where_one_begins() -> None:
    text = "".join(WIDE) + "".join(reversed(WIDE))
    search = Search(*made(text, Characters.of_text(text)), WIDE[1] + WIDE[0])
    assert [search.look(piece) for piece in search.pieces(0)].count(len(text) - 2) == 1
    for wanted in (WIDE[256], WIDE[0], WIDE[255] + WIDE[256]):
        for backwards in (False, True):
            search = Search(*made(text, Characters.of_text(text)), wanted)
            found = [search.look(piece, backwards=backwards) for piece in search.pieces(0, backwards=backwards)]
            places = [place for place in range(len(text)) if text.startswith(wanted, place)]
            assert {place for place in found if place is not None} <= set(places)
            assert expected(text, wanted, 0, backwards=backwards) in found


@given(TEXTS, KINDS)
def test_counts_are_those_of_the_tokens(text: str, kind: object) -> None:
    ids, vocabulary, _ = made(text, kind(text))  # type: ignore[operator]
    count = Counting(ids, vocabulary)
    while count.count_next():
        assert 0 < count.share < 1
    assert count.share == 1
    assert {number: int(times) for number, times in enumerate(count.counts) if times} == Counter(ids.tolist())
    told = count.commonest(3)
    assert [times for _, _, times in told] == sorted(count.counts.tolist(), reverse=True)[:3]
    assert all(vocabulary.texts[number] == text for text, number, _ in told)


def test_counts_of_a_long_text_are_kept_for_the_next_time(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    ids, vocabulary, _ = made("to be or not to be", Characters.of_text("to be or not to be"))
    short = Counting(ids, vocabulary)
    short.keep("digest")
    assert not short.recall("digest")
    monkeypatch.setattr(counting, "WORTH_KEEPING", 1)
    first = Counting(ids, vocabulary)
    assert not first.recall("digest")
    while first.count_next():
        pass
    first.keep("digest")
    again = Counting(ids, vocabulary)
    assert again.recall("digest")
    assert again.share == 1
    assert (again.counts == first.counts).all()
    assert not Counting(ids, vocabulary).recall("another")
    assert not Counting(ids[:5], vocabulary).recall("digest")
    (kept,) = (tmp_path / "cache" / "counts").iterdir()
    for damaged in ('{"counts": ["x"]}', '{"counts": [1e400]}', '{"counts": [[1]]}', "{", '{"counts": null}'):
        kept.write_text(damaged)
        assert not Counting(ids, vocabulary).recall("digest")


@given(st.text())
def test_folding_keeps_the_length_and_finds_itself(text: str) -> None:
    assert len(fold(text)) == len(text)
    assert fold(fold(text)) == fold(text)
    assert all(fold(form) == fold(one) for one in text for form in variants(one))
    assert all(one in variants(one) for one in text)
