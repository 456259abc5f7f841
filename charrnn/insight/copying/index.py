"""An index of a training text: where any piece of it occurs, by a suffix array. No torch here.

The suffix array is made by libdivsufsort (Y. Mori, MIT licence; pydivsufsort brings it): of n bytes an int32 each, the
places in the order of the texts that begin there. All the places of one piece stand in a row in it, which a binary
search finds, and of a longer piece they are a part of that row (U. Manber, G. Myers, SIAM J. Comput. 22, 1993).
"""

from __future__ import annotations

import mmap
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from charrnn.config import UsageError
from charrnn.text.corpus import Corpus

STEP = 1 << 16
"""Bytes between two places whose character is written down."""
MOST_PLACES = 1_000_000
"""Of so many places the first in the text is looked for; of more, any will do."""
LARGEST = 2**31 - 1
"""Bytes that an int32 can number."""
_ENCODING = ("utf-8", "surrogatepass")


class CopyingIndex:
    """Where pieces of a text occur. It is searched in UTF-8; what is told is counted in characters."""

    def __init__(self, text: bytes | mmap.mmap, order: NDArray[np.int32], counts: NDArray[np.int64]) -> None:
        """`order` (bytes,) is the text's suffix array; `counts` are the characters that begin before every STEPth byte,
        and at last how many there are.
        """
        self._text, self._places, self._counts = text, order, counts
        # A view gives plain numbers, and those sooner than an array.
        self._order = cast("Sequence[int]", memoryview(cast(Any, order)).cast("B").cast("i") if len(order) else ())
        self.bytes = len(order)

    @property
    def characters(self) -> int:
        """How many characters the text has."""
        return int(self._counts[-1])

    def find(self, piece: bytes) -> tuple[int, int]:
        """The row of places where a piece occurs, as (first, end); empty where it does not."""
        text, length = self._text, len(piece)
        if not length:
            return 0, self.bytes

        def there(place: int) -> bytes:
            return text[place : place + length]

        first = bisect_left(self._order, piece, key=there)
        if first == self.bytes or there(self._order[first]) != piece:
            return first, first
        return first, bisect_right(self._order, piece, first, key=there)

    def narrow(self, first: int, end: int, depth: int, more: bytes) -> tuple[int, int]:
        """Of a row of places of a piece of `depth` bytes those where `more` follows; empty where it never does."""
        text = self._text
        for byte in more:
            if end - first == 1:  # as most pieces of some length are
                place = self._order[first] + depth
                if place >= self.bytes or text[place] != byte:
                    return first, first
            else:

                def there(place: int, depth: int = depth) -> int:
                    return text[place + depth] if place + depth < self.bytes else -1

                first = bisect_left(self._order, byte, first, end, key=there)
                end = bisect_right(self._order, byte, first, end, key=there)
                if first == end:
                    return first, first
            depth += 1
        return first, end

    def first_place(self, first: int, end: int) -> int:
        """The character at which a row's piece occurs first."""
        byte = int(self._places[first : min(end, first + MOST_PLACES)].min())
        part = byte // STEP
        return int(self._counts[part]) + _beginnings(self._text[part * STEP : byte])

    def forget_pages(self) -> None:
        """Gives what was read of a kept index back to the system, or all of it comes to count as this process's."""
        for mapped in (self._text, self._places.base):
            if isinstance(mapped, memoryview):
                mapped = mapped.obj
            if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)


def copying_index(text: str | Corpus) -> CopyingIndex:
    """The index of a text, or of the part of a corpus that is learnt from; it takes five bytes for each of the text's.

    Raises UsageError for a text of more than 2 GB.
    """
    if isinstance(text, Corpus):
        from charrnn.insight.copying.kept import parts_of

        data = b"".join(parts_of(text.vocabulary, text.train_ids))
    else:
        data = text.encode(*_ENCODING)
    return CopyingIndex(data, suffix_array(np.frombuffer(data, dtype=np.uint8)), counts_of(data))


def suffix_array(text: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The places of a text (bytes,) in the order of the texts that begin there, (bytes,). Raises UsageError."""
    if len(text) > LARGEST:
        raise UsageError("Texts of up to 2 GB can be indexed; give a part of this one.")
    if not len(text):
        return np.zeros(0, dtype=np.int32)
    from pydivsufsort import divsufsort

    # What cannot be written to cannot be handed over but as bytes.
    return cast("NDArray[np.int32]", divsufsort(text if text.flags.writeable else text.tobytes()))


def counts_of(text: bytes | NDArray[np.uint8]) -> NDArray[np.int64]:
    """The characters that begin before every STEPth byte of UTF-8, and at last how many there are."""
    counts = [_beginnings(text[at : at + STEP]) for at in range(0, len(text), STEP)]
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _beginnings(data: bytes | NDArray[np.uint8]) -> int:
    """How many characters begin in a piece of UTF-8."""
    codes = np.frombuffer(data, dtype=np.uint8) if isinstance(data, bytes) else data
    return int(np.count_nonzero((codes & 0xC0) != 0x80))
