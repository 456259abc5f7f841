"""Questions on the units inside the network: which mean something, and what one says of a text. No torch here."""

from __future__ import annotations

import msgspec

LONGEST_TEXT = 20_000
"""Characters that may be given to be read."""
MIDDLE, UNREAD = 127, 255
"""Activations come as a byte a character: from 0, as low as the unit goes, to 254; UNREAD where nothing was read."""

# ---- from a client -------------------------------------------------------------------------------------------


class RankUnits(msgspec.Struct, frozen=True, tag=True):
    """Which units tell something of the text, by the newest weights? `number` comes back; 0: no longer wanted."""

    number: int


class WatchUnit(msgspec.Struct, frozen=True, tag=True):
    """What does a unit, such as "c 1·37", say of the stream, from now on? None: no longer wanted."""

    unit: str | None = None


class UnitOfCorpus(msgspec.Struct, frozen=True, tag=True):
    """What does a unit say of the corpus's characters from `first` up to `end`? `number` comes back."""

    number: int
    unit: str
    first: int
    end: int


class UnitOfText(msgspec.Struct, frozen=True, tag=True):
    """What does a unit say of `text`, which follows `context`? `number` comes back."""

    number: int
    unit: str
    text: str
    context: str = ""


# ---- from the engine -----------------------------------------------------------------------------------------


class RankedUnit(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A unit with the property for which it stands in the list: the AUC, below 0.5 where it is low where the property
    holds; the score against chance, 0 to 1; the rank correlation with the property's amount, if it has one.

    `every` has AUC and score for each property, `values` its activations over the sample's characters.
    """

    name: str
    tells: str
    auc: float
    score: float
    correlation: float | None
    every: list[tuple[float, float]]
    values: bytes


class UnitsRanked(msgspec.Struct, frozen=True, tag=True):
    """How much of the ranking is done, and with 1.0 what it found: units by the weights of a step, over so many
    characters of the corpus, `of` so many in all, of which `sample` is a passage.
    """

    number: int
    share: float
    step: int = 0
    characters: int = 0
    of: int = 0
    properties: list[str] = []
    units: list[RankedUnit] = []
    sample: str = ""


class UnitHeard(msgspec.Struct, frozen=True, tag=True):
    """What the watched unit says of the stream from `position` on. `scale` is how far it goes to either side."""

    unit: str
    step: int
    position: int
    values: bytes
    scale: float


class UnitRead(msgspec.Struct, frozen=True, tag=True):
    """What a unit says of a text, or of the corpus from `first` on."""

    number: int
    unit: str
    step: int
    first: int
    values: bytes
    scale: float
