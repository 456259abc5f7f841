"""Questions for several streams side by side. No torch here."""

from __future__ import annotations

import msgspec

from charrnn.config import Knobs

MOST_LANES = 12
LONGEST_PRIME = 2_000
"""Characters that lanes may start from: they are read in one go."""
MOST_PACE = 200.0
"""Characters a second of each lane, however fast the stream is."""

# ---- from a client -------------------------------------------------------------------------------------------


class LaneWish(msgspec.Struct, frozen=True, array_like=True):
    """One lane. `run` is the name of another run in this one's folder of runs, "" for this one.

    `checkpoint`: "" for the newest weights (of this run the live ones), "best", or a step.
    """

    knobs: Knobs
    seed: int
    run: str = ""
    checkpoint: str = ""


class OpenLanes(msgspec.Struct, frozen=True, tag=True):
    """Write these lanes from now on, in step, at the stream's pace. `number` comes back with every answer."""

    number: int
    prime: str
    lanes: list[LaneWish]


class TuneLanes(msgspec.Struct, frozen=True, tag=True):
    """The knobs of each open lane from its next character on, and whether they are held still."""

    knobs: list[Knobs]
    held: bool = False


class CloseLanes(msgspec.Struct, frozen=True, tag=True):
    """Write no more of them."""


class ListCheckpoints(msgspec.Struct, frozen=True, tag=True):
    """Which checkpoints and runs are there for lanes?"""


# ---- from the engine -----------------------------------------------------------------------------------------


class LaneOpened(msgspec.Struct, frozen=True, array_like=True):
    """What became of a wish: the step of its weights and their held-out loss (nats per character; None: live, or not
    measured), what its vocabulary lacks of the prime, and, where there is no lane, why: a sentence.
    """

    step: int = 0
    loss: float | None = None
    live: bool = False
    unknown: str = ""
    problem: str = ""


class LanesOpened(msgspec.Struct, frozen=True, tag=True):
    """One for each wish, in their order; the texts follow."""

    number: int
    lanes: list[LaneOpened]


class LanesText(msgspec.Struct, frozen=True, tag=True):
    """What each lane wrote since the last; `step` is that of the live weights."""

    number: int
    step: int
    texts: list[str]


class LanesEnded(msgspec.Struct, frozen=True, tag=True):
    """There will be no more; `words` is a sentence where that was not asked for."""

    number: int
    words: str = ""


class SavedStep(msgspec.Struct, frozen=True, array_like=True):
    """A checkpoint of this run, with its held-out loss in nats per character."""

    step: int
    loss: float | None


class OtherRun(msgspec.Struct, frozen=True, array_like=True):
    """A run with a checkpoint: what it learns from, its best loss (nats per character) and the step of that."""

    name: str
    corpus: str
    loss: float | None
    step: int


class CheckpointsListed(msgspec.Struct, frozen=True, tag=True):
    """This run's checkpoints by rising step, and the other runs, the newest first."""

    own: list[SavedStep]
    runs: list[OtherRun]
