"""One training step on several cores without a barrier inside: each thread takes some of the batch from end to end.

A recurrent layer is a chain of small operations. Shared out among threads one by one, every operation ends with all
of them waiting for the slowest, and beside any other load that is nearly all they do. Here each thread runs forward
and backward for its own streams on one core, and they meet once a step, to add up their gradients: the arithmetic of
data-parallel training, in one process. Measured in tests/benchmarks/NOTES.md.
"""

from __future__ import annotations

import copy
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from charrnn.model.gated_pass import GatedPass, gated_pass
from charrnn.model.language_model import LanguageModel, State, detach
from charrnn.model.loss import cross_entropy
from charrnn.training.precision import casting


@dataclass(frozen=True, slots=True)
class _Part:
    """One shard's share of a step: its part of the mean loss (nats per character), and the state after it."""

    loss: float
    state: State


class Shards:
    """A model and its replicas, which share its weights and have gradients of their own.

    The streams of a batch are dealt out in order, as evenly as they go. With one shard this is plain training, on
    whatever device the model is. The result does not depend on which thread is faster: gradients are added in order.
    """

    def __init__(
        self,
        model: LanguageModel,
        batch: int,
        count: int,
        seed: int,
        dtype: torch.dtype | None = None,
        first: int = 0,
    ) -> None:
        """`count` shards, no more than there are streams; each draws its dropout from a generator of its own.

        `dtype` is what the forward pass is cast to where that is allowed (torch.autocast), None for nothing. `first` is
        the number of the first of them, where other processes have shards too.
        """
        self._dtype = dtype
        count = max(1, min(count, batch))
        self.sizes = [batch // count + (index < batch % count) for index in range(count)]
        self.models = [model] + [replica(model) for _ in range(count - 1)]
        self._parameters = [list(one.parameters()) for one in self.models]
        self._passes = [gated_pass(one, dtype) for one in self.models]
        self._learners = list(zip(self.models, self._parameters, self._passes, strict=True))
        self._pool = None
        self.generators: list[torch.Generator] = []
        if count > 1:
            self._pool = ThreadPoolExecutor(count, "shard", initializer=torch.set_num_threads, initargs=(1,))
            for index, one in enumerate(self.models):
                generator = torch.Generator().manual_seed(seed * 1000 + first + index)
                self.generators.append(generator)
                one.dropout.generator = generator

    def gradients(self, inputs: Tensor, targets: Tensor, state: State | None) -> tuple[float, State]:
        """Leaves the gradients of the mean loss in the model's parameters; inputs and targets (time, batch).

        Returns the loss, and the state (batch, hidden) after the portion, detached. Where a shard's loss is not
        finite there are no gradients to speak of, and the loss says so.
        """
        states = self._dealt(state)
        dealt = torch.split(inputs, self.sizes, 1), torch.split(targets, self.sizes, 1)
        parts = zip(self._learners, *dealt, states, strict=True)
        total = inputs.shape[1]
        if self._pool is None:
            done = [_work(*part, total, self._dtype) for part in parts]
        else:
            waited = [self._pool.submit(_work, *part, total, self._dtype) for part in parts]
            done = [future.result() for future in waited]
            self._add_up()
        if len(done) == 1:
            return done[0].loss, done[0].state
        layers = zip(*(part.state for part in done), strict=True)
        joined = [tuple(torch.cat(tensors) for tensors in zip(*layer, strict=True)) for layer in layers]
        return math.fsum(part.loss for part in done), joined

    def _add_up(self) -> None:
        """Every shard's gradients into the first one's, in order."""
        first = self._passes[0]
        for others, other in zip(self._parameters[1:], self._passes[1:], strict=True):
            if first is not None and other is not None:
                first.gradients.add_(other.gradients)
                continue
            for parameter, own in zip(self._parameters[0], others, strict=True):
                if parameter.grad is not None and own.grad is not None:
                    parameter.grad.add_(own.grad)

    def _dealt(self, state: State | None) -> list[State | None]:
        if state is None or len(self.sizes) == 1:
            return [state] * len(self.sizes)
        parts = [[torch.split(tensor, self.sizes) for tensor in layer] for layer in state]
        return [[tuple(tensor[i] for tensor in layer) for layer in parts] for i in range(len(self.sizes))]


def replica(model: LanguageModel) -> LanguageModel:
    """A model of the same shape over the same numbers in memory: a step of the first is a step of both."""
    twin = copy.deepcopy(model)
    for own, parameter in zip(twin.parameters(), model.parameters(), strict=True):
        own.data = parameter.data
    return twin


def mean_loss(
    model: LanguageModel, inputs: Tensor, targets: Tensor, state: State | None, dtype: torch.dtype | None = None
) -> tuple[Tensor, State]:
    """The mean loss of a portion (time, batch), nats per token, as a graph; and the state after it."""
    with casting(inputs.device, dtype):
        logits, after = model(inputs, state)
    return cross_entropy(logits.float(), targets), after


def _work(
    learner: tuple[LanguageModel, list[nn.Parameter], GatedPass | None],
    inputs: Tensor,
    targets: Tensor,
    state: State | None,
    total: int,
    dtype: torch.dtype | None,
) -> _Part:
    model, parameters, fused = learner
    for parameter in parameters:
        parameter.grad = None
    if fused is not None:
        return _Part(*fused(inputs, targets, state, inputs.shape[1] / total))
    loss, after = mean_loss(model, inputs, targets, state, dtype)
    if inputs.shape[1] < total:
        loss = loss * (inputs.shape[1] / total)
    value = loss.item()
    if math.isfinite(value):
        torch.autograd.backward(loss)
    return _Part(value, detach(after))
