"""The loss on a text, in nats per character, under protocols that have a name."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Ids
from charrnn.training.reading import Reader, in_one_piece

CharactersIn = Callable[[Ids], int]
"""How many characters some ids spell: a vocabulary's `characters_in`. Where each is a character, their number."""

_LOGITS_AT_ONCE = 4_000_000  # numbers: what bounds the memory, whatever the text and the vocabulary


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a loss is taken: over the whole text with the state carried through, or in windows of so many tokens."""

    window: int | None = None

    def __str__(self) -> str:
        """As it is written on a command line."""
        return "stream" if self.window is None else f"window:{self.window}"


def parse_protocol(text: str) -> Protocol:
    """Of "stream" or "window:N". Raises UsageError for anything else."""
    if text == "stream":
        return Protocol()
    name, _, number = text.partition(":")
    if name == "window" and number.isascii() and number.isdecimal() and len(number) < 10 and int(number) > 0:
        return Protocol(int(number))
    raise UsageError(
        f"There is no protocol {text!r}; give stream, or window:N with N characters (tokens), such as window:64."
    )


def loss_under(protocol: Protocol, model: LanguageModel, ids: Ids, *, characters_in: CharactersIn = np.size) -> float:
    """The exact loss under the protocol, in nats per character, of ids (tokens,)."""
    if protocol.window is None:
        return stream_loss(model, ids, characters_in=characters_in)
    return window_loss(model, ids, protocol.window, characters_in=characters_in)


def stream_loss(
    model: LanguageModel,
    ids: Ids,
    *,
    segments: int = 1,
    warm_up: int = 1024,
    chunk: int = 512,
    characters_in: CharactersIn = np.size,
    read: Reader = in_one_piece,
) -> float:
    """The loss of every token of ids (tokens,) but the first, given all before it, in nats per character.

    That is the sum over the tokens, divided by the number of characters that those tokens spell: for a vocabulary of
    characters the mean, for any other a figure that compares with it.

    One segment is the protocol `stream` itself: the state is carried from the first token to the last. With more,
    the text is cut into that many equal segments which are read side by side, each after the `warm_up` tokens
    before it (the first after none): much faster, every token still counted once, and as near to the protocol as
    the network forgets within the warm-up. `chunk` tokens of a segment are read at a time, or fewer where the
    vocabulary is large; it changes nothing but memory. `read` is how the model is given them. Raises UsageError for
    fewer than 2 tokens.
    """
    pairs = _pairs(ids)
    length = -(-pairs // max(1, segments))  # tokens of a segment; the last may have fewer
    starts = np.arange(0, pairs, length)
    device = model.output.weight.device
    rows = max(1, min(chunk, _LOGITS_AT_ONCE // (len(starts) * model.vocabulary_size)))
    total = 0.0
    with _evaluating(model):
        state = _warmed_up(model, ids, starts, min(warm_up, length), rows, read)
        for first in range(0, length, rows):
            at = starts[None, :] + np.arange(first, min(first + rows, length))[:, None]
            inputs = _tensor(ids, np.minimum(at, pairs - 1), device)
            targets = _tensor(ids, np.minimum(at + 1, pairs), device)
            if at[-1, -1] >= pairs:
                targets[torch.from_numpy(at >= pairs).to(device)] = -100  # beyond the end: not counted
            logits, state = read(model, inputs, state)
            total += _sum_of_losses(logits, targets)
    return total / max(1, characters_in(ids[1:]))


def window_loss(model: LanguageModel, ids: Ids, n: int, *, characters_in: CharactersIn = np.size) -> float:
    """The loss over all windows of n tokens, side by side, each read from a zero state; nats per character.

    The k-th window's inputs are ids[kn : kn + n], its targets the same one further: every token but the first is
    predicted once, and the last window, where it is a shorter one, is included. What peers with a context of n
    tokens report. Raises UsageError for fewer than 2 tokens or n below 1.
    """
    pairs = _pairs(ids)
    if n < 1:
        raise UsageError(f"A window of {n} characters is none; give at least 1, such as window:64.")
    device = model.output.weight.device
    whole = pairs // n
    at_once = max(1, _LOGITS_AT_ONCE // (n * model.vocabulary_size))
    total = 0.0
    with _evaluating(model):
        for first in range(0, whole, at_once):
            starts = np.arange(first, min(first + at_once, whole)) * n
            total += _zero_state_loss(model, ids, starts[None, :] + np.arange(n)[:, None], device)
        if whole * n < pairs:
            total += _zero_state_loss(model, ids, np.arange(whole * n, pairs)[:, None], device)
    return total / max(1, characters_in(ids[1:]))


@contextmanager
def _evaluating(model: LanguageModel) -> Iterator[None]:
    """No gradients and no dropout inside; afterwards the mode the model was in."""
    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)


def _warmed_up(
    model: LanguageModel, ids: Ids, starts: np.ndarray, warm_up: int, rows: int, read: Reader
) -> State | None:
    """The state before each segment, a row for each: zeros for the first, the warm-up's last for the others."""
    if len(starts) == 1 or warm_up == 0:
        return None
    state: State | None = None
    for first in range(-warm_up, 0, rows):
        at = starts[None, 1:] + np.arange(first, min(first + rows, 0))[:, None]
        _, state = read(model, _tensor(ids, at, model.output.weight.device), state)
    assert state is not None
    return [tuple(torch.cat([torch.zeros_like(tensor[:1]), tensor]) for tensor in layer) for layer in state]


def _zero_state_loss(model: LanguageModel, ids: Ids, at: np.ndarray, device: torch.device) -> float:
    """The sum of losses of the tokens after these places (time, batch), read from a zero state.

    A long window is read in portions: cuDNN takes no more than 65,535 steps.
    """
    state: State | None = None
    total = 0.0
    rows = max(1, min(len(at), 4096, _LOGITS_AT_ONCE // model.vocabulary_size))
    for first in range(0, len(at), rows):
        portion = at[first : first + rows]
        logits, state = model(_tensor(ids, portion, device), state)
        total += _sum_of_losses(logits, _tensor(ids, portion + 1, device))
    return total


def _sum_of_losses(logits: Tensor, targets: Tensor) -> float:
    """In float64: a sum over millions of characters loses digits in float32."""
    losses = functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
    total = losses.cpu().double().sum().item()
    return total if math.isfinite(total) else math.nan


def _tensor(ids: Ids, at: np.ndarray, device: torch.device) -> Tensor:
    return torch.from_numpy(ids[at].astype(np.int64)).to(device)


def _pairs(ids: Ids) -> int:
    if len(ids) < 2:
        raise UsageError(f"A loss needs at least 2 characters, and there are {len(ids)}; hold more of the text out.")
    return len(ids) - 1
