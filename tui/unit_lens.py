"""Text in the light of one unit's activation: low and high to either side of its middle, with colours and without.

Activations are bytes (charrnn/engine/questions/units.py). Any text can be seen so: `UnitLens.put` takes what the
engine answers to WatchUnit, UnitOfCorpus or UnitOfText, by the positions that the text's characters have.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style

from charrnn.engine.questions.units import MIDDLE, UNREAD
from tui import palette
from tui.lenses import UNKNOWN

STYLES: tuple[Style, ...] = (
    palette.ACCENT + Style(underline=True),
    palette.ACCENT,
    palette.PLAIN,
    palette.WARNING + Style(bold=True),
    palette.WARNING + Style(bold=True, reverse=True),
)
"""From very low to very high. Without colour: underlined, plain, plain, bold, reversed."""
LEGEND = (("low", STYLES[0]), ("high", STYLES[4]))
SPARKS = "▁▂▃▄▅▆▇█"
KEPT = 100_000
"""Characters whose activations are held."""

_LITTLE, _MUCH = 0.2, 0.6


def level_of(value: int) -> int:
    """The level of a byte, 0 to 4, or UNKNOWN."""
    if value == UNREAD:
        return UNKNOWN
    share = (value - MIDDLE) / MIDDLE
    return (share > -_MUCH) + (share > -_LITTLE) + (share > _LITTLE) + (share > _MUCH)


_LEVELS = [level_of(value) for value in range(256)]


def spark_pieces(values: bytes) -> list[tuple[str, Style]]:
    """A row of bars, a cell a byte, coloured by the side of the middle that they are on; blanks where none was read."""
    pieces: list[tuple[str, Style]] = []
    text, before = "", -2
    for value in values:
        level = _LEVELS[value]
        side = level if level == UNKNOWN else (level > 1) + (level > 2)
        if side != before and text:
            pieces.append((text, _SIDES[before]))
            text = ""
        before = side
        text += " " if value == UNREAD else SPARKS[value * len(SPARKS) // UNREAD]
    return [*pieces, (text, _SIDES[before])] if text else []


_SIDES = {UNKNOWN: palette.PLAIN, 0: palette.ACCENT, 1: palette.QUIET, 2: palette.WARNING}


class UnitLens:
    """What one unit says of a text, as far as it was read."""

    def __init__(self, unit: str) -> None:
        self.unit = unit
        self._first = 0
        self._values = bytearray()

    @property
    def name(self) -> str:
        return f"unit {self.unit}"

    @property
    def legend(self) -> Sequence[tuple[str, Style]]:
        return LEGEND

    @property
    def styles(self) -> Sequence[Style]:
        return STYLES

    @property
    def end(self) -> int:
        """The position after the last that was read."""
        return self._first + len(self._values)

    def levels(self, first: int, end: int) -> Sequence[int]:
        return [_LEVELS[value] for value in self.values(first, end)]

    def values(self, first: int, end: int) -> bytes:
        """The bytes from position `first` up to `end`."""
        if end <= first:
            return b""
        begin, stop = max(first, self._first), min(end, self.end)
        if begin >= stop:
            return bytes([UNREAD]) * (end - first)
        held = bytes(self._values[begin - self._first : stop - self._first])
        return bytes([UNREAD]) * (begin - first) + held + bytes([UNREAD]) * (end - stop)

    def put(self, first: int, values: bytes) -> tuple[int, int]:
        """Takes in the bytes from a position on; the first position whose level is another now, and the one after the
        last.
        """
        before = self.levels(first, first + len(values))
        if not self._values or first > self.end + KEPT or first + len(values) < self._first - KEPT:
            self._first, self._values = first, bytearray()
        elif first < self._first:
            self._values[:0] = bytes([UNREAD]) * (self._first - first)
            self._first = first
        elif first > self.end:
            self._values += bytes([UNREAD]) * (first - self.end)
        self._values[first - self._first : first - self._first + len(values)] = values
        if len(self._values) > KEPT:
            dropped = len(self._values) - KEPT
            del self._values[:dropped]
            self._first += dropped
        changed = [at for at, (old, new) in enumerate(zip(before, values, strict=True)) if old != _LEVELS[new]]
        return (first + changed[0], first + changed[-1] + 1) if changed else (first, first)

    def forget(self) -> None:
        """Nothing was read."""
        self._values.clear()
