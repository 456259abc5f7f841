"""A text as ids, its end held out."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import CorpusConfig, Tokens, UsageError
from charrnn.text.corpus import Corpus, load_corpus


def corpus_of(text: str, validation: float = 0.1, *, tokens: Tokens = "char", fold: bool = False) -> Corpus:
    config = CorpusConfig(source="-", name="a text", validation=validation, tokens=tokens, ascii=fold)
    return load_corpus(config, stdin_text=text)


@given(st.integers(2, 500), st.floats(0, 1, exclude_max=True))
def test_any_fraction_held_out_is_the_end_and_leaves_the_rest(length: int, fraction: float) -> None:
    text = ("the quick brown fox " * 25)[:length]
    corpus = corpus_of(text, fraction)
    decode = corpus.vocabulary.decode
    assert decode(corpus.train_ids) + decode(corpus.held_out_ids) == text
    assert len(corpus.held_out_ids) == int(length * fraction)
    assert corpus.characters == length
    assert np.shares_memory(corpus.train_ids, corpus.ids)


def test_nothing_is_held_out_unless_asked() -> None:
    corpus = corpus_of("some text", 0)
    assert len(corpus.held_out_ids) == 0
    assert corpus.held_out_head(10) == ""
    assert corpus.head(4) == "some"


@pytest.mark.parametrize("fraction", [-0.1, 1, float("nan")])
def test_a_fraction_that_is_none_is_told(fraction: float) -> None:
    with pytest.raises(UsageError, match="held-out fraction"):
        corpus_of("some text", fraction)


def test_heads_begin_where_their_parts_do() -> None:
    corpus = corpus_of("0123456789" * 2, 0.25)
    assert corpus.head(12) == "012345678901"
    assert corpus.held_out_head(3) == "567"
    assert corpus.held_out_head(100) == "56789"


def test_the_digest_is_that_of_the_text_as_it_was_folded(tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_bytes("Grüße — und\r\nmehr".encode())
    plain = load_corpus(CorpusConfig(source=str(path), name=""))
    folded = load_corpus(CorpusConfig(source=str(path), name="", ascii=True))
    assert plain.sha256 == hashlib.sha256("Grüße — und\nmehr".encode()).hexdigest()
    assert folded.sha256 == hashlib.sha256(b"Grusse -- und\nmehr").hexdigest()
    assert (plain.name, plain.place, folded.note) == ("text", str(path), "UTF-8, folded to ASCII")


def test_a_digest_does_not_depend_on_how_the_text_is_read() -> None:
    text = "a\U0001f600é\ud800" * 700_000  # longer than a portion
    assert corpus_of(text).sha256 == hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def test_printable_says_what_it_replaced() -> None:
    corpus = corpus_of("naïve café", 0, tokens="printable")
    assert corpus.head(10) == "na?ve caf?"
    assert corpus.note == "UTF-8, 2 characters outside string.printable replaced by '?'"
    assert len(corpus.vocabulary) == 100


def test_a_line_for_a_prime_is_a_whole_line_of_the_held_out_part() -> None:
    text = "one line of the training part\n" * 9 + "of the held out\n\n---------------\n  a line that was held out\nx"
    assert corpus_of(text, 0.175).line_for_prime() == "a line that was held out"


def test_a_long_line_for_a_prime_is_cut_after_a_word() -> None:
    words = "quite a long line of words that goes on and on until it is cut"
    assert corpus_of(words, 0).line_for_prime() == "quite a long line of words that goes on and on until it is"
    assert corpus_of("ab" * 100, 0).line_for_prime() == "ab" * 30


@given(st.text(min_size=1))
def test_any_text_has_a_line_for_a_prime_that_the_model_knows(text: str) -> None:
    try:
        corpus = corpus_of(text, 0.3)
    except UsageError:
        return  # not a text to learn from
    line = corpus.line_for_prime()
    assert len(line) <= 60
    assert "\n" not in line
    assert line in corpus.head(corpus.characters)
    assert line == corpus.line_for_prime()


MIXED = "The naïve cat – 日本語 🙂 – saw the cat.\nAnd the cat saw it.\n" * 5


@given(st.sampled_from(["byte", "word"]), st.floats(0, 1, exclude_max=True), st.integers(0, 400))
def test_of_any_tokens_sizes_and_heads_are_in_characters_and_no_character_is_cut(
    tokens: Tokens, fraction: float, n: int
) -> None:
    corpus = corpus_of(MIXED, fraction, tokens=tokens)
    decode = corpus.vocabulary.decode
    assert decode(corpus.train_ids) + decode(corpus.held_out_ids) == MIXED
    assert corpus.characters == len(MIXED)
    assert corpus.train_characters == len(decode(corpus.train_ids))
    assert corpus.head(n) == MIXED[:n]
    assert corpus.held_out_head(n) == MIXED[corpus.train_characters :][:n]
    assert corpus.line_for_prime() in MIXED
    assert len(corpus.line_for_prime()) > 10 or fraction < 0.1
    assert ("rare words" in corpus.note) == (tokens == "word")
