"""What a model expected at every character of a text: its loss one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Ids

_LOGITS_AT_ONCE = 500_000  # numbers: what bounds the memory, whatever the text and the vocabulary


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
    model.eval()
    rows = max(1, min(chunk, _LOGITS_AT_ONCE // model.vocabulary_size))
    state: State | None = None
    for first in range(0, len(ids) - 1, rows):
        portion = ids[first : first + rows + 1].astype(np.int64)
        nats, alternatives, chances, state = _predicted(model, portion, state)
        for place, column in enumerate(zip(portion[1:].tolist(), nats, alternatives, chances, strict=True)):
            yield Prediction(first + 1 + place, *column)


@torch.inference_mode()
def _predicted(
    model: LanguageModel, portion: np.ndarray, state: State | None
) -> tuple[list[float], list[int], list[float], State]:
    """The losses of all characters of a portion but the first, the likeliest others, their chances, the state."""
    at = torch.from_numpy(portion).to(model.output.weight.device)
    logits, state = model(at[:-1, None], state)
    logarithms = torch.log_softmax(logits[:, 0].double().cpu(), 1)
    targets = at[1:, None].cpu()
    nats = -logarithms.gather(1, targets)[:, 0]
    chances, alternatives = logarithms.scatter(1, targets, -torch.inf).max(1)
    return nats.tolist(), alternatives.tolist(), chances.exp().tolist(), state
