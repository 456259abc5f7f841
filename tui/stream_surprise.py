"""The lens that colours the stream by how likely the model found each character."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.style import Style

from charrnn.engine.messages import Generated
from charrnn.engine.questions.choice import UNKNOWN_SURPRISE, as_nats
from charrnn.insight.levels import WORDS, level_of
from tui.lenses import SHADES, UNKNOWN

KEPT = 1_000_000
"""Characters whose surprise is kept."""


def level_of_byte(byte: int) -> int:
    """The level of a surprise as it comes over the line."""
    nats = as_nats(byte)
    return UNKNOWN if nats is None else level_of(nats)


_LEVELS = tuple(level_of_byte(byte) for byte in range(256))


class SurpriseLens:
    """Knows the surprise of the stream's characters by position, as far as it was told."""

    name = "surprise"
    styles: Sequence[Style] = SHADES
    legend: Sequence[tuple[str, Style]] = tuple(zip(WORDS, SHADES, strict=True))

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Positions begin again."""
        self._first = 0
        self._bytes = bytearray()

    def take(self, pieces: Iterable[Generated]) -> None:
        """Text that came with its surprise."""
        for piece in pieces:
            if piece.surprise:
                self.put(piece.position, piece.surprise)

    def put(self, position: int, surprise: bytes) -> None:
        """The surprise of the characters from a position on."""
        if not self._bytes:
            self._first = position
        if position < self._first:
            self._bytes[:0] = bytes([UNKNOWN_SURPRISE]) * (self._first - position)
            self._first = position
        at = position - self._first
        missing = at - len(self._bytes)
        if missing > KEPT:
            self._first, self._bytes, at = position, bytearray(), 0
        elif missing > 0:
            self._bytes += bytes([UNKNOWN_SURPRISE]) * missing
        self._bytes[at : at + len(surprise)] = surprise
        excess = len(self._bytes) - KEPT
        if excess > KEPT // 10:
            del self._bytes[:excess]
            self._first += excess

    def levels(self, first: int, end: int) -> Sequence[int]:
        """The level of each character of these positions."""
        begin, stop = (min(max(0, one - self._first), len(self._bytes)) for one in (first, end))
        known = [_LEVELS[byte] for byte in self._bytes[begin:stop]]
        before = min(end, self._first + begin) - first
        found = [UNKNOWN] * max(0, before) + known
        return found + [UNKNOWN] * (end - first - len(found))
