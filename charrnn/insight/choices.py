"""The choice behind a token: what was likely, what the knobs made of it, what was taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel, State
from charrnn.sampling.choose import probabilities
from charrnn.text.vocabulary import Vocabulary

_OFF = Knobs(temperature=1.0)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could come next: its probability before the knobs and after them, and its rank before (1, 2, …).

    `removed` names the knob that left it no chance: "temperature", "top-k", "top-p", "min-p" or "greedy"; "" for none.
    """

    token: int
    rank: int
    before: float
    after: float
    removed: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """What a token was chosen from.

    `before` and `after` (vocabulary,) float64 are all probabilities, as the model had them and as the knobs left them;
    each sums to 1. `candidates` are the likeliest before the knobs, the likeliest first. `taken` is what was taken,
    also where it is not among those; None where nothing was as yet. `entropy_before` and `entropy_after` are in nats.
    `left` is how many tokens the knobs left a chance.
    """

    knobs: Knobs
    candidates: tuple[Candidate, ...]
    taken: Candidate | None
    entropy_before: float
    entropy_after: float
    left: int
    before: NDArray[np.float64]
    after: NDArray[np.float64]


def choice(logits: ArrayLike, knobs: Knobs = _OFF, taken: int | None = None, *, top: int = 10) -> Choice:
    """The choice from logits (vocabulary,) under these knobs, of which the token `taken` came, if any did.

    The knobs act as in `charrnn.sampling.choose.probabilities`. Raises IndexError for a token that is none.
    """
    scores = torch.as_tensor(np.asarray(logits, np.float64))
    if taken is not None and not 0 <= taken < len(scores):
        raise IndexError(f"{taken} is none of the {len(scores)} tokens")
    before = probabilities(scores, _OFF).numpy()
    after, removed = before, np.zeros(len(before), np.int64)
    names = [""]
    for name, some in _stages(knobs):
        left = probabilities(scores, some).numpy()
        names.append(name)
        removed[(after > 0) & (left == 0)] = len(names) - 1
        after = left
    order = np.argsort(-before, kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(1, len(order) + 1)

    def candidate(token: int) -> Candidate:
        chances = float(before[token]), float(after[token])
        return Candidate(token, int(ranks[token]), *chances, names[removed[token]] if not chances[1] else "")

    return Choice(
        knobs,
        tuple(candidate(token) for token in order[:top].tolist()),
        None if taken is None else candidate(taken),
        _entropy(before),
        _entropy(after),
        int(np.count_nonzero(after)),
        before,
        after,
    )


@torch.inference_mode()
def choices(
    model: LanguageModel,
    vocabulary: Vocabulary,
    text: str,
    *,
    prime: str = "\n",
    knobs: Knobs = _OFF,
    top: int = 10,
) -> tuple[Choice, ...]:
    """The choice behind each token of `text` after `prime`, and a last one, of what would come next (`taken` None).

    What the vocabulary lacks is passed over in both. An empty prime counts as the first symbol of the vocabulary. The
    model is put into evaluation mode and stays there.
    """
    model.eval()
    device = model.output.weight.device
    first = vocabulary.known(prime) or vocabulary.alphabet[:1] or "\n"
    before = vocabulary.encode(first).astype(np.int64)
    ids = vocabulary.encode(vocabulary.known(text)).astype(np.int64)
    logits, state = _read(model, before, None, device)
    made = []
    for token in ids.tolist():
        made.append(choice(logits, knobs, token, top=top))
        logits, state = _read(model, np.array([token]), state, device)
    return (*made, choice(logits, knobs, top=top))


def _read(
    model: LanguageModel, ids: NDArray[np.int64], state: State | None, device: torch.device
) -> tuple[NDArray[np.float32], State]:
    logits, after = model(torch.from_numpy(ids)[:, None].to(device), state)
    return logits[-1, 0].cpu().numpy(), after


def _stages(knobs: Knobs) -> Iterable[tuple[str, Knobs]]:
    """The knobs one after the other, each with those before it."""
    if knobs.greedy:
        yield "greedy", knobs
        return
    some = replace(_OFF, temperature=knobs.temperature)
    yield "temperature", some
    for name, field in (("top-k", "top_k"), ("top-p", "top_p"), ("min-p", "min_p")):
        some = replace(some, **{field: getattr(knobs, field)})
        yield name, some


def _entropy(chances: NDArray[np.float64]) -> float:
    some = chances[chances > 0]
    return float(-(some * np.log(some)).sum()) + 0.0
