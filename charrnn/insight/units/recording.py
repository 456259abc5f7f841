"""What is inside a network while it reads: every unit's activation at every place, for each kind of cell.

A kind is a letter of the cell's equations (`charrnn/model/cells.py`, `gated.py`): the state h of all, an LSTM's c, the
gates, and what they let in. They are computed from the model's own weights and each layer's inputs: a layer's forward
gives only its outputs and its last state. Gates follow from the inputs and the states before, so that one matrix
product makes them for all places at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from charrnn.insight.units.naming import KINDS, Unit
from charrnn.model.cells import LayerState, Residual
from charrnn.model.gated import TAPS, MinGRU
from charrnn.model.language_model import LanguageModel, State
from charrnn.model.scan import linear_recurrence
from charrnn.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Activations:
    """Every unit's activation after each token of a text.

    `tokens` are what the tokens complete, in order ("" where one of several bytes waits for its rest); `values` is
    (tokens, units) float32, its columns in the order of `units`.
    """

    tokens: tuple[str, ...]
    units: tuple[Unit, ...]
    values: NDArray[np.float32]

    def of(self, name: str) -> NDArray[np.float32]:
        """One unit's activations (tokens,), by its name. Raises KeyError."""
        return self.values[:, [str(unit) for unit in self.units].index(name)] if name in self else _missing(name)

    def __contains__(self, name: str) -> bool:
        return any(str(unit) == name for unit in self.units)


def _missing(name: str) -> NDArray[np.float32]:
    raise KeyError(f"there is no unit {name!r}")


def units_of(model: LanguageModel) -> tuple[Unit, ...]:
    """All units of a model, by kind within layer."""
    config = model.config
    return tuple(
        Unit(kind, layer, number)
        for layer in range(1, config.layers + 1)
        for kind in KINDS[config.cell]
        for number in range(1, config.hidden + 1)
    )


@dataclass(frozen=True, slots=True)
class Inside:
    """What a portion of text left in one layer: what its cell read (time, batch, features), and its states before and
    after each token, (time, batch, hidden) each; `memory` is an LSTM's c, and the convolution's outputs u of `mingru`.
    """

    layer: nn.Module
    inputs: Tensor
    before: Tensor
    states: Tensor
    memory: Tensor | None

    @torch.inference_mode()
    def kind(self, kind: str) -> Tensor:
        """The activations of a kind, (time, batch, hidden)."""
        if kind == "h":
            return self.states
        if isinstance(self.layer, MinGRU):
            assert self.memory is not None
            enter = self.layer.recurrent.enter
            part = slice(*(units * self.states.shape[-1] for units in {"z": (0, 1), "c": (1, 2), "o": (2, 3)}[kind]))
            made = functional.linear(self.memory, enter.weight[part], enter.bias[part])
            return torch.sigmoid(made) if kind == "z" else functional.silu(made) if kind == "o" else made
        if kind == "c":
            assert self.memory is not None
            return self.memory
        weights = _weights(self.layer)
        if len(weights[0]) == 3 * self.states.shape[-1]:
            return _gru(self.inputs, self.before, weights, kind)
        return _gates(self.inputs, self.before, weights, "ifgo".index(kind))


@torch.inference_mode()
def look_inside(model: LanguageModel, ids: Tensor, state: State | None = None) -> tuple[list[Inside], State]:
    """Reads ids (time, batch) int64, at least one; what each layer had inside, and the state after, as of forward."""
    x = _embedded(model, ids)
    after: State = []
    seen = []
    for number, layer in enumerate(model.layers):
        before = None if state is None else state[number]
        inside, x, layer_after = _through(layer, x, before)
        seen.append(inside)
        after.append(layer_after)
    return seen, after


