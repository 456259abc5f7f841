"""Characters to ids and back, whole arrays at a time. No torch here."""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from charrnn.config import UsageError

Ids = NDArray[np.unsignedinteger]

_PORTION = 1 << 20  # characters at a time: UTF-32 takes four bytes for each
_ALL_CODE_POINTS = 0x110000
_UNKNOWN = -1


@dataclass(frozen=True)
class Vocabulary:
    """The characters a model knows, in the order of their ids.

    `replacement`, if there is one, is one of the symbols and stands for every character that is not: `encode` then
    never fails.
    """

    symbols: str
    replacement: str | None = None

    def __post_init__(self) -> None:
        """Raise ValueError unless the symbols are distinct, at least one, and hold the replacement."""
        if not self.symbols or len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a vocabulary needs at least one symbol and each only once")
        if self.replacement is not None and (len(self.replacement) != 1 or self.replacement not in self.symbols):
            raise ValueError("the replacement must be one of the symbols")

    @staticmethod
    def of_text(text: str) -> Vocabulary:
        """The text's own distinct characters, sorted by code point."""
        return Vocabulary.of_chunks([text])

    @staticmethod
    def of_chunks(chunks: Iterable[str]) -> Vocabulary:
        """The distinct characters of a text that comes in chunks, sorted by code point."""
        seen = np.zeros(_ALL_CODE_POINTS, dtype=bool)
        for chunk in chunks:
            for codes in _code_points(chunk):
                seen[codes] = True
        return Vocabulary("".join(map(chr, np.flatnonzero(seen))))

    @staticmethod
    def printable() -> Vocabulary:
        """The 100 characters of `string.printable`, in its order; "?" stands for every other one."""
        return Vocabulary(string.printable, replacement="?")

    def __len__(self) -> int:
        """How many symbols there are: the ids are 0 … len − 1."""
        return len(self.symbols)

    def encode(self, text: str) -> Ids:
        """The ids of the text's characters, shape (characters,), in the smallest unsigned type that holds them.

        Raises UsageError naming the characters that have no id, if there is no replacement.
        """
        ids = np.empty(len(text), dtype=np.min_scalar_type(len(self) - 1))
        at = 0
        for codes in _code_points(text):
            # "clip" sends every code point beyond the table to its last entry, which is the unknown's.
            found = self._table.take(codes, mode="clip")
            if found.min() == _UNKNOWN:
                raise UsageError(self._complaint(text))
            ids[at : at + len(codes)] = found
            at += len(codes)
        return ids

    def encode_chunks(self, chunks: Iterable[str]) -> Iterator[Ids]:
        """The ids of a text that comes in chunks, in portions whose borders are their own; raises as `encode` does."""
        return map(self.encode, chunks)

    def decode(self, ids: NDArray[np.integer]) -> str:
        """The characters of the ids, shape (characters,). Raises IndexError for an id that is none."""
        ids = np.asarray(ids)
        if ids.size and int(ids.min()) < 0:
            raise IndexError("ids are not negative")
        return self._code_points[ids].tobytes().decode("utf-32-le", "surrogatepass") if ids.size else ""

    def unknown(self, text: str) -> list[str]:
        """The distinct characters of the text that have no id of their own, in the order they first appear."""
        return [character for character in dict.fromkeys(text) if character not in self._set]

    def known(self, text: str) -> str:
        """The text without the characters that have no id of their own."""
        unknown = self.unknown(text)
        return text.translate(dict.fromkeys(map(ord, unknown))) if unknown else text

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

    def _complaint(self, text: str) -> str:
        unknown = self.unknown(text)
        named = ", ".join(map(repr, unknown[:10])) + (f" and {len(unknown) - 10:,} more" if len(unknown) > 10 else "")
        return (
            f"The text has {'a character' if len(unknown) == 1 else 'characters'} that the model does not know "
            f"({named}); leave {'it' if len(unknown) == 1 else 'them'} out, or train a model on a text that has "
            f"{'it' if len(unknown) == 1 else 'them'}."
        )


def _code_points(text: str) -> Iterator[NDArray[np.unsignedinteger]]:
    """The code points of the text, a portion at a time: a text of 100 MB never stands in memory as UTF-32."""
    for at in range(0, len(text), _PORTION):
        portion = text[at : at + _PORTION]
        if portion.isascii():
            yield np.frombuffer(portion.encode("ascii"), dtype=np.uint8)
        else:
            yield np.frombuffer(portion.encode("utf-32-le", "surrogatepass"), dtype="<u4")
