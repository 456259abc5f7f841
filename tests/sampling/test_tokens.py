"""What a stream shows is whole characters, whatever its tokens are."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from charrnn.config import Knobs, ModelConfig, Tokens
from charrnn.model.language_model import LanguageModel, State
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Bytes, Vocabulary, Words, vocabulary_of
from tests.thorough import examples

TEXT = "Die Straße – “naïve” 日本語 🙂. The cat sees the man, the man sees the cat.\n" * 3
GREEDY = Knobs(greedy=True)


class Scripted(LanguageModel):
    """A network that says the same tokens over and over, whatever it reads."""

    def __init__(self, vocabulary: Vocabulary, script: Iterable[int]) -> None:
        super().__init__(len(vocabulary), ModelConfig(hidden=1, embedding=1))
        self.script = list(script)
        self.said = 0
        self.read: list[int] = []

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        self.read += ids[:, 0].tolist()
        logits = torch.zeros(len(ids), 1, self.vocabulary_size)
        logits[-1, 0, self.script[self.said % len(self.script)]] = 50.0
        self.said += 1
        return logits, state or []


def scripted(vocabulary: Vocabulary, script: Iterable[int], prime: str = "") -> TextStream:
    return TextStream(Scripted(vocabulary, script), vocabulary, prime=prime, seed=1, knobs=GREEDY)


def test_of_bytes_every_call_gives_a_whole_character() -> None:
    stream = scripted(Bytes(), "aß日🙂".encode())
    assert [stream.next() for _ in range(6)] == ["a", "ß", "日", "🙂", "a", "ß"]


def test_bytes_that_are_no_character_are_shown_as_one_replacement_and_nothing_is_lost() -> None:
    stream = scripted(Bytes(), b"\xe2\x82A\xffB")
    assert [stream.next() for _ in range(4)] == ["�A", "�", "B", "�A"]


@examples(50)
@given(st.binary(min_size=1, max_size=30), st.integers(1, 12))
def test_any_bytes_are_shown_as_they_decode_in_one_piece(data: bytes, at_once: int) -> None:
    stream = scripted(Bytes(), data)
    shown = "".join(stream.take(at_once) for _ in range(5))
    assert len(shown) == 5 * at_once
    whole = Bytes().decode(np.frombuffer(data * 61, dtype=np.uint8))
    assert whole.startswith(shown)


def test_of_words_every_call_gives_a_word_and_a_spelled_one_comes_out_as_its_text() -> None:
    vocabulary = Words.of_text(TEXT + "zebra")
    stream = scripted(vocabulary, vocabulary.encode(" the zebra sees"))
    assert [stream.next() for _ in range(8)] == [" the", " ", "z", "e", "b", "r", "a", " sees"]


def test_exactly_so_many_characters_are_taken_and_what_a_word_has_over_comes_next() -> None:
    vocabulary = Words.of_text(TEXT)
    stream = scripted(vocabulary, vocabulary.encode(" cat sees"))
    assert [stream.take(n) for n in (3, 0, 4, 1, 10)] == [" ca", "", "t se", "e", "s cat sees"]
    assert stream.take(2) + stream.next() + stream.next() == " cat sees"
    stream.take(1)
    stream.restart()
    assert stream.next() in (" cat", " sees")  # a stream that begins again owes nothing


@pytest.mark.parametrize("tokens", ["char", "byte", "word"])
def test_the_same_seed_gives_the_same_text_however_it_is_taken(tokens: Tokens) -> None:
    vocabulary = vocabulary_of(tokens, [TEXT])
    torch.manual_seed(1)
    model = LanguageModel(len(vocabulary), ModelConfig(hidden=8, embedding=4))
    one, other = (TextStream(model, vocabulary, prime="The ca", seed=4) for _ in range(2))
    assert one.take(200) == "".join(other.take(n) for n in (1, 49, 7, 143))
    assert one.prime == "The ca"


@pytest.mark.parametrize("tokens", ["char", "byte", "word"])
def test_a_prime_is_read_whole_and_an_empty_one_as_after_a_newline(tokens: Tokens) -> None:
    vocabulary = vocabulary_of(tokens, [TEXT])
    for prime, read in (
        ("the catch man", "the catch man"),
        ("", "\n"),
        ("\u0416", "\u0416" if tokens == "byte" else "\n"),
    ):
        stream = scripted(vocabulary, [0], prime)
        stream.next()
        assert isinstance(stream.model, Scripted)
        assert vocabulary.decode(np.array(stream.model.read)) == read
        assert stream.unknown == ([] if read == prime or not prime else ["\u0416"])


def test_without_a_newline_an_empty_prime_is_the_first_symbol_of_the_words() -> None:
    vocabulary = Words.of_text("bcd bcd")
    stream = scripted(vocabulary, [0], "")
    stream.next()
    assert isinstance(stream.model, Scripted)
    assert stream.model.read == [0]
