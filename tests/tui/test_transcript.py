"""The stream's text: wrapped once, marked where a knob changed, bounded."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Knobs
from charrnn.engine.messages import Generated
from tests.thorough import examples
from tui.terminal import safe, width
from tui.transcript import Transcript

WARM, COLD = Knobs(temperature=0.85), Knobs(temperature=0.8)


def piece(
    text: str, position: int, knobs: Knobs = COLD, *, stream: int = 0, seed: int = 1, prime: bool = False
) -> Generated:
    return Generated(position, text, knobs, stream, seed, prime, 1)


def rows(transcript: Transcript) -> list[str]:
    return ["".join(text for text, _ in transcript.row(number)) for number in range(len(transcript.index))]


def fed(texts: list[str], columns: int = 60) -> Transcript:
    transcript = Transcript(columns)
    position = 0
    for text in texts:
        transcript.add(piece(text, position))
        position += len(text)
    return transcript


@given(st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=20), st.integers(2, 30))
def test_any_pieces_wrap_as_their_whole_does(texts: list[str], columns: int) -> None:
    whole = fed(["".join(texts)], columns)
    grown = fed(texts, columns)
    assert rows(grown) == rows(whole)
    grown.rewrap(columns)
    assert rows(grown) == rows(whole)


@given(
    st.lists(st.tuples(st.text("ab é漢\n", max_size=12), st.sampled_from([COLD, WARM]), st.booleans()), max_size=25),
    st.integers(2, 30),
)
def test_any_order_of_knobs_and_text_leaves_what_wrapping_anew_gives(
    steps: list[tuple[str, Knobs, bool]], columns: int
) -> None:
    transcript = Transcript(columns)
    position = 0
    for text, knobs, turn in steps:
        if turn:
            transcript.want(knobs)
        transcript.add(piece(text, position, knobs))
        position += len(text)
    shown = rows(transcript)
    assert all(width(row.rstrip()) <= columns for row in shown)
    transcript.rewrap(columns)
    assert rows(transcript) == shown
    assert transcript.characters == sum(len(one.text) + 1 for one in transcript.paragraphs) - 1


def test_a_changed_knob_is_marked_where_it_changed() -> None:
    transcript = fed(["to be "])
    transcript.add(piece("or not", 6, WARM))
    assert transcript.row(1) == [("to be ", "text"), ("⟨T 0.85⟩", "mark"), ("or not", "text")]


def test_a_mark_shows_before_the_first_character_made_under_it() -> None:
    transcript = fed(["to be"])
    transcript.want(WARM)
    assert transcript.row(1)[-1] == ("⟨T 0.85⟩", "pending")
    transcript.add(piece(" or", 5))
    assert rows(transcript)[1] == "to be or⟨T 0.85⟩"
    transcript.add(piece(" not", 8, WARM))
    assert [kind for _, kind in transcript.row(1)] == ["text", "mark", "text"]


def test_changes_with_no_character_between_make_one_mark_or_none() -> None:
    transcript = fed(["to be"])
    transcript.want(WARM)
    transcript.want(Knobs(temperature=0.9, top_k=40))
    assert transcript.row(1)[-1][0] == "⟨T 0.90 · top-k 40⟩"
    transcript.want(COLD)
    assert rows(transcript)[1] == "to be"


def test_the_prime_is_told_from_what_the_model_wrote() -> None:
    transcript = Transcript(40)
    transcript.add(piece("To be", 0, prime=True))
    transcript.add(piece(" or", 5))
    assert transcript.row(1) == [("To be", "prime"), (" or", "text")]


def test_a_restart_begins_a_paragraph_that_names_its_seed() -> None:
    transcript = fed(["to be"])
    transcript.add(piece("or not", 5, stream=1, seed=7))
    assert rows(transcript) == ["── seed 1 ──", "to be", "", "── seed 7 ──", "or not"]
    assert transcript.said() == "or not"


def test_text_that_was_dropped_for_a_slow_client_is_named() -> None:
    transcript = fed(["to be"], 60)
    transcript.add(piece("question", 105))
    assert rows(transcript)[1] == "to be⟨… 100 characters not shown⟩question"


@examples(20)
@given(st.text("ab \n", min_size=1, max_size=50))
def test_memory_stays_bounded_for_any_text_that_goes_on(text: str) -> None:
    transcript = Transcript(20, limit=5000)
    for number in range(400):
        transcript.add(piece(text, number * len(text)))
    assert transcript.characters <= 5000 * 1.05 + 4096
    assert len(transcript.index) == sum(len(one.rows) for one in transcript.paragraphs)
    assert len(transcript.said()) <= 5000 + 50


def test_only_the_rows_that_changed_are_named() -> None:
    transcript = fed(["one\ntwo\nthree"])
    transcript.take_changed()
    transcript.add(piece("!", 13))
    assert transcript.take_changed() == 3
    assert transcript.take_changed() == len(transcript.index)


def test_a_text_without_line_breaks_is_added_to_as_fast_as_any() -> None:
    transcript = Transcript(80)
    begun = time.process_time()
    for number in range(20_000):
        transcript.add(piece("abcdé", number * 5))
    assert time.process_time() - begun < 3.0


def test_a_million_characters_wrap_anew_within_a_second() -> None:
    transcript = fed(["The quick brown fox — jumps over the lazy dog and\n" * 20_000], 80)
    begun = time.process_time()
    transcript.rewrap(60)
    assert time.process_time() - begun < 1.0


def test_control_characters_of_the_model_are_shown_not_sent() -> None:
    transcript = fed(["a\x1b]52;c;eA==\x07b"], 40)
    assert rows(transcript)[1] == safe("a\x1b]52;c;eA==\x07b") == "a␛]52;c;eA==␇b"


@given(
    st.lists(st.text(st.characters(), max_size=30), min_size=1, max_size=20),
    st.integers(2, 30),
    st.integers(2, 30),
)
def test_every_character_shown_knows_where_in_the_stream_it_comes_from(
    texts: list[str], columns: int, later: int
) -> None:
    transcript = fed(texts, columns)
    transcript.rewrap(later)
    said = "".join(texts)
    seen = set()
    for number in range(len(transcript.index)):
        text = "".join(text for text, _ in transcript.row(number))
        positions = transcript.positions(number)
        assert len(positions) == len(text)
        for character, position in zip(text, positions, strict=True):
            if position >= 0:
                seen.add(position)
                assert character in safe(said[position], column=0) or said[position] == "\t"
    assert seen == {position for position, character in enumerate(said) if character != "\n"}


def test_a_long_line_that_was_divided_still_knows_where_it_comes_from() -> None:
    said = "abcdefghij " * 1_000
    transcript = fed([said[at : at + 7] for at in range(0, len(said), 7)], 60)
    shown = [
        (character, position)
        for number in range(len(transcript.index))
        for character, position in zip(
            "".join(text for text, _ in transcript.row(number)), transcript.positions(number), strict=True
        )
        if position >= 0
    ]
    assert [position for _, position in shown] == list(range(len(said)))
    assert "".join(character for character, _ in shown) == said
