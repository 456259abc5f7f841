"""What a client has the stream do with the choices behind it: go back, take another, one step. No torch here."""

from __future__ import annotations

import msgspec


class TakeInstead(msgspec.Struct, frozen=True, tag=True):
    """Go back to the stream's character at `position`, take `token` in its stead, and write on from there.

    At the end of the present text: take this token as the next one.
    """

    position: int
    token: int


class GoToEnd(msgspec.Struct, frozen=True, tag=True):
    """Go to the end of the branch whose last character is the one at `position`, and write on from there."""

    position: int


class UndoGoingBack(msgspec.Struct, frozen=True, tag=True):
    """Return to where the stream was before it last went back; `redo`: take that back."""

    redo: bool = False


class StepStream(msgspec.Struct, frozen=True, tag=True):
    """Write one token, also where the stream is held still."""


StreamOrder = TakeInstead | GoToEnd | UndoGoingBack | StepStream
STREAM_ORDERS = (TakeInstead, GoToEnd, UndoGoingBack, StepStream)
