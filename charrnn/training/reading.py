"""How a model is given text when nothing is learnt from it: in one piece, or in shares, a thread each.

As in training (see `shards.py`), threads that take some of the streams each from end to end wait for each other once a
portion, not once an operation. The model is the same one for all of them: reading changes nothing in it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import torch
from torch import Tensor

from charrnn.model.language_model import LanguageModel, State
from charrnn.training.precision import casting


class Reader(Protocol):
    """Inputs (time, streams) and the state before → logits (time, streams, vocabulary) and the state after."""

    def __call__(self, model: LanguageModel, inputs: Tensor, state: State | None) -> tuple[Tensor, State]: ...


def in_one_piece(model: LanguageModel, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
    """The model itself."""
    found: tuple[Tensor, State] = model(inputs, state)
    return found


class InShares:
    """A `Reader` on the CPU with so many threads, in the precision that a model is trained in."""

    def __init__(self, threads: int, dtype: torch.dtype | None) -> None:
        """`dtype` as in `precision.casting`."""
        self._pool = ThreadPoolExecutor(threads, "reading", initializer=torch.set_num_threads, initargs=(1,))
        self._threads, self._dtype = threads, dtype

    def __call__(self, model: LanguageModel, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        """As `Reader`; the model must be in evaluation mode, or dropout would draw in no order."""
        portions = inputs.tensor_split(min(self._threads, inputs.shape[1]), 1)
        states: list[State | None] = [None] * len(portions)
        if state is not None:
            layers = [[tensor.tensor_split(len(portions)) for tensor in layer] for layer in state]
            states = [[tuple(parts[share] for parts in layer) for layer in layers] for share in range(len(portions))]
        waited = [self._pool.submit(self._read, model, *both) for both in zip(portions, states, strict=True)]
        read = [future.result() for future in waited]
        after = zip(*(state for _, state in read), strict=True)
        joined = [tuple(torch.cat(parts) for parts in zip(*layer, strict=True)) for layer in after]
        return torch.cat([logits for logits, _ in read], 1), joined

    def _read(self, model: LanguageModel, inputs: Tensor, state: State | None) -> tuple[Tensor, State]:
        with torch.inference_mode(), casting(inputs.device, self._dtype):
            logits, after = model(inputs, state)
        return logits.float(), after
