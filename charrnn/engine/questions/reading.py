"""Questions on how a text looks under the model's eyes. No torch here."""

from __future__ import annotations

import msgspec

LONGEST_TEXT = 20_000
"""Characters that may be given to be read."""

# ---- from a client -------------------------------------------------------------------------------------------


class ReadText(msgspec.Struct, frozen=True, tag=True):
    """How surprised is the newest model by each token of `text`, which follows `context`? `number` comes back."""

    number: int
    text: str
    context: str = ""
    top: int = 3


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
