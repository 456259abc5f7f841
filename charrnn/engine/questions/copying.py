"""Questions on what the model copies from its training text. No torch here."""

from __future__ import annotations

from typing import Literal

import msgspec

LONGEST_TOLD = 1_000
"""Characters of a copy's text that are told."""
MOST_TOLD = 500
"""Copies that are told at a time, the newest."""

# ---- from a client -------------------------------------------------------------------------------------------


class WatchCopies(msgspec.Struct, frozen=True, tag=True):
    """What of the stream is copied, from now on and of late; or, with `on` False, no longer."""

    on: bool = True


class TellCopies(msgspec.Struct, frozen=True, tag=True):
    """What of the stream's text of late is copied? Answered once, when that is known."""


# ---- from the engine -----------------------------------------------------------------------------------------


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """A piece of the stream, from position `begin` up to `end`, that stands in the training text word for word.

    There it begins at character `at`, the first time of `times`. `text` is what it says, or the beginning of that.
    """

    begin: int
    end: int
    at: int
    times: int
    text: str

    @property
    def length(self) -> int:
        """How many characters are copied."""
        return self.end - self.begin


class Copies(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What is known of the stream from position `first` up to `end`: these copies, and no others.

    What was told of positions before `first` still holds, but for copies that begin from there on. `share` of the last
    `characters` that the model wrote stand in copies of more than 20 characters. `state`: "waiting" and "indexing" for
    what has to come before, "none" where it never will; `words` say so.
    """

    state: Literal["waiting", "indexing", "ready", "none"]
    words: str = ""
    first: int = 0
    end: int = 0
    copies: list[Copy] = []
    share: float = 0.0
    characters: int = 0


class CopiesTold(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Of the last `characters` that the model wrote this share is copied; `longest` among them, and how many there are.

    `problem` is a sentence where it cannot be told.
    """

    share: float = 0.0
    characters: int = 0
    count: int = 0
    longest: Copy | None = None
    problem: str = ""


class CopiedPoint(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """The share of copies (0 to 1) in a sample that the weights of a step wrote, and the longest copy's characters."""

    step: int
    share: float
    longest: int


class CopiedCurve(msgspec.Struct, frozen=True, tag=True):
    """All that is known of a run, by rising step; another such message takes this one's place."""

    points: list[CopiedPoint]
