"""How surprised a model is by every character of a text, and what it expected there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Vocabulary

_LOGITS_AT_ONCE = 500_000  # numbers: what bounds the memory, whatever the text and the vocabulary


@dataclass(frozen=True, slots=True)
class Surprise:
    """What a model made of a text that it knows the tokens of.

    `tokens` are what the tokens complete, in order: whole characters, "" where one of several bytes waits for its rest.
    Together they are the text, without what the vocabulary lacks.
    `nats` (tokens,) float64 is each token's surprise −log p given all before it, NaN for the first where nothing came
    before it. `entropy` (tokens,) float64, in nats too, is how unsure the model was there. `likeliest` are the ids of
    the likeliest tokens at each place (tokens, top) int64, the likeliest first, and `chances` their probabilities.
    """

    tokens: tuple[str, ...]
    nats: NDArray[np.float64]
    entropy: NDArray[np.float64]
    likeliest: NDArray[np.int64]
    chances: NDArray[np.float64]


@torch.inference_mode()
def surprise(model: LanguageModel, vocabulary: Vocabulary, text: str, *, context: str = "", top: int = 3) -> Surprise:
    """Reads `text` after `context`, one token at a time in order, from a zero state.

    What the vocabulary lacks is passed over in both. Never holds more than some 500,000 logits at once. The model is
    put into evaluation mode and stays there.
    """
    model.eval()
    known = vocabulary.known(text)
    ids = vocabulary.encode(known).astype(np.int64)
    before = vocabulary.encode(vocabulary.known(context)).astype(np.int64)
    count, top = len(ids), min(top, model.vocabulary_size)
    nats, entropy = np.full(count, np.nan), np.full(count, np.nan)
    likeliest, chances = np.zeros((count, top), np.int64), np.zeros((count, top))
    both = torch.from_numpy(np.concatenate([before, ids])).to(model.output.weight.device)
    rows = max(1, _LOGITS_AT_ONCE // model.vocabulary_size)
    state: State | None = None
    for first in range(0, len(both) - 1, rows):
        portion = both[first : min(first + rows, len(both) - 1)]
        logits, state = model(portion[:, None], state)
        begin = max(first + 1, len(before))  # the first place in this portion that is of the text
        if begin > first + len(portion):
            continue
        logarithms = torch.log_softmax(logits[begin - first - 1 :, 0].double().cpu(), 1)
        places = slice(begin - len(before), first + len(portion) + 1 - len(before))
        targets = both[begin : first + len(portion) + 1, None].cpu()
        nats[places] = -logarithms.gather(1, targets)[:, 0].numpy()
        probabilities = logarithms.exp()
        entropy[places] = -(probabilities * logarithms.clamp(min=-1e4)).sum(1).numpy()
        found = probabilities.topk(top, 1)
        chances[places], likeliest[places] = found.values.numpy(), found.indices.numpy()
    decoder = vocabulary.decoder()
    tokens = tuple(decoder.feed(token) for token in ids.tolist())
    return Surprise(tokens, nats, entropy, likeliest, chances)
