"""Text to ids and back, by characters, bytes and words."""

import json
import string
import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from charrnn.config import Tokens, UsageError
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words, from_facts, vocabulary_of, words
from tests.thorough import examples

ANY_CHARACTER = st.characters(exclude_categories=())  # lone surrogates and unassigned code points, too
ANY_TEXT = st.text(ANY_CHARACTER)


@given(st.text(ANY_CHARACTER, min_size=1))
def test_any_text_comes_back_from_its_own_ids(text: str) -> None:
    vocabulary = Characters.of_text(text)
    ids = vocabulary.encode(text)
    assert vocabulary.symbols == "".join(sorted(set(text)))
    assert [vocabulary.symbols[i] for i in ids] == list(text)
    assert vocabulary.decode(ids) == text


@given(st.text(ANY_CHARACTER, min_size=1), ANY_TEXT)
def test_of_any_text_the_known_and_the_unknown_are_told_apart(learnt: str, text: str) -> None:
    vocabulary = Characters.of_text(learnt)
    assert vocabulary.known(text) == "".join(c for c in text if c in learnt)
    assert vocabulary.unknown(text) == [c for c in dict.fromkeys(text) if c not in learnt]
    if vocabulary.unknown(text):
        with pytest.raises(UsageError):
            vocabulary.encode(text)
    else:
        assert vocabulary.decode(vocabulary.encode(text)) == text


@given(ANY_TEXT)
def test_printable_replaces_whatever_it_lacks(text: str) -> None:
    vocabulary = Characters.printable()
    assert vocabulary.symbols == string.printable
    shown = vocabulary.decode(vocabulary.encode(text))
    assert shown == "".join(c if c in string.printable else "?" for c in text)


def test_the_symbols_survive_json() -> None:
    vocabulary = Characters.of_text("a\u2028\ud800\U0001f600\n")
    assert Characters(json.loads(json.dumps(vocabulary.symbols))) == vocabulary


@pytest.mark.parametrize(("size", "dtype"), [(2, "u1"), (256, "u1"), (257, "u2"), (65536, "u2"), (65537, "u4")])
def test_ids_take_the_smallest_type_that_holds_them(size: int, dtype: str) -> None:
    text = "".join(map(chr, range(size)))
    vocabulary = Characters.of_text(text)
    ids = vocabulary.encode(text)
    assert ids.dtype == np.dtype(dtype)
    assert ids[-1] == size - 1
    assert len(vocabulary) == size


def test_an_unknown_character_is_named_and_many_are_counted() -> None:
    vocabulary = Characters.of_text("ab")
    with pytest.raises(UsageError, match=r"a character that the model does not know \('é'\)"):
        vocabulary.encode("abéab")
    with pytest.raises(UsageError, match="and 16 more"):
        vocabulary.encode(string.ascii_lowercase + "01")


def test_an_id_that_is_none_is_refused() -> None:
    for wrong in (-1, 2):
        with pytest.raises(IndexError):
            Characters.of_text("ab").decode(np.array([wrong]))


@pytest.mark.parametrize(("symbols", "replacement"), [("", None), ("aba", None), ("ab", "c"), ("ab", "")])
def test_a_vocabulary_that_cannot_be_is_refused(symbols: str, replacement: str | None) -> None:
    with pytest.raises(ValueError, match=r"must be|needs"):
        Characters(symbols, replacement)


@pytest.mark.parametrize("line", ["all the characters of ASCII\n", "some of them aren’t — são\n"])
def test_a_long_text_crosses_portions_unharmed_and_fast(line: str) -> None:
    text = line * 200_000
    before = time.process_time()
    vocabulary = Characters.of_text(text)
    ids = vocabulary.encode(text)
    assert time.process_time() - before < 1.0  # 5 MB; 0.05 s where it was written, 2 s with a loop over characters
    assert vocabulary.decode(ids) == text