@torch.inference_mode()
def activations(model: LanguageModel, vocabulary: Vocabulary, text: str, *, context: str = "") -> Activations:
    """Reads `text` after `context` in order, from a zero state; what the vocabulary lacks is passed over.

    The model is put into evaluation mode and stays there.
    """
    model.eval()
    before = vocabulary.encode(vocabulary.known(context)).astype(np.int64)
    ids = vocabulary.encode(vocabulary.known(text)).astype(np.int64)
    units = units_of(model)
    if not len(ids):
        return Activations((), units, np.zeros((0, len(units)), np.float32))
    both = torch.from_numpy(np.concatenate([before, ids])).to(model.output.weight.device)
    seen, _ = look_inside(model, both[:, None])
    kinds = KINDS[model.config.cell]
    values = torch.cat([inside.kind(kind)[len(before) :, 0].float() for inside in seen for kind in kinds], 1)
    decoder = vocabulary.decoder()
    return Activations(tuple(decoder.feed(token) for token in ids.tolist()), units, values.cpu().numpy())


def _embedded(model: LanguageModel, ids: Tensor) -> Tensor:
    if model.embedding is None:
        x = functional.one_hot(ids, model.vocabulary_size).to(model.output.weight.dtype)
    else:
        x = model.embedding(ids)
    return x if model.enter is None else model.enter(x)


def _through(layer: nn.Module, x: Tensor, state: LayerState | None) -> tuple[Inside, Tensor, LayerState]:
    if isinstance(layer, MinGRU):
        return _through_gated(layer, x, state)
    cell = layer.layer if isinstance(layer, Residual) else layer
    inputs = layer.norm(x) if isinstance(layer, Residual) else x
    states, after = cell(inputs, state)
    first = torch.zeros_like(states[0]) if state is None else state[0]
    before = torch.cat([first[None], states[:-1]])
    memory = None
    if len(after) == 2:  # c ← f ⊙ c + i ⊙ g, with gates that only the states before decide
        weights = _weights(cell)
        i, f, g = (_gates(inputs, before, weights, gate) for gate in range(3))
        memory = linear_recurrence(f, i * g, torch.zeros_like(first) if state is None else state[1])
    outputs = x + states if isinstance(layer, Residual) else states
    return Inside(cell, inputs, before, states, memory), outputs, after


def _through_gated(layer: MinGRU, x: Tensor, state: LayerState | None) -> tuple[Inside, Tensor, LayerState]:
    branch = layer.recurrent
    normed = branch.norm(x)
    kept = normed.new_zeros(x.shape[1], TAPS - 1, x.shape[2]) if state is None else state[1]
    inputs = torch.cat([kept.transpose(0, 1), normed])
    u = torch.zeros_like(normed)
    for tap in range(TAPS):
        u += branch.taps[tap] * inputs[TAPS - 1 - tap : len(inputs) - tap]
    gate, candidate, _ = branch.enter(u).chunk(3, -1)
    z = torch.sigmoid(gate)
    first = torch.zeros_like(x[0]) if state is None else state[0]
    states = linear_recurrence(1 - z, z * candidate, first)
    outputs, after = layer(x, state)
    return Inside(layer, inputs, torch.cat([first[None], states[:-1]]), states, u), outputs, after


def _weights(cell: nn.Module) -> tuple[Tensor, ...]:
    """W, U, b and c of an RNN, GRU or LSTM, gates below one another."""
    inner = cell.recurrence
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    suffix = "" if isinstance(inner, nn.LSTMCell) else "_l0"
    return tuple(getattr(inner, name + suffix) for name in names)


def _gates(inputs: Tensor, before: Tensor, weights: tuple[Tensor, ...], gate: int) -> Tensor:
    """One of an LSTM's i, f, g, o."""
    hidden = before.shape[-1]
    w, u, b, c = (weight[gate * hidden : (gate + 1) * hidden] for weight in weights)
    made = functional.linear(inputs, w, b) + functional.linear(before, u, c)
    return torch.tanh(made) if gate == 2 else torch.sigmoid(made)


def _gru(inputs: Tensor, before: Tensor, weights: tuple[Tensor, ...], kind: str) -> Tensor:
    hidden = before.shape[-1]

    def parts(gate: int) -> tuple[Tensor, Tensor]:
        w, u, b, c = (weight[gate * hidden : (gate + 1) * hidden] for weight in weights)
        return functional.linear(inputs, w, b), functional.linear(before, u, c)

    if kind == "z":
        return torch.sigmoid(torch.add(*parts(1)))
    r = torch.sigmoid(torch.add(*parts(0)))
    if kind == "r":
        return r
    read, remembered = parts(2)
    return torch.tanh(read + r * remembered)
