"""Lines and sentences begin where a reader says they do, whatever the tokens are."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Tokens
from charrnn.text import starts
from charrnn.text.starts import Starts, find_starts
from charrnn.text.vocabulary import Characters, vocabulary_of
from tests.thorough import examples

KINDS: list[Tokens] = ["char", "byte", "word"]


def beginnings(text: str, kind: Starts, tokens: Tokens = "char", characters: int = 4) -> list[str]:
    """How what follows each start begins, without the space that a word may hold."""
    vocabulary = vocabulary_of(tokens, [text])
    ids = vocabulary.encode(text)
    return [vocabulary.decode(ids[at:]).lstrip(" ")[:characters] for at in find_starts(ids, vocabulary, kind)]


@pytest.mark.parametrize("tokens", KINDS)
def test_a_line_begins_after_every_newline_unless_it_is_empty(tokens: Tokens) -> None:
    assert beginnings("one\n\n\ntwo é\n three\nfour\n", "line", tokens, 3) == ["one", "two", "thr", "fou"]
    assert beginnings("\n\none", "line", tokens, 3) == ["one"]
    assert beginnings("\n\n", "line", tokens) == []


SENTENCES = {
    "Here it is. There it was! Was it? Yes": ["Here", "Ther", "Was ", "Yes"],
    'He said "Stop." Then he left. (Why? Nobody knew.) So.': ["He s", "Then", "(Why", "Nobo", "So."],
    "It costs 3.50 now, e.g. this one... and more": ["It c"],
    "A title\n\nlower case after an empty line": ["A ti", "lowe"],
    "A line.\nAnd one\nthat goes on.\tTabbed": ["A li", "And ", "Tabb"],
    'He left. "Why?" she asked. 7 knew.': ["He l", '"Why', "7 kn"],
    "no stop at all": ["no s"],
    "": [],
}


@pytest.mark.parametrize("tokens", KINDS)
@pytest.mark.parametrize("text", list(filter(None, SENTENCES)))
def test_a_sentence_begins_after_a_stop_and_space_or_an_empty_line(text: str, tokens: Tokens) -> None:
    assert beginnings(text, "sentence", tokens) == SENTENCES[text]


@pytest.mark.parametrize("tokens", ["char", "word"])
def test_other_scripts_and_typographic_quotes_end_sentences_too(tokens: Tokens) -> None:
    assert beginnings("Er sagte: „Halt.“ Dann “No!” Étés", "sentence", tokens, 3) == ["Er ", "Dan", "Été"]
    assert beginnings("C’est ça. « Non » dit-il. À", "sentence", tokens, 2) == ["C’", "« ", "À"]
    assert beginnings("今日は。明日は「雨。」です", "sentence", tokens, 2) == ["今日", "明日", "です"]


SIGNS = [".", "!", '"', ")", " ", "\n", "a", "B", "7", "。", " Be", "it "]
PARTS = st.sampled_from(SIGNS)
ALL_PARTS = Characters.of_text("".join(SIGNS))


@pytest.mark.parametrize("kind", ["line", "sentence"])
@examples(60)
@given(st.lists(PARTS, max_size=40).map("".join), st.integers(1, 9))
def test_any_text_has_the_same_starts_however_many_ids_are_looked_at_in_one_go(
    kind: Starts, text: str, portion: int
) -> None:
    vocabulary = ALL_PARTS
    ids = vocabulary.encode(text)
    whole = find_starts(ids, vocabulary, kind)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(starts, "_PORTION", portion)
        assert find_starts(ids, vocabulary, kind).tolist() == whole.tolist()
    assert whole.dtype == np.uint32
    assert all(not text[at].isspace() or kind == "line" for at in whole)
    assert (np.diff(whole.astype(int)) > 0).all()


@examples(60)
@given(st.lists(PARTS, max_size=40).map("".join))
def test_any_words_begin_their_lines_and_sentences_where_the_characters_do(text: str) -> None:
    doubled = text + "\n\n" + text  # so that words are common enough
    for kind in ("line", "sentence"):
        assert beginnings(doubled, kind, "word", 99) == beginnings(doubled, kind, "char", 99)


def test_a_long_text_is_searched_fast() -> None:
    text = "A sentence of some length. Another one\nthat goes on in a second line, and ends.\n" * 25_000
    vocabulary = Characters.of_text(text)
    ids = vocabulary.encode(text)
    before = time.process_time()
    assert len(find_starts(ids, vocabulary, "sentence")) == 50_000
    assert len(find_starts(ids, vocabulary, "line")) == 50_000
    assert time.process_time() - before < 2.0  # 2 MB; 0.1 s where it was written
