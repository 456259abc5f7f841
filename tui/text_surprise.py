"""The lens of surprise: each character in the shade of what it cost the model."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from rich.style import Style

from charrnn.insight.levels import UNKNOWN, WORDS, level_of
from tui.lenses import SHADES

NOTHING = math.nan
"""The surprise of what has none yet."""


class SurpriseLens:
    """`nats` has a number for each character from `first` on, NaN where nothing is known."""

    name = "surprise"
    styles: Sequence[Style] = SHADES

    def __init__(self) -> None:
        self.first = 0
        self.nats = array("f")
        self._mean: tuple[float, int] | None = None

    @property
    def legend(self) -> Sequence[tuple[str, Style]]:
        return list(zip(WORDS, SHADES, strict=True))

    def levels(self, first: int, end: int) -> Sequence[int]:
        """Of each character from `first` up to `end`."""
        begin, stop = max(first, self.first), min(end, self.first + len(self.nats))
        if begin >= stop:
            return [UNKNOWN] * (end - first)
        known = [level_of(nats) for nats in self.nats[begin - self.first : stop - self.first]]
        return [*[UNKNOWN] * (begin - first), *known, *[UNKNOWN] * (end - stop)]

    def replaced(self, at: int, removed: int, added: int) -> None:
        """So many characters were put in the place of others; what they cost is not known yet."""
        self.nats[at : at + removed] = array("f", [NOTHING] * added)
        self._mean = None

    def take(self, first: int, nats: bytes) -> None:
        """All of it anew, as the engine tells it: a float32 for each character from `first` on."""
        self.first, self.nats, self._mean = first, array("f", nats), None

    def mean(self) -> tuple[float, int]:
        """Nats per character, and of how many; NaN where it is of none."""
        if self._mean is None:
            known = [nats for nats in self.nats if not math.isnan(nats)]
            self._mean = (math.fsum(known) / len(known), len(known)) if known else (NOTHING, 0)
        return self._mean
