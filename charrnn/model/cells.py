"""Recurrent layers over a whole portion of text, all called alike: layer(inputs, state) → (outputs, state).

Inputs are (time, batch, features), outputs (time, batch, hidden), and a state is a tuple of (batch, hidden) tensors,
or None for zeros. In the equations x is the input, h the output, σ the logistic function, ⊙ the product by element.

Layers are kept single and stacked by the model: `nn.LSTM(num_layers ≥ 2, dropout > 0)` has had wrong gradients on MPS.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from charrnn.config import Cell, UsageError
from charrnn.model.dropout import Dropout
from charrnn.model.gated import MinGRU, RMSNorm
from charrnn.model.lstm import native_lstm

LayerState = tuple[Tensor, ...]


class RNN(nn.Module):
    """h_t = tanh(W x_t + b + U h_{t−1} + c). Elman, "Finding structure in time", Cognitive Science 14 (1990)."""

    def __init__(self, features: int, hidden: int) -> None:
        """One layer from `features` to `hidden` numbers a character."""
        super().__init__()
        self.recurrence = nn.RNN(features, hidden)

    def forward(self, inputs: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(time, batch, features) → (time, batch, hidden), and the state (h,)."""
        outputs, h = self.recurrence(inputs, None if state is None else state[0].unsqueeze(0))
        return outputs, (h.squeeze(0),)


class GRU(nn.Module):
    """The gated recurrent unit, with the reset gate after the product, as cuDNN has it.

    r = σ(W_r x + b_r + U_r h + c_r), z = σ(W_z x + b_z + U_z h + c_z), n = tanh(W_n x + b_n + r ⊙ (U_n h + c_n)),
    h ← (1 − z) ⊙ n + z ⊙ h. Cho et al., "Learning phrase representations using RNN encoder–decoder" (2014),
    arXiv:1406.1078; this variant is the first version's.
    """

    def __init__(self, features: int, hidden: int) -> None:
        """One layer from `features` to `hidden` numbers a character."""
        super().__init__()
        self.recurrence = nn.GRU(features, hidden)

    def forward(self, inputs: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(time, batch, features) → (time, batch, hidden), and the state (h,)."""
        outputs, h = self.recurrence(inputs, None if state is None else state[0].unsqueeze(0))
        return outputs, (h.squeeze(0),)


class LSTM(nn.Module):
    """Long short-term memory with forget gates, a whole portion in one call.

    i = σ(W_i x + b_i + U_i h + c_i), f and o likewise, g = tanh(W_g x + b_g + U_g h + c_g), c ← f ⊙ c + i ⊙ g,
    h ← o ⊙ tanh(c). Hochreiter and Schmidhuber, Neural Computation 9 (1997); the forget gate f is from Gers,
    Schmidhuber and Cummins, Neural Computation 12 (2000).
    """

    def __init__(self, features: int, hidden: int) -> None:
        """One layer from `features` to `hidden` numbers a character."""
        super().__init__()
        self.recurrence = nn.LSTM(features, hidden)

    def forward(self, inputs: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(time, batch, features) → (time, batch, hidden), and the state (h, c)."""
        if inputs.shape[0] == 1 and state is not None and not torch.is_grad_enabled():
            # A single character, as when text is generated: the whole-portion kernel repacks its weights at every call.
            h, c = torch.lstm_cell(inputs[0], state, *self.recurrence.all_weights[0])
            return h.unsqueeze(0), (h, c)
        found = native_lstm(self.recurrence, inputs, None, state)
        if found is not None:
            return found
        outputs, (h, c) = self.recurrence(inputs, None if state is None else (state[0][None], state[1][None]))
        return outputs, (h.squeeze(0), c.squeeze(0))

    def read(self, ids: Tensor, embedding: Tensor | None, state: LayerState | None) -> tuple[Tensor, LayerState] | None:
        """As forward of `embedding[ids]` (one-hot vectors for None), faster; None where that would not be faster.

        Ids (time, batch) int64, the embedding (symbols, features).
        """
        symbols = self.recurrence.input_size if embedding is None else len(embedding)
        return native_lstm(self.recurrence, embedding, ids, state) if ids.numel() >= symbols else None


class LSTMCell(nn.Module):
    """The same equations as `LSTM`, one character after the other in Python: the lecture's loop, slow on purpose."""

    def __init__(self, features: int, hidden: int) -> None:
        """One layer from `features` to `hidden` numbers a character."""
        super().__init__()
        self.recurrence = nn.LSTMCell(features, hidden)

    def forward(self, inputs: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(time, batch, features) → (time, batch, hidden), and the state (h, c)."""
        if state is None:
            zeros = inputs.new_zeros(inputs.shape[1], self.recurrence.hidden_size)
            state = (zeros, zeros)
        h, c = state
        outputs = []
        for x in inputs:  # (batch, features): the cell has crashed on inputs without a batch
            h, c = self.recurrence(x, (h, c))
            outputs.append(h)
        return torch.stack(outputs), (h, c)


_CELLS: dict[Cell, type[RNN | GRU | LSTM | LSTMCell]] = {"rnn": RNN, "gru": GRU, "lstm": LSTM, "lstmcell": LSTMCell}


class Residual(nn.Module):
    """x + dropout(layer(norm(x))): He et al. 2015, arXiv:1512.03385, the norm first as in Xiong et al. 2020."""

    def __init__(self, layer: nn.Module, hidden: int, dropout: Dropout) -> None:
        """Around a layer from `hidden` to `hidden` numbers a character."""
        super().__init__()
        self.norm = RMSNorm(hidden)
        self.layer = layer
        self.dropout = dropout

    def forward(self, x: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """(time, batch, hidden) → the same, and the layer's own state."""
        outputs, after = self.layer(self.norm(x), state)
        return x + self.dropout(outputs), after


def recurrent_layer(cell: Cell, features: int, hidden: int) -> RNN | GRU | LSTM | LSTMCell:
    """One layer of the named cell by itself. Raises UsageError for a name that is none, or no such cell."""
    if cell not in _CELLS:
        raise UsageError(f"There is no cell {cell!r}; give one of {', '.join(_CELLS)}, mingru.")
    return _CELLS[cell](features, hidden)


def residual_layer(cell: Cell, hidden: int, layers: int, dropout: Dropout) -> Residual | MinGRU:
    """One of `layers` layers beside a residual stream. Raises UsageError for a name that is none."""
    if cell == "mingru":
        return MinGRU(hidden, layers, dropout)
    return Residual(recurrent_layer(cell, hidden, hidden), hidden, dropout)
