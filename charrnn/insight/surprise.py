"""How surprised a model is by every character of a text, and what it expected there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids, Vocabulary
from charrnn.training.predictions import expected


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


def surprise(model: LanguageModel, vocabulary: Vocabulary, text: str, *, context: str = "", top: int = 3) -> Surprise:
    """Reads `text` after `context`, one token at a time in order, from a zero state.

    What the vocabulary lacks is passed over in both. Never holds more than some 500,000 logits at once. The model is
    put into evaluation mode and stays there.
    """
    ids = vocabulary.encode(vocabulary.known(text))
    return surprise_of(model, vocabulary, ids, vocabulary.encode(vocabulary.known(context)), top=top)


def surprise_of(
    model: LanguageModel, vocabulary: Vocabulary, ids: Ids, context: Ids | None = None, *, top: int = 3
) -> Surprise:
    """The same of ids (tokens,) after the ids `context`."""
    before = ids[:0] if context is None else context
    top = min(top, model.vocabulary_size)
    skipped = max(0, len(before) - 1)  # places that are the context's own
    unheard = int(len(before) == 0 and len(ids) > 0)  # the first place, before which there is nothing
    parts = list(expected(model, np.concatenate([before, ids]), top=top)) if len(ids) else []
    nats = np.concatenate([np.full(unheard, np.nan), *(part.nats for part in parts)])[skipped:]
    entropy = np.concatenate([np.full(unheard, np.nan), *(part.entropy for part in parts)])[skipped:]
    likeliest = np.concatenate([np.zeros((unheard, top), np.int64), *(part.likeliest for part in parts)])[skipped:]
    chances = np.concatenate([np.zeros((unheard, top)), *(part.chances for part in parts)])[skipped:]
    return Surprise(spelled(vocabulary, ids), nats, entropy, likeliest, chances)


def spelled(vocabulary: Vocabulary, ids: Ids) -> tuple[str, ...]:
    """What each of ids (tokens,) completes, as `Surprise.tokens` has it."""
    decoder = vocabulary.decoder()
    return tuple(decoder.feed(token) for token in ids.tolist())


def by_character(tokens: tuple[str, ...], nats: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What each character of the tokens' text cost, and the place of the first token that spells it.

    Both have shape (characters,): the nats of several bytes are one character's, those of a word are shared out evenly
    over its characters, so that their sum is the text's.
    """
    if all(len(token) == 1 for token in tokens):
        return nats, np.arange(len(tokens))
    costs: list[float] = []
    places: list[int] = []
    for first, end in _groups(tokens):
        text = tokens[end - 1]
        costs += [float(nats[first:end].sum()) / len(text)] * len(text)
        places += [first] * len(text)
    return np.array(costs), np.array(places, np.int64)


def _groups(tokens: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """From where to where tokens make whole characters together."""
    first = 0
    for place, text in enumerate(tokens):
        if text:
            yield first, place + 1
            first = place + 1
