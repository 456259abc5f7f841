"""One character of one stream at a time through the kernels, for text as it is generated: no PyTorch in between."""

from __future__ import annotations

import torch

from charrnn.model.addresses import address, native_fits
from charrnn.model.cells import LSTM
from charrnn.model.language_model import LanguageModel, State
from charrnn.native.library import Library, library


class Stepper:
    """Reads characters with a model's own weights, which may be overwritten in place between any two of them.

    `logits` (vocabulary,) float32 are those after the last character; each step overwrites them, and the state.
    """

    def __init__(self, model: LanguageModel, kernels: Library) -> None:
        """For a model that `stepper` took."""
        self._model, self._kernels = model, kernels
        self._parameters = list(model.parameters())
        self._gates = torch.empty(4 * model.config.hidden)
        self._symbols, self._hidden, self._features = model.vocabulary_size, model.config.hidden, model.config.embedding
        self.logits = torch.empty(self._symbols)
        self._room, self._place = self._gates.data_ptr(), self.logits.data_ptr()
        self._state: State | None = None
        self._prepare()

    def _prepare(self) -> None:
        model = self._model
        self._places = [parameter.data_ptr() for parameter in self._parameters]
        self._embedding = (
            0 if model.embedding is None else address(model.embedding.weight, *model.embedding.weight.shape)
        )
        self._layers = []
        for layer in model.layers:
            assert isinstance(layer, LSTM)
            weights = layer.recurrence.all_weights[0]
            features = weights[0].shape[1]
            self._layers.append((features, [address(weight, *weight.shape) for weight in weights]))
        out = model.output
        self._output = [address(tensor, *tensor.shape) for tensor in (out.weight, out.bias)]

    def step(self, symbol: int, state: State) -> State:
        """Read one symbol after this state, (1, hidden) tensors; the state after it, which the next step overwrites."""
        if not 0 <= symbol < self._symbols:
            raise IndexError(f"{symbol} is none of the {self._symbols} symbols")
        if [parameter.data_ptr() for parameter in self._parameters] != self._places:
            self._prepare()
        hidden = self._hidden
        if state is not self._state:
            self._state = state = [
                tuple(tensor.clone(memory_format=torch.contiguous_format) for tensor in layer) for layer in state
            ]
            self._h = [address(h, 1, hidden) for h, _ in state]
            self._c = [address(c, 1, hidden) for _, c in state]
        x = self._embedding + 4 * symbol * self._features if self._embedding else None
        for (features, weights), h, c in zip(self._layers, self._h, self._c, strict=True):
            self._kernels.lstm_step(x, symbol, features, *weights, h, c, self._room, hidden)
            x = h
        self._kernels.affine(*self._output, x, self._place, self._symbols, hidden)
        return state


def stepper(model: LanguageModel) -> Stepper | None:
    """For LSTM layers in float32 on the CPU, one straight after the other; None where the kernels do not fit."""
    kernels = library()
    if kernels is None or type(model) is not LanguageModel or not native_fits(*model.parameters()):
        return None
    if not all(isinstance(layer, LSTM) for layer in model.layers):
        return None
    known = {"embedding.weight", "output.weight", "output.bias"}
    known |= {f"layers.{layer}.recurrence.{name}" for layer in range(len(model.layers)) for name in _LSTM_WEIGHTS}
    return Stepper(model, kernels) if set(model.state_dict()) <= known else None


_LSTM_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
