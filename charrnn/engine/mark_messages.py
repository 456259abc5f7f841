"""What happened to a run while it trained, for a client's chart to mark. No torch here."""

from __future__ import annotations

from typing import Literal

import msgspec

MarkKind = Literal["rate", "cooldown", "checkpoint", "restart", "back"]


class Mark(msgspec.Struct, frozen=True, array_like=True):
    """Something that took effect after `step` steps.

    `rate`: the learning rate became `value`. `cooldown`: one of `value` steps began, or with 0 was called off.
    `checkpoint`: one was written. `restart`: a trainer went on from there. `back`: the run diverged at step `value` and
    went back to this one.
    """

    kind: MarkKind
    step: int
    value: float = 0.0


class Marks(msgspec.Struct, frozen=True, tag=True):
    """All the marks that an engine keeps of its run, by rising step; another such message takes this one's place."""

    marks: list[Mark]
