"""Characters to ids and back."""

import json
import string
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.text.vocabulary import Characters

ANY_CHARACTER = st.characters(exclude_categories=())  # lone surrogates and unassigned code points, too
ANY_TEXT = st.text(ANY_CHARACTER)


@settings(deadline=None)
@given(st.text(ANY_CHARACTER, min_size=1))
def test_any_text_comes_back_from_its_own_ids(text: str) -> None:
    vocabulary = Characters.of_text(text)
    ids = vocabulary.encode(text)
    assert vocabulary.symbols == "".join(sorted(set(text)))
    assert [vocabulary.symbols[i] for i in ids] == list(text)
    assert vocabulary.decode(ids) == text


@settings(deadline=None)
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


@settings(deadline=None)
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
