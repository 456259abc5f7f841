"""The network: characters in, a score for every possible next character out."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.config import ModelConfig, UsageError
from charrnn.model.cells import LSTM, LayerState, recurrent_layer, residual_layer
from charrnn.model.dropout import Dropout
from charrnn.model.gated import RMSNorm

State = list[LayerState]


class LanguageModel(nn.Module):
    """Embedding (or one-hot vectors, `embedding` 0) → recurrent layers → linear.

    Dropout, where there is any, acts on every layer's outputs: between layers and before the last linear map. Weights
    start as PyTorch has them, from its global random generator. With `residual`, and for `mingru` always, the layers
    stand beside a residual stream of `hidden` numbers a character, which is normalised before the last linear map.
    """

    def __init__(self, vocabulary_size: int, config: ModelConfig) -> None:
        """Raises UsageError for a size that is none."""
        super().__init__()
        _check(vocabulary_size, config)
        self.vocabulary_size = vocabulary_size
        self.config = config
        residual = config.residual or config.cell == "mingru"
        features, hidden = config.embedding or vocabulary_size, config.hidden
        self.dropout = Dropout(config.dropout)
        self.embedding = nn.Embedding(vocabulary_size, config.embedding) if config.embedding else None
        self.enter = nn.Linear(features, hidden, bias=False) if residual and features != hidden else None
        self.layers = nn.ModuleList(
            residual_layer(config.cell, hidden, config.layers, self.dropout)
            if residual
            else recurrent_layer(config.cell, features if layer == 0 else hidden, hidden)
            for layer in range(config.layers)
        )
        self.norm = RMSNorm(hidden) if residual else None
        self.output = nn.Linear(hidden, vocabulary_size)
        if self.norm is not None:
            nn.init.normal_(self.output.weight, 0, 0.02)
            nn.init.zeros_(self.output.bias)
        if config.tie and self.embedding is not None:
            self.output.weight = self.embedding.weight
            nn.init.normal_(self.embedding.weight, 0, hidden**-0.5)

    def forward(self, ids: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Ids (time, batch) int64 → logits (time, batch, vocabulary), and the state after the last of them.

        A state is a list with a tuple of tensors (batch, …) for each layer, the first of them the layer's h (batch,
        hidden); None is zeros.
        """
        before = [None] * len(self.layers) if state is None else state
        x, first = self._read(ids, before[0])
        after = [first]
        for layer, layer_before in zip(self.layers[1:], before[1:], strict=True):
            x, layer_state = layer(x, layer_before)
            x = self._between(x)
            after.append(layer_state)
        return self._logits(x), after

    def _read(self, ids: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """The first layer's outputs and state."""
        first = self.layers[0]
        weight = None if self.embedding is None else self.embedding.weight
        found = first.read(ids, weight, state) if isinstance(first, LSTM) else None
        if found is None:
            if self.embedding is None:
                x = functional.one_hot(ids, self.vocabulary_size).to(self.output.weight.dtype)
            else:
                x = self.embedding(ids)
            found = first(x if self.enter is None else self.enter(x), state)
        return self._between(found[0]), found[1]

    def _between(self, x: Tensor) -> Tensor:
        """A layer beside a residual stream drops out its own share of it."""
        return self.dropout(x) if self.norm is None else x

    def _logits(self, x: Tensor) -> Tensor:
        if self.norm is not None:
            x = self.norm(x)
        if x.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
            with torch.autocast("cpu", enabled=False):  # so few columns gain little, and scores of 8 bits lose some
                return functional.linear(x.float(), self.output.weight, self.output.bias)
        logits: Tensor = self.output(x)
        return logits


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
    if config.tie and config.embedding != config.hidden:
        raise UsageError(
            f"--tie makes one of embedding and output, so both need as many numbers; give --embedding {config.hidden}, "
            "or leave --tie out."
        )
    if not 0 <= config.dropout < 1:
        raise UsageError(f"A dropout of {config.dropout} is none; give --dropout from 0 to below 1.")
