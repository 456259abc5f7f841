"""Questions on the choices behind the stream's characters. No torch here."""

from __future__ import annotations

import msgspec

from charrnn.config import Knobs

UNKNOWN_SURPRISE = 255
_STEPS = 16


def as_byte(nats: float) -> int:
    """A surprise of so many nats as it goes over the line, in sixteenths; NaN as unknown."""
    return min(UNKNOWN_SURPRISE - 1, round(nats * _STEPS)) if nats == nats else UNKNOWN_SURPRISE


def as_nats(byte: int) -> float | None:
    """The other way round; None for unknown."""
    return None if byte == UNKNOWN_SURPRISE else byte / _STEPS


# ---- from a client -------------------------------------------------------------------------------------------


class WatchSurprise(msgspec.Struct, frozen=True, tag=True):
    """How surprised is the model by what it writes? While `on`, `Generated.surprise` says it.

    Of what was written before, a `SurpriseKnown` comes at once.
    """

    on: bool


class AskChoice(msgspec.Struct, frozen=True, tag=True):
    """What was the stream's character at `position` chosen from? At the end of the text: the next one. `number` comes
    back.
    """

    number: int
    position: int
    top: int = 10


class HoldStream(msgspec.Struct, frozen=True, tag=True):
    """The stream stands still while `on`, whatever its pace, and until this client leaves."""

    on: bool


# ---- from the engine -----------------------------------------------------------------------------------------


class CandidateTold(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """As `charrnn.insight.choices.Candidate`; `text` is what the token spells, or a byte's digits."""

    token: int
    text: str
    rank: int
    before: float
    after: float
    removed: str


class ChoiceTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The choice behind the token that completes the character at `position`, or (`taken` None) the next one.

    The token's characters are those from `first` up to `end`. `place` counts tokens of the stream from 1. Entropies are
    in nats, `left` of `known` tokens have a chance. `step` is the training step of the weights; `now`: they are not
    those of that moment, which are gone, but today's. `problem` is a sentence where there is nothing to tell.
    """

    number: int
    position: int
    first: int = 0
    end: int = 0
    place: int = 0
    candidates: list[CandidateTold] = []
    taken: CandidateTold | None = None
    entropy_before: float = 0.0
    entropy_after: float = 0.0
    left: int = 0
    known: int = 0
    knobs: Knobs = Knobs()
    step: int = 0
    now: bool = False
    problem: str = ""


class SurpriseKnown(msgspec.Struct, frozen=True, tag=True):
    """The surprise of the stream's characters from `position` on, a byte each: sixteenths of a nat, 255 for unknown."""

    position: int
    surprise: bytes
