"""Characters to ids and back, whole arrays at a time. No torch here."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary.base import PORTION, Ids, Vocabulary, complaint

_ALL_CODE_POINTS = 0x110000
_UNKNOWN = -1


@dataclass(frozen=True)
class Characters(Vocabulary):
    """The characters a model knows, in the order of their ids.

    `replacement`, if there is one, is one of the symbols and stands for every character that is not: `encode` then
    never fails.
    """

    unit: ClassVar[str] = "character"
    one_each: ClassVar[bool] = True

    symbols: str
    replacement: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless the symbols are distinct, at least one, and hold the replacement."""
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a vocabulary needs at least one symbol and each only once")
        if self.replacement is not None and (len(self.replacement) != 1 or self.replacement not in self.symbols):
            raise ValueError("the replacement must be one of the symbols")

    @staticmethod
    def of_text(text: str) -> Characters:
        """The text's own distinct characters, sorted by code point. Raises ValueError if there are none."""
        return Characters.of_chunks([text])

    @staticmethod
    def of_chunks(chunks: Iterable[str]) -> Characters:
        """The same of a text that comes in pieces."""
        seen = Seen()
        for chunk in chunks:
            seen.add(chunk)
        return Characters(seen.sorted())

    @staticmethod
    def printable() -> Characters:
        """The 100 characters of `string.printable`, in its order; "?" stands for every other one."""
        return Characters(string.printable, replacement="?")

    def __len__(self) -> int:
        """How many symbols there are: the ids are 0 … len − 1."""
        return len(self.symbols)

    def __contains__(self, character: object) -> bool:
        """Whether it is one of the symbols."""
        return character in self._set

    @property
    def summary(self) -> str:
        """Such as "65 symbols"."""
        return f"{len(self):,} symbols"

    @property
    def alphabet(self) -> str:
        """The symbols."""
        return self.symbols

    @property
    def texts(self) -> Sequence[str]:
        """The symbols."""
        return self.symbols

    def encode(self, text: str) -> Ids:
        """The ids of the text's characters, shape (characters,), in the smallest unsigned type that holds them.

        Raises UsageError naming the characters that have no id, if there is no replacement.
        """
        ids = np.empty(len(text), dtype=self.dtype)
        at = 0
        for codes in _code_points(text):
            # "clip" sends every code point beyond the table to its last entry, which is the unknown's.
            found = self._table.take(codes, mode="clip")
            if found.min() == _UNKNOWN:
                raise complaint(self.unknown(text))
            ids[at : at + len(codes)] = found
            at += len(codes)
        return ids

    def encode_chunks(self, chunks: Iterable[str]) -> Iterator[Ids]:
        """The ids of a text that comes in pieces, an array for each."""
        return map(self.encode, chunks)

    def decode(self, ids: NDArray[np.integer]) -> str:
        """The characters of the ids, shape (characters,). Raises IndexError for an id that is none."""
        ids = np.asarray(ids)
        if ids.size and int(ids.min()) < 0:
            raise IndexError("ids are not negative")
        return self._code_points[ids].tobytes().decode("utf-32-le", "surrogatepass") if ids.size else ""

    def decoder(self) -> CharacterDecoder:
        """Each token is a character."""
        return CharacterDecoder(self.symbols)

    def facts(self) -> dict[str, Any]:
        """The symbols in order, and the replacement."""
        return {"tokens": "char", "symbols": self.symbols, "replacement": self.replacement}

    @cached_property
    def _set(self) -> frozenset[str]:
        return frozenset(self.symbols)

    @cached_property
    def _code_points(self) -> NDArray[np.uint32]:
        return np.array([ord(symbol) for symbol in self.symbols], dtype="<u4")

    @cached_property
    def _table(self) -> NDArray[np.int32]:
        """Code point → id, one entry longer than the highest symbol; unknown ones hold the replacement's id or −1."""
        other = _UNKNOWN if self.replacement is None else self.symbols.index(self.replacement)
        table = np.full(int(self._code_points.max()) + 2, other, dtype=np.int32)
        table[self._code_points] = np.arange(len(self), dtype=np.int32)
        return table


@dataclass(frozen=True, slots=True)
class CharacterDecoder:
    """A character for a token."""

    symbols: str

    def feed(self, token: int) -> str:
        """The character itself."""
        return self.symbols[token]


class Seen:
    """The distinct characters of a text that comes in pieces."""

    def __init__(self) -> None:
        self._flags = np.zeros(_ALL_CODE_POINTS, dtype=bool)

    def add(self, text: str) -> None:
        """Another piece."""
        for codes in _code_points(text):
            self._flags[codes] = True

    def sorted(self) -> str:
        """Each character once, by code point."""
        return "".join(map(chr, np.flatnonzero(self._flags)))


def _code_points(text: str) -> Iterator[NDArray[np.unsignedinteger]]:
    """The code points of the text, a portion at a time: a text of 100 MB never stands in memory as UTF-32."""
    for at in range(0, len(text), PORTION):
        portion = text[at : at + PORTION]
        if portion.isascii():
            yield np.frombuffer(portion.encode("ascii"), dtype=np.uint8)
        else:
            yield np.frombuffer(portion.encode("utf-32-le", "surrogatepass"), dtype="<u4")
