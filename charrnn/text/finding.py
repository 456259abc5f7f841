"""Searching a text of ids for a string, a piece at a time. No torch here.

No piece is decoded where ids can be compared: a gigabyte of characters or bytes is searched at memory's speed. Capitals
count only where the wanted text has one (see `casing`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Protocol

import numpy as np

from charrnn.text.casing import fold, minds_case, variants
from charrnn.text.positions import Positions
from charrnn.text.vocabulary import Bytes, Characters, Ids, Vocabulary, Words

LONGEST = 1000
"""Characters that may be searched for."""
_PIECE = 1 << 22  # bytes of ids
_PIECE_OF_WORDS = 1 << 17  # tokens


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens from `first` to `last`, where a match may begin at the characters from `low` to `high`."""

    first: int
    last: int
    low: int
    high: int


class _Finder(Protocol):
    """Finds the first match, or the last, that begins in a piece; `overlap` tokens after it may be part of it."""

    overlap: int

    def find(self, ids: Ids, piece: Piece, *, backwards: bool) -> int | None: ...


class Search:
    """A search of ids (tokens,) for a text that is not empty."""

    def __init__(self, ids: Ids, vocabulary: Vocabulary, positions: Positions, wanted: str) -> None:
        self._ids, self._positions = ids, positions
        self._finder: _Finder | None = None
        self._piece = max(1, _PIECE // ids.dtype.itemsize)
        match vocabulary:
            case Characters() if not _unknown(vocabulary.symbols, wanted):
                self._finder = _InCharacters(vocabulary, wanted)
            case Bytes() if not vocabulary.unknown(wanted):
                self._finder = _InBytes(positions, wanted)
            case Words() if not _unknown(vocabulary.symbols, wanted):
                self._finder = _InWords(vocabulary, positions, wanted)
                self._piece = _PIECE_OF_WORDS

    def pieces(self, at: int, *, backwards: bool = False) -> Iterator[Piece]:
        """All of the text in the order in which it is to be looked at: from a character on, then around.

        Backwards: from the character before it. There are none where the vocabulary cannot spell what is wanted.
        """
        if self._finder is None:
            return iter(())
        at = min(max(0, at), self._positions.characters)
        before, after = range(0, at), range(at, self._positions.characters)
        if backwards:
            return chain(self._cut(before, -1), self._cut(after, -1))
        return chain(self._cut(after, 1), self._cut(before, 1))

    def _cut(self, characters: range, direction: int) -> Iterator[Piece]:
        if not characters:
            return
        first, end = self._positions.token(characters.start), self._positions.token(characters.stop - 1) + 1
        for token in range(first, end, self._piece)[::direction]:
            last = min(token + self._piece, end)
            low = max(characters.start, self._positions.before(token))
            yield Piece(token, last, low, min(characters.stop, self._positions.before(last)))

    def look(self, piece: Piece, *, backwards: bool = False) -> int | None:
        """The first character of the first match that begins in a piece, of the last one backwards; None: no match."""
        if self._finder is None or piece.low >= piece.high:
            return None
        ids = self._ids[piece.first : piece.last + self._finder.overlap]
        return self._finder.find(ids, piece, backwards=backwards)


def _unknown(symbols: str, wanted: str) -> bool:
    """Whether no text of these symbols holds what is wanted."""
    known = set(symbols) if minds_case(wanted) else set(fold(symbols))
    return not known.issuperset(wanted)


class _InCharacters:
    """Compares ids; where capitals do not count, the ids of the first symbol that folds to the same."""

    def __init__(self, vocabulary: Characters, wanted: str) -> None:
        symbols = vocabulary.symbols
        shown = symbols if minds_case(wanted) else fold(symbols)
        representative: dict[str, int] = {}
        for number, symbol in enumerate(shown):
            representative.setdefault(symbol, number)
        same = minds_case(wanted) or len(representative) == len(symbols)
        self._size = vocabulary.dtype.itemsize
        self._table = None if same else np.array([representative[one] for one in shown], dtype=vocabulary.dtype)
        self._bytes = b"" if self._table is None or self._size > 1 else bytes(self._table).ljust(256, b"\0")
        self._wanted = np.array([representative[one] for one in wanted], dtype=vocabulary.dtype).tobytes()
        self.overlap = len(wanted) - 1

    def find(self, ids: Ids, piece: Piece, *, backwards: bool) -> int | None:
        if self._bytes:
            text = ids.tobytes().translate(self._bytes)
        else:
            text = (ids if self._table is None else self._table[ids]).tobytes()
        low = (piece.low - piece.first) * self._size
        high = (piece.high - 1 - piece.first) * self._size + len(self._wanted)
        while low < high:
            found = text.rfind(self._wanted, low, high) if backwards else text.find(self._wanted, low, high)
            if found < 0:
                return None
            if found % self._size == 0:
                return piece.first + found // self._size
            if backwards:  # it lies across ids, and is none
                high = found + len(self._wanted) - 1
            else:
                low = found + 1
        return None


class _InBytes:
    """Compares bytes. Only letters beyond ASCII whose case does not count need a pattern."""

    def __init__(self, positions: Positions, wanted: str) -> None:
        self._positions = positions
        self._folded = not minds_case(wanted)
        self._wanted = wanted.encode("utf-8")
        self._pattern: re.Pattern[bytes] | None = None
        if self._folded and any(len(variants(one)) > 1 for one in wanted if not one.isascii()):
            groups = (b"|".join(re.escape(form.encode("utf-8")) for form in sorted(variants(one))) for one in wanted)
            self._pattern = re.compile(b"".join(b"(?:" + group + b")" for group in groups))
        self.overlap = 4 * len(wanted)

    def find(self, ids: Ids, piece: Piece, *, backwards: bool) -> int | None:
        text = ids.tobytes()
        low = self._positions.token(piece.low) - piece.first
        high = self._positions.token(piece.high) - piece.first
        if self._pattern is not None:
            found = -1
            for match in self._pattern.finditer(text, low):
                if match.start() >= high:
                    break
                found = match.start()
                if not backwards:
                    break
        else:
            text = text.lower() if self._folded else text
            end = high - 1 + len(self._wanted)
            found = text.rfind(self._wanted, low, end) if backwards else text.find(self._wanted, low, end)
        return None if found < 0 else self._positions.before(piece.first + found)


class _InWords:
    """Joins what the tokens spell."""

    def __init__(self, vocabulary: Words, positions: Positions, wanted: str) -> None:
        self._positions, self._wanted = positions, wanted
        self._texts = list(vocabulary.texts) if minds_case(wanted) else [fold(text) for text in vocabulary.texts]
        self.overlap = len(wanted)

    def find(self, ids: Ids, piece: Piece, *, backwards: bool) -> int | None:
        text = "".join([self._texts[token] for token in ids.tolist()])
        begin = self._positions.before(piece.first)
        low, end = piece.low - begin, piece.high - begin - 1 + len(self._wanted)
        found = text.rfind(self._wanted, low, end) if backwards else text.find(self._wanted, low, end)
        return None if found < 0 else begin + found
