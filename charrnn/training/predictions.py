"""What a model expected at every place of a text: the one implementation for losses one by one and for surprise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Ids

LOGITS_AT_ONCE = 500_000  # numbers: what bounds the memory, whatever the text and the vocabulary


@dataclass(frozen=True, slots=True)
class Expected:
    """What was expected at some places of a text that follow one another, given all before each.

    `nats` (places,) float64 is the loss −log p of the token that stands there, `entropy` (places,) float64 how unsure
    the model was, in nats. `likeliest` (places, top) int64 are the likeliest tokens, the likeliest first, `chances`
    (places, top) float64 their probabilities. `state` is that after the last token read, which precedes the last place.
    """

    nats: NDArray[np.float64]
    entropy: NDArray[np.float64]
    likeliest: NDArray[np.int64]
    chances: NDArray[np.float64]
    state: State


def expected(
    model: LanguageModel, ids: Ids, *, state: State | None = None, top: int = 3, chunk: int = 4096
) -> Iterator[Expected]:
    """All tokens of ids (tokens,) but the first, which only tells the model where it is, a portion at a time.

    `state` is that before the first token: None for zeros. No more than `chunk` tokens' logits are held, or fewer where
    the vocabulary is large. The model is put into evaluation mode and stays there; nothing comes of fewer than 2 ids.
    """
    model.eval()
    rows = max(1, min(chunk, LOGITS_AT_ONCE // model.vocabulary_size))
    top = min(top, model.vocabulary_size)
    for first in range(0, len(ids) - 1, rows):
        portion = torch.from_numpy(np.asarray(ids[first : first + rows + 1]).astype(np.int64))
        made = _expected(model, portion, state, top)
        state = made.state
        yield made


@torch.inference_mode()
def _expected(model: LanguageModel, portion: torch.Tensor, state: State | None, top: int) -> Expected:
    logits, state = model(portion[:-1, None].to(model.output.weight.device), state)
    logarithms = torch.log_softmax(logits[:, 0].double().cpu(), 1)
    nats = -logarithms.gather(1, portion[1:, None])[:, 0]
    probabilities = logarithms.exp()
    entropy = -(probabilities * logarithms.clamp(min=-1e4)).sum(1)
    found = probabilities.topk(top, 1)
    return Expected(nats.numpy(), entropy.numpy(), found.indices.numpy(), found.values.numpy(), state)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One character of a text, given all before it.

    `index` counts the text's characters from 0, `id` is the character's, `nats` its loss −log p. `alternative` is the
    likeliest of all other characters, and `alternative_probability` how likely that one was.
    """

    index: int
    id: int
    nats: float
    alternative: int
    alternative_probability: float


def predictions(model: LanguageModel, ids: Ids, *, chunk: int = 512) -> Iterator[Prediction]:
    """Every character of ids (characters,) but the first, which nothing predicts, with the state carried through.

    The mean of their nats is the loss under the protocol `stream`. Never holds more than `chunk` characters' logits,
    or fewer where the vocabulary is large. Raises UsageError for fewer than 2 characters.
    """
    if len(ids) < 2:
        raise UsageError(f"A prediction needs at least 2 characters, and there are {len(ids)}; give a longer text.")
    place = 1
    for portion in expected(model, ids, top=2, chunk=chunk):
        columns = (portion.nats, portion.likeliest, portion.chances)
        for nats, likeliest, chances in zip(*(column.tolist() for column in columns), strict=True):
            symbol = int(ids[place])
            others = [pair for pair in zip(likeliest, chances, strict=True) if pair[0] != symbol]
            yield Prediction(place, symbol, nats, *(others[0] if others else (symbol, 0.0)))
            place += 1
