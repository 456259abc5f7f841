"""Words, spaces and punctuation as tokens; rare words are spelled. No torch here."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.config import UsageError
from charrnn.presets import MAX_VOCABULARY
from charrnn.text.vocabulary.base import PORTION, Ids, Vocabulary, complaint, lengths_summed
from charrnn.text.vocabulary.characters import Seen

TIMES_AT_LEAST = 2

# Cut into these, any text is whole again when they are joined. No alternative looks back, and none needs to see more
# than `_AHEAD` characters beyond its own end: so a text can be cut in pieces. None is longer than 33 characters.
_TOKEN = re.compile(r" ?\w{1,32}| ?[^\w\s]| {1,32}(?= \S)| {1,32}|\n{1,32}|\t{1,32}|\s")
_AHEAD = 2

_COUNTED_AT_ONCE = 1 << 17  # tokens
_COUNTED_AT_MOST = 500_000  # distinct ones: about 60 MB


@dataclass(frozen=True)
class Words(Vocabulary):
    """The characters of the corpus, then its commonest words: what is not one of the words is spelled.

    A token is a run of letters, digits and underscores or a single other sign, either with the space before it if
    there is one; or a run of further spaces, of newlines or of tabs. So "the cat." is "the", " cat", ".". With the
    space as a token of its own every second token would be one, which says little and costs as much as a word does:
    1.444 nats per character against 1.405 after the same time (tests/benchmarks/NOTES.md). Byte-pair vocabularies have
    held to this since GPT-2 (Radford et al. 2019, section 2.2).

    `words` are longer than a character, and hold no character that is not one of the `symbols`. A spelled word is a
    row of single characters. The same text could be spelled in more ways than the one that `encode` takes, so the loss
    is an upper bound on that of the text.
    """

    unit: ClassVar[str] = "word"

    symbols: str
    words: tuple[str, ...]

    def __post_init__(self) -> None:
        """Raise ValueError unless there are symbols, no token is twice, and the symbols spell every word."""
        if not self.symbols or len(set(self.symbols)) != len(self.symbols) or len(set(self.words)) != len(self.words):
            raise ValueError("a vocabulary needs at least one symbol and each token only once")
        if any(len(word) < 2 or not self._set.issuperset(word) for word in self.words):
            raise ValueError("a word has two characters at least, all of them symbols")

    @staticmethod
    def of_text(text: str, max_vocabulary: int = MAX_VOCABULARY) -> Words:
        """The characters of a text and the commonest of its words; see `of_chunks`."""
        return Words.of_chunks([text], max_vocabulary)

    @staticmethod
    def of_chunks(chunks: Iterable[str], max_vocabulary: int = MAX_VOCABULARY) -> Words:
        """The same of a text that comes in pieces, cut anywhere: at most so many tokens, the characters included.

        A word that stands only once in the text is left to be spelled, and of those that are as common the first by
        code points is taken first. Beyond half a million distinct words the count forgets the rarest now and then, as
        lossy counting does (Manku and Motwani, VLDB 2002), so that no text fills the memory. Raises UsageError if the
        characters alone are more than that, ValueError if there are none.
        """
        seen = Seen()
        counts = _counted(_noted(chunks, seen))
        symbols = seen.sorted()
        if len(symbols) > max_vocabulary:
            raise UsageError(
                f"The text has {len(symbols):,} different characters, and a vocabulary of words holds them all; "
                f"give --max-vocabulary {len(symbols)} or more."
            )
        common = [token for token, count in counts.items() if count >= TIMES_AT_LEAST and len(token) > 1]
        common.sort(key=lambda token: (-counts[token], token))
        return Words(symbols, tuple(common[: max_vocabulary - len(symbols)]))

    def __len__(self) -> int:
        """Characters and words together: the ids are 0 … len − 1."""
        return len(self.symbols) + len(self.words)

    def __contains__(self, character: object) -> bool:
        """Whether it is one of the symbols."""
        return character in self._set

    @property
    def summary(self) -> str:
        """Such as "8,000 words and 65 characters"."""
        return f"{len(self.words):,} words and {len(self.symbols):,} characters"

    @property
    def alphabet(self) -> str:
        """The symbols."""
        return self.symbols

    @property
    def texts(self) -> Sequence[str]:
        """The symbols, then the words."""
        return self._texts

    def encode(self, text: str) -> Ids:
        """The ids of the text's tokens, shape (tokens,). Raises UsageError naming characters that it has not."""
        unknown = self.unknown(text)
        if unknown:
            raise complaint(unknown)
        return np.concatenate([np.empty(0, self.dtype), *self.encode_chunks([text])])

    def encode_chunks(self, chunks: Iterable[str]) -> Iterator[Ids]:
        """The ids of a text that comes in pieces, cut anywhere: no word is cut where a piece ends."""
        for tokens in _split(chunks):
            yield np.array(self._ids_of(tokens), dtype=self.dtype)

    def decode(self, ids: NDArray[np.integer]) -> str:
        """The text of the ids, shape (tokens,). Raises IndexError for an id that is none."""
        ids = np.asarray(ids)
        if ids.size and int(ids.min()) < 0:
            raise IndexError("ids are not negative")
        return "".join([self._texts[token] for token in ids.tolist()])

    def decoder(self) -> WordDecoder:
        """Each token is whole characters."""
        return WordDecoder(self._texts)

    def facts(self) -> dict[str, Any]:
        """The symbols and the words, in order."""
        return {"tokens": "word", "symbols": self.symbols, "words": list(self.words)}

    def characters_in(self, ids: NDArray[np.integer]) -> int:
        """The sum of the tokens' lengths."""
        return lengths_summed(self._lengths, ids)

    def spelled(self, ids: NDArray[np.integer]) -> NDArray[np.uint8]:
        """The tokens' lengths."""
        lengths: NDArray[np.uint8] = self._lengths[ids]
        return lengths

    def _ids_of(self, tokens: list[str]) -> list[int]:
        ids: list[int] = []
        known = self._table.get
        for token in tokens:
            found = known(token)
            if found is not None:
                ids.append(found)
            elif self._set.issuperset(token):
                ids.extend(map(self._table.__getitem__, token))
            else:
                raise complaint(self.unknown("".join(tokens)))
        return ids

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.symbols)

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        return (*self.symbols, *self.words)

    @cached_property
    def _table(self) -> dict[str, int]:
        return {token: number for number, token in enumerate(self._texts)}

    @cached_property
    def _lengths(self) -> NDArray[np.uint8]:
        return np.array([len(token) for token in self._texts], dtype=np.uint8)


