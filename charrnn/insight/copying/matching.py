"""Which pieces of a text stand in the training text: found while the text comes, a character at a time. No torch here.

A copy is a match that cannot be made longer to either side, so no copy lies within another; they may overlap.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from charrnn.insight.copying.index import CopyingIndex

LONGER_THAN = 20
"""Characters: shorter matches are words and turns of phrase that a model of the text cannot but write."""


@dataclass(frozen=True, slots=True)
class Copied:
    """A piece of a text, from character `begin` up to `end`, that stands in the training text word for word.

    There it begins at character `at`, the first time of `times`.
    """

    begin: int
    end: int
    at: int
    times: int

    @property
    def length(self) -> int:
        """How many characters are copied."""
        return self.end - self.begin


class Matcher:
    """The longest piece of the training text that ends where the text, which comes by characters, ends.

    Each character narrows the row of places where that piece goes on. Where it goes on nowhere, as few characters as
    can be are left off the piece's beginning; how many is found by doubling and halving, so that the end of a long copy
    takes no longer than others.
    """

    def __init__(self, index: CopyingIndex, longer_than: int = LONGER_THAN) -> None:
        self._index, self._longer_than = index, longer_than
        self.position = 0
        self.begin_anew(0)

    def begin_anew(self, position: int) -> None:
        """Nothing before counts: the next character is at `position`."""
        self.position = position
        self._piece = bytearray()
        self._length = 0
        self._row = (0, self._index.bytes)

    @property
    def length(self) -> int:
        """How many characters the piece has that the text ends with."""
        return self._length

    @property
    def copy(self) -> Copied | None:
        """The copy that the text ends with; it may still grow."""
        return self._copy() if self._length > self._longer_than else None

    def _copy(self) -> Copied:
        first, end = self._row
        return Copied(self.position - self._length, self.position, self._index.first_place(first, end), end - first)

    def feed(self, character: str) -> Copied | None:
        """Takes the next character; the copy that ended before it, if one did."""
        more = character.encode("utf-8", "surrogatepass")
        row = self._index.narrow(*self._row, len(self._piece), more)
        ended = None
        if row[0] == row[1]:
            ended = self.copy
            self._piece += more
            self._length += 1
            row = self._shorten()
        else:
            self._piece += more
            self._length += 1
        self._row = row
        self.position += 1
        return ended

    def _shorten(self) -> tuple[int, int]:
        """Leaves off the beginning what keeps the piece from occurring, and no more; the row of its places."""
        starts = _starts(self._piece)
        bad, step = 0, 1  # from the `bad`th character on it does not occur
        row, good = (0, self._index.bytes), len(starts)
        while bad + step < good:
            found = self._index.find(bytes(self._piece[starts[bad + step] :]))
            if found[0] < found[1]:
                row, good = found, bad + step
                break
            bad += step
            step *= 2
        while good - bad > 1:
            middle = (bad + good) // 2
            found = self._index.find(bytes(self._piece[starts[middle] :]))
            if found[0] < found[1]:
                row, good = found, middle
            else:
                bad = middle
        self._length -= good
        del self._piece[: starts[good] if good < len(starts) else len(self._piece)]
        return row


def _starts(piece: bytearray) -> list[int] | range:
    """Where the characters of a piece of UTF-8 begin."""
    if piece.isascii():
        return range(len(piece))
    return [at for at, byte in enumerate(piece) if byte & 0xC0 != 0x80]


def copies(index: CopyingIndex, text: str, longer_than: int = LONGER_THAN) -> list[Copied]:
    """The pieces of `text` of more than so many characters that stand in the training text, in their order."""
    matcher = Matcher(index, longer_than)
    found = [copied for character in text if (copied := matcher.feed(character)) is not None]
    return [*found, matcher.copy] if matcher.copy is not None else found


def copied_share(index: CopyingIndex, text: str, longer_than: int = LONGER_THAN) -> float:
    """Which share of a text's characters stand in copies of more than so many characters, 0 to 1; 0 of no text."""
    return covered(copies(index, text, longer_than)) / len(text) if text else 0.0


def covered(found: Iterable[Copied], first: int = 0) -> int:
    """How many characters from `first` on stand in at least one of the copies, which come in their order."""
    total, until = 0, first
    for copied in found:
        total += max(0, copied.end - max(until, copied.begin))
        until = max(until, copied.end)
    return total
