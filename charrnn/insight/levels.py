"""Surprise in five levels, for all that is coloured by it. No torch and no NumPy here: a terminal asks too."""

from __future__ import annotations

import math
from bisect import bisect_right

BORDERS = (0.5, 1.5, 3.0, 5.0)
"""Nats at which the next level begins: probabilities of about 61 %, 22 %, 5 % and 0.7 %."""
WORDS = ("expected", "likely", "unlikely", "rare", "startling")
CHANCES = ("over 61 %", "22 to 61 %", "5 to 22 %", "0.7 to 5 %", "under 0.7 %")
"""How likely what stands there was, at each level."""
UNKNOWN = -1
"""The level of what has no surprise: the first character, one that the model does not know."""


def level_of(nats: float) -> int:
    """0 for what goes without saying, to 4; UNKNOWN where nothing is known (NaN)."""
    return UNKNOWN if math.isnan(nats) else bisect_right(BORDERS, nats)