# ---- every kind ----------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]))  # what files hold: a lone surrogate has no UTF-8 form
PARTS = ["the", " the", "cat", " ", "   ", "\n", "\n\n", "\t", "\r\n", ".", "...", "é", "日本", "🙂", "x" * 80]
WORDY = st.lists(st.sampled_from(PARTS) | TEXT).map("".join)
KINDS: list[Tokens] = ["char", "byte", "word"]


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    """The text cut at these places, some of which may be the same."""
    places = sorted(min(cut, len(text)) for cut in cuts)
    return [text[a:b] for a, b in pairwise([0, *places, len(text)])]


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(WORDY.filter(bool))
def test_any_text_is_what_its_tokens_spell_whatever_the_kind(kind: Tokens, text: str) -> None:
    vocabulary = vocabulary_of(kind, [text])
    ids = vocabulary.encode(text)
    assert vocabulary.decode(ids) == text
    assert ids.dtype == vocabulary.dtype
    assert ids.max() < len(vocabulary) == len(vocabulary.texts)
    assert vocabulary.characters_in(ids) == len(text)
    decoder = vocabulary.decoder()
    assert "".join(decoder.feed(token) for token in ids.tolist()) == text
    assert vocabulary.unknown(text) == []


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(WORDY.filter(bool), st.lists(st.integers(0, 200), max_size=8))
def test_any_cut_into_pieces_gives_the_same_vocabulary_and_the_same_ids(
    kind: Tokens, text: str, cuts: list[int]
) -> None:
    pieces = pieces_of(text, cuts)
    whole = vocabulary_of(kind, [text])
    assert vocabulary_of(kind, pieces) == whole
    assert np.concatenate(list(whole.encode_chunks(pieces))).tolist() == whole.encode(text).tolist()


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(WORDY.filter(bool))
def test_any_vocabulary_is_made_again_from_its_facts_by_way_of_json(kind: Tokens, text: str) -> None:
    vocabulary = vocabulary_of(kind, [text])
    assert from_facts(json.loads(json.dumps({**vocabulary.facts(), "step": 3}))) == vocabulary


@pytest.mark.parametrize("kind", KINDS)
@examples(50)
@given(WORDY.filter(bool), st.integers(0, 40), st.integers(0, 40))
def test_any_head_is_so_many_characters_and_any_border_parts_none(
    kind: Tokens, text: str, characters: int, at: int
) -> None:
    vocabulary = vocabulary_of(kind, [text])
    ids = vocabulary.encode(text)
    assert vocabulary.head(ids, characters) == text[:characters]
    border = vocabulary.border(ids, min(at, len(ids)))
    assert border <= at
    assert vocabulary.decode(ids[:border]) + vocabulary.decode(ids[border:]) == text


def test_facts_of_runs_from_before_there_were_kinds_are_of_characters() -> None:
    assert from_facts({"symbols": "ab?", "replacement": "?", "step": 10}) == Characters("ab?", "?")


@pytest.mark.parametrize(
    "facts", [{}, {"tokens": "syllable"}, {"tokens": "word", "symbols": "ab"}, {"tokens": "char", "symbols": ""}]
)
def test_facts_that_are_none_are_refused(facts: dict[str, object]) -> None:
    with pytest.raises((KeyError, ValueError)):
        from_facts(facts)


# ---- bytes ---------------------------------------------------------------------------------------------------


@given(st.binary(max_size=40) | st.lists(st.sampled_from(b"a\x80\xa0\xbf\xc2\xe0\xed\xf0\xf4")).map(bytes))
@example(b"\xed\xa0")
@example(b"\xed\xa0\x00")
def test_any_bytes_one_after_the_other_decode_as_they_do_in_one_piece(data: bytes) -> None:
    decoder = Bytes().decoder()
    shown = [decoder.feed(byte) for byte in data]
    whole = Bytes().decode(np.frombuffer(data, dtype=np.uint8))
    text = "".join(shown)
    assert whole.startswith(text)
    assert whole[len(text) :] in ("", "�")  # of a character that waits for its rest
    assert all(len(piece) <= 2 for piece in shown)
    assert not any("\ud800" <= character <= "\udfff" for character in whole)


