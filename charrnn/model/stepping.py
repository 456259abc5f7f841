"""One character of one stream at a time through the kernels, for text as it is generated: no PyTorch in between."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import torch
from torch import Tensor

from charrnn.model.addresses import address, native_fits
from charrnn.model.cells import LSTM
from charrnn.model.gated import TAPS, MinGRU
from charrnn.model.language_model import LanguageModel, State
from charrnn.native.library import Library, library


class Stepper(ABC):
    """Reads characters with a model's own weights, which may be overwritten in place between any two of them.

    `logits` (vocabulary,) float32 are those after the last character; each step overwrites them, and the state.
    """

    def __init__(self, model: LanguageModel, kernels: Library) -> None:
        """For a model that `stepper` took."""
        self._model, self._kernels = model, kernels
        self._parameters = list(model.parameters())
        self._symbols, self._hidden, self._features = model.vocabulary_size, model.config.hidden, model.config.embedding
        self.logits = torch.empty(self._symbols)
        self._place = self.logits.data_ptr()
        self._state: State | None = None
        self._find_all()

    def step(self, symbol: int, state: State) -> State:
        """Read one symbol after this state, (1, …) tensors; the state after it, which the next step overwrites."""
        if not 0 <= symbol < self._symbols:
            raise IndexError(f"{symbol} is none of the {self._symbols} symbols")
        if [parameter.data_ptr() for parameter in self._parameters] != self._places:
            self._find_all()
        if state is not self._state:
            self._state = state = [
                tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in layer) for layer in state
            ]
            self._find_state(state)
        self._read(symbol)
        return state

    def _find_all(self) -> None:
        self._places = [parameter.data_ptr() for parameter in self._parameters]
        embedding = self._model.embedding
        self._embedding = 0 if embedding is None else cast(int, _of(embedding.weight))
        self._output = [_of(self._model.output.weight), _of(self._model.output.bias)]
        self._find()

    @abstractmethod
    def _find(self) -> None:
        """Where the layers' weights lie."""

    @abstractmethod
    def _find_state(self, state: State) -> None:
        """Where the state lies."""

    @abstractmethod
    def _read(self, symbol: int) -> None:
        """The step itself."""


class LSTMStepper(Stepper):
    """LSTM layers, one straight after the other."""

    def _find(self) -> None:
        self._gates = torch.empty(4 * self._hidden)
        self._layers: list[tuple[int, list[int | None]]] = []
        for layer in self._model.layers:
            weights = cast(LSTM, layer).recurrence.all_weights[0]
            self._layers.append((weights[0].shape[1], [_of(weight) for weight in weights]))

    def _find_state(self, state: State) -> None:
        self._h = [address(h, 1, self._hidden) for h, _ in state]
        self._c = [address(c, 1, self._hidden) for _, c in state]

    def _read(self, symbol: int) -> None:
        x = self._embedding + 4 * symbol * self._features if self._embedding else None
        room, hidden = self._gates.data_ptr(), self._hidden
        for (features, weights), h, c in zip(self._layers, self._h, self._c, strict=True):
            self._kernels.lstm_step(x, symbol, features, *weights, h, c, room, hidden)
            x = h
        self._kernels.affine(*self._output, x, self._place, self._symbols, hidden)


class GatedStepper(Stepper):
    """Blocks of minGRU beside a residual stream as wide as the embedding."""

    def _find(self) -> None:
        self._x, self._room = torch.empty(self._hidden), torch.empty(9 * self._hidden)
        self._rows = None if self._model.embedding is None else self._model.embedding.weight.detach()
        assert self._model.norm is not None
        self._gain = _of(self._model.norm.gain)
        self._blocks: list[list[int | None]] = []
        for layer in self._model.layers:
            first, second = cast(MinGRU, layer).recurrent, cast(MinGRU, layer).feed_forward
            weights = [first.norm.gain, first.taps, first.enter.weight, first.enter.bias, first.leave.weight]
            weights += [second.norm.gain, second.widen.weight, second.narrow.weight]
            self._blocks.append([_of(weight) for weight in weights])

    def _find_state(self, state: State) -> None:
        units = self._hidden
        self._held = [(address(h, 1, units), address(kept, 1, TAPS - 1, units)) for h, kept in state]

    def _read(self, symbol: int) -> None:
        assert self._rows is not None
        self._x.copy_(self._rows[symbol])
        x, room = self._x.data_ptr(), self._room.data_ptr()
        for weights, held in zip(self._blocks, self._held, strict=True):
            self._kernels.mingru_step(x, *held, *weights, room, self._hidden, TAPS)
        self._kernels.norm_affine(self._gain, *self._output, x, self._place, room, self._symbols, self._hidden)


def stepper(model: LanguageModel) -> Stepper | None:
    """For LSTM layers or gated blocks in float32 on the CPU; None where the kernels do not fit."""
    kernels = library()
    if kernels is None or type(model) is not LanguageModel or not native_fits(*model.parameters()):
        return None
    if all(isinstance(layer, MinGRU) for layer in model.layers):
        plain = model.enter is None and model.embedding is not None
        return GatedStepper(model, kernels) if plain else None
    if not all(isinstance(layer, LSTM) for layer in model.layers):
        return None
    known = {"embedding.weight", "output.weight", "output.bias"}
    known |= {f"layers.{layer}.recurrence.{name}" for layer in range(len(model.layers)) for name in _LSTM_WEIGHTS}
    return LSTMStepper(model, kernels) if set(model.state_dict()) <= known else None


_LSTM_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def _of(weights: Tensor) -> int | None:
    return address(weights, *weights.shape)
