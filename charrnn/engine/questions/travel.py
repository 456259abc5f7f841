"""Questions to a run's younger selves. No torch here."""

from __future__ import annotations

import msgspec

from charrnn.config import Knobs

LONGEST_ERA = 5_000
"""Characters that a state may be asked to write."""

# ---- from a client -------------------------------------------------------------------------------------------


class TravelRun(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What does each state that the run has kept write after `prime`: `length` characters, with `seed` and `knobs`?

    Those nearest to the state of step `near` come first (None: the newest); the states of the steps `had` are known
    already, and where there are steps in `only` no others are asked. `number` comes back. Answers go on coming while
    the run keeps new states; a `length` of 0 ends them.
    """

    number: int
    prime: str = ""
    seed: int = 1
    length: int = 400
    knobs: Knobs = Knobs()
    near: int | None = None
    had: list[int] = []
    only: list[int] = []


# ---- from the engine -----------------------------------------------------------------------------------------


class StateThen(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A state that the run has kept; losses are nats per character as last measured by then, None where not known."""

    step: int
    chars: int | None = None
    train_loss: float | None = None
    val_loss: float | None = None


class StatesKept(msgspec.Struct, frozen=True, tag=True):
    """The states that there are, by rising step: first, and again when there are others."""

    number: int
    states: list[StateThen]


class EraWritten(msgspec.Struct, frozen=True, tag=True):
    """What the model wrote after `prime` at the state of `step`; or why it wrote nothing, a sentence."""

    number: int
    step: int
    prime: str
    text: str
    problem: str = ""