def test_a_character_waits_for_its_last_byte_and_a_broken_one_is_shown_as_such() -> None:
    decoder = Bytes().decoder()
    assert [decoder.feed(byte) for byte in "a€".encode()] == ["a", "", "", "€"]
    assert [decoder.feed(byte) for byte in b"\xe2\x82A\xff"] == ["", "", "�A", "�"]
    assert [decoder.feed(byte) for byte in b"\xed\xa0\x80a"] == ["", "��", "�", "a"]  # a surrogate is no character
    assert Bytes().decode(np.frombuffer(b"ok\xe2\x82", dtype=np.uint8)) == "ok�"


def test_a_lone_surrogate_is_no_text() -> None:
    assert Bytes().unknown("a\ud800b") == ["\ud800"]
    assert Bytes().known("a\ud800b") == "ab"
    with pytest.raises(UsageError, match="does not know"):
        Bytes().encode("a\ud800b")


def test_a_byte_that_is_none_is_refused() -> None:
    for wrong in (-1, 256):
        with pytest.raises(IndexError):
            Bytes().decode(np.array([wrong]))


# ---- words ---------------------------------------------------------------------------------------------------


def spelled(vocabulary: Vocabulary, text: str) -> list[str]:
    return [vocabulary.texts[token] for token in vocabulary.encode(text)]


def test_words_take_the_space_before_them_and_rare_ones_are_spelled() -> None:
    vocabulary = Words.of_text("the cat saw the cat.\n\n    So: the cat sat, so...\n\n    So? the dog\nthe end")
    assert spelled(vocabulary, "the cat.\n\n    So") == ["the", " cat", ".", "\n\n", "   ", " So"]
    assert spelled(vocabulary, " the dog") == [" the", " ", "d", "o", "g"]
    assert vocabulary.summary == "6 words and 18 characters"


def test_as_many_words_as_there_is_room_for_the_commonest_first() -> None:
    text = "bb bb bb cc cc cc aa aa dd"
    symbols = len(set(text))
    assert Words.of_text(text, symbols).words == ()
    assert Words.of_text(text, symbols + 1).words == (" cc",)
    assert Words.of_text(text, symbols + 2).words == (" cc", " aa")
    assert Words.of_text(text, 1000).words == (" cc", " aa", " bb")
    with pytest.raises(UsageError, match=r"5 different characters.*--max-vocabulary 5 or more"):
        Words.of_text(text, symbols - 1)


def test_more_distinct_words_than_are_counted_leave_the_common_ones_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words, "_COUNTED_AT_MOST", 200)
    monkeypatch.setattr(words, "_COUNTED_AT_ONCE", 50)
    text = "".join(f"once{number} often again " for number in range(2000))
    kept = Words.of_text(text)
    assert {" often", " again"} <= set(kept.words)
    assert kept == Words.of_chunks(pieces_of(text, [7, 1000, 9999, 20_000]))
    assert kept.decode(kept.encode(text)) == text


def test_a_character_that_no_word_is_spelled_with_is_named() -> None:
    vocabulary = Words.of_text("some words and some words")
    assert vocabulary.unknown("some § Words") == ["§", "W"]
    assert vocabulary.known("some § Words") == "some  ords"
    with pytest.raises(UsageError, match=r"characters that the model does not know \('§', 'W'\)"):
        vocabulary.encode("some § Words")


@pytest.mark.parametrize(
    ("symbols", "listed"), [("", ()), ("aa", ()), ("ab", ("ab", "ab")), ("ab", ("ac",)), ("ab", ("a",))]
)
def test_a_vocabulary_of_words_that_cannot_be_is_refused(symbols: str, listed: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="at least"):
        Words(symbols, listed)


def test_words_of_a_long_text_are_found_fast() -> None:
    text = "all the words of a language — não só some of them, said again;\n" * 10_000
    before = time.process_time()
    vocabulary = Words.of_text(text)
    ids = vocabulary.encode(text)
    assert time.process_time() - before < 2.0  # 0.6 MB; 0.1 s where it was written
    assert vocabulary.characters_in(ids) == len(text)
    assert len(ids) < len(text) / 3
