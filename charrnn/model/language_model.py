"""The network: characters in, a score for every possible next character out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.config import ModelConfig, UsageError
from charrnn.model.cells import LSTM, LayerState, recurrent_layer

State = list[LayerState]


class Dropout(nn.Module):
    """Zeroes numbers with probability p while training, and scales the others by 1 / (1 − p).

    Srivastava et al., JMLR 15 (2014). With a `generator` of its own (CPU), it draws from that one instead of
    PyTorch's global generator, so that models trained in several threads draw the same numbers in every run.
    """

    def __init__(self, p: float) -> None:
        """p from 0 (nothing happens) to below 1."""
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, the same shape."""
        if not self.training or self.p == 0:
            return x
        if self.generator is None:
            return functional.dropout(x, self.p)
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept.div_(1 - self.p)

    def __deepcopy__(self, _: object) -> Dropout:
        """A copy draws from the global generator until it is given one: generators cannot be shared by threads."""
        return Dropout(self.p).train(self.training)


class LanguageModel(nn.Module):
    """Embedding (or one-hot vectors, `embedding` 0) → recurrent layers → linear.

    Dropout, where there is any, acts on every layer's outputs: between layers and before the last linear map. Weights
    start as PyTorch has them, from its global random generator.
    """

    def __init__(self, vocabulary_size: int, config: ModelConfig) -> None:
        """Raises UsageError for a size that is none."""
        super().__init__()
        _check(vocabulary_size, config)
        self.vocabulary_size = vocabulary_size
        self.config = config
        features = config.embedding or vocabulary_size
        self.embedding = nn.Embedding(vocabulary_size, config.embedding) if config.embedding else None
        self.layers = nn.ModuleList(
            recurrent_layer(config.cell, features if layer == 0 else config.hidden, config.hidden)
            for layer in range(config.layers)
        )
        self.dropout = Dropout(config.dropout)
        self.output = nn.Linear(config.hidden, vocabulary_size)

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Ids (time, batch) int64 → logits (time, batch, vocabulary), and the state after the last of them.

        A state is a list with a tuple of (batch, hidden) tensors for each layer; None is zeros.
        """
        before = [None] * len(self.layers) if state is None else state
        x, first = self._read(ids, before[0])
        after = [first]
        x = self.dropout(x)
        for layer, layer_before in zip(self.layers[1:], before[1:], strict=True):
            x, layer_state = layer(x, layer_before)
            x = self.dropout(x)
            after.append(layer_state)
        logits: Tensor = self.output(x)
        return logits, after

    def _read(self, ids: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """The first layer's outputs and state."""
        first = self.layers[0]
        weight = None if self.embedding is None else self.embedding.weight
        found = first.read(ids, weight, state) if isinstance(first, LSTM) else None
        if found is not None:
            return found
        if self.embedding is None:
            x = functional.one_hot(ids, self.vocabulary_size).to(self.output.weight.dtype)
        else:
            x = self.embedding(ids)
        outputs, after = first(x, state)
        return outputs, after


def detach(state: State) -> State:
    """The same numbers, cut off from how they came about: where truncated back-propagation ends."""
    return [tuple(tensor.detach() for tensor in layer) for layer in state]


def count_parameters(model: nn.Module) -> int:
    """How many numbers are learnt."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def summary(config: ModelConfig) -> str:
    """The network in a word, layers × hidden size: "lstm 2×256"."""
    return f"{config.cell} {config.layers}×{config.hidden}"


def _check(vocabulary_size: int, config: ModelConfig) -> None:
    if vocabulary_size < 1:
        raise UsageError("A model needs at least one character to know; give a text that has some.")
    if config.hidden < 1 or config.layers < 1:
        raise UsageError(f"{summary(config)} is no network; give --hidden and --layers of at least 1.")
    if config.embedding < 0:
        raise UsageError(f"An embedding of {config.embedding} is none; give --embedding 0 (one-hot) or more.")
    if not 0 <= config.dropout < 1:
        raise UsageError(f"A dropout of {config.dropout} is none; give --dropout from 0 to below 1.")
