"""Questions on how a text looks under the model's eyes. No torch here."""

from __future__ import annotations

import msgspec

LONGEST_TEXT = 20_000
"""Characters that may be given to be read."""
AROUND = 400
"""Characters to either side of a place of which is told what was expected."""
TOP = 5
"""Likeliest tokens that are told at each place."""
MOST_SPOTS = 50
"""The most surprising characters of a text that are told."""

# ---- from a client -------------------------------------------------------------------------------------------


class ReadText(msgspec.Struct, frozen=True, tag=True):
    """How surprised is the newest model by each token of `text`, which follows `context`? `number` comes back."""

    number: int
    text: str
    context: str = ""
    top: int = 3


class WatchText(msgspec.Struct, frozen=True, tag=True):
    """How surprised is the model by `text`, now and, as it learns, again every few seconds? "" ends that.

    What was expected is told of the characters around `at` alone. `number` comes back with the answers.
    """

    number: int
    text: str
    at: int = 0


class WatchCorpus(msgspec.Struct, frozen=True, tag=True):
    """The same of the corpus's characters from `first` up to `end`, read after what precedes them. No characters: that
    ends it.
    """

    number: int
    first: int
    end: int


class RatePassages(msgspec.Struct, frozen=True, tag=True):
    """Which passages of the held-out text surprise the model most and least? `on` False ends the search for them."""

    number: int
    on: bool = True


# ---- from the engine -----------------------------------------------------------------------------------------


class TokenRead(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a token completes ("" while a character of several bytes waits for its rest), its surprise −log p in nats
    (None where nothing came before it), how unsure the model was there (nats), what it thought likeliest with the
    probabilities, the likeliest first.
    """

    text: str
    nats: float | None
    entropy: float | None
    likeliest: list[tuple[str, float]]


class TextRead(msgspec.Struct, frozen=True, tag=True):
    """The text as the weights of training step `step` read it, without the characters that the model does not know."""

    number: int
    step: int
    tokens: list[TokenRead]
    unknown: str = ""


class Spot(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A character that surprised: where it is, its nats, what was likeliest instead and how likely that was."""

    at: int
    nats: float
    expected: str
    chance: float


class TextSeen(msgspec.Struct, frozen=True, tag=True):
    """What the weights of training step `step` made of the text of a `WatchText`.

    `nats` has a float32 for each of its characters, in this machine's order: NaN for the first and for what the model
    does not know, which is `unknown`. `expected` are, of the characters from `first` on and of the one that would
    follow the last, the likeliest tokens at each with their probabilities, the likeliest first. `spots` are the
    characters that surprised most, in that order.
    """

    number: int
    step: int
    nats: bytes
    first: int
    expected: list[list[tuple[str, float]]]
    spots: list[Spot]
    unknown: str = ""


class CorpusSeen(msgspec.Struct, frozen=True, tag=True):
    """The surprise of the corpus's characters from `at` on by the weights of step `step`, as `TextSeen.nats` has it."""

    number: int
    step: int
    at: int
    nats: bytes


class PassageRated(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A passage of the corpus: where it begins, its mean nats per character, its text."""

    at: int
    nats: float
    text: str


class PassagesRated(msgspec.Struct, frozen=True, tag=True):
    """The most and the least surprising passages of the first `read` of `characters` held-out ones, so far.

    All are by the weights of training step `step`. `held_out` is how many characters are held out in all.
    """

    number: int
    step: int
    read: int
    characters: int
    held_out: int
    worst: list[PassageRated] = []
    best: list[PassageRated] = []
