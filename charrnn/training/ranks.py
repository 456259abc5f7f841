"""The processes that train one model together, as the trainer sees them: here one that is alone.

`charrnn.training.distributed` has the others. The batch is dealt out in order: of B streams, rank r of W learns from
those from r·B/W on, so that W ranks see the text that one alone would, and the mean of their gradients is its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel, State
from charrnn.training.shards import Shards


class Gradients(Protocol):
    """What leaves the gradients of a step's mean loss in a model's parameters; see `Shards`."""

    @property
    def generators(self) -> list[torch.Generator]: ...

    def gradients(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[float, State]: ...


def streams_each(batch: int, ranks: int) -> int:
    """How many streams of a batch each rank takes. Raises UsageError where it does not come out even."""
    if batch % ranks:
        below = batch - batch % ranks
        choice = f"{below} or {below + ranks}" if below else str(ranks)
        raise UsageError(
            f"A batch of {batch:,} cannot be dealt out evenly to {ranks} processes; give --batch {choice}."
        )
    return batch // ranks


class Ranks:
    """A process alone: rank 0 of 1. Every method is met by all ranks at the same point, or by none."""

    rank = 0
    size = 1

    def share(self, batch: int) -> slice:
        """Which of a batch's streams are this rank's. Raises UsageError where they cannot be dealt out evenly."""
        own = streams_each(batch, self.size)
        return slice(self.rank * own, (self.rank + 1) * own)

    def shards(
        self, model: LanguageModel, streams: int, count: int, seed: int, dtype: torch.dtype | None = None
    ) -> Gradients:
        """What computes the gradients of a step's mean loss over all ranks, from this rank's `streams` of it."""
        return Shards(model, streams, count, seed, dtype)

    def leave(self) -> None:
        """The last call: the other ranks are not heard from again."""

    def of_first(self, number: Callable[[], float | None]) -> float | None:
        """What rank 0 computes."""
        return number()

    def tensors_of_first(self, load: Callable[[], dict[str, Tensor]]) -> dict[str, Tensor]:
        """What rank 0 loads. Raises there what `load` raises, and elsewhere `RankLostError`."""
        return load()

    def total(self, number: int) -> int:
        """Of a whole number over the ranks."""
        return number

    def joined(self, tensor: Tensor) -> Tensor:
        """Every rank's (streams, …) in order: (all streams, …), on the CPU."""
        return tensor.detach().cpu()

    def named_by_rank(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """Every rank's tensors under one roof: rank 0's under their own names, the others' under rank/1/… and so on."""
        return tensors

    def own_of(self, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
        """This rank's, of what `named_by_rank` gave, under their own names; fewer where there were fewer ranks."""
        return tensors


class RankLostError(RuntimeError):
    """Another process of this training has failed or is gone: there is nothing to go on with."""


ALONE = Ranks()