@dataclass(frozen=True, slots=True)
class WordDecoder:
    """A word or a character for a token."""

    tokens: tuple[str, ...]

    def feed(self, token: int) -> str:
        """What the token spells."""
        return self.tokens[token]


def _split(chunks: Iterable[str]) -> Iterator[list[str]]:
    """The tokens of a text, a list for each portion of it, the same wherever the chunks are cut."""
    rest = ""
    for chunk in chunks:
        for at in range(0, len(chunk), PORTION):
            tokens = _TOKEN.findall(rest + chunk[at : at + PORTION])
            rest = ""
            while tokens and len(rest) < _AHEAD:  # what follows may still change these
                rest = tokens.pop() + rest
            yield tokens
    yield _TOKEN.findall(rest)


def _noted(chunks: Iterable[str], seen: Seen) -> Iterator[str]:
    for chunk in chunks:
        seen.add(chunk)
        yield chunk


def _counted(chunks: Iterable[str]) -> Counter[str]:
    """How often each token stands in the text."""
    counts: Counter[str] = Counter()
    tokens = chain.from_iterable(_split(chunks))
    while some := list(islice(tokens, _COUNTED_AT_ONCE)):  # so many, wherever the chunks are cut
        counts.update(some)
        if len(counts) > _COUNTED_AT_MOST:
            rarest = len(counts) - _COUNTED_AT_MOST // 2
            least = np.partition(np.fromiter(counts.values(), np.int64, len(counts)), rarest)[rarest - 1]
            counts = Counter({token: count for token, count in counts.items() if count > least})
    return counts
