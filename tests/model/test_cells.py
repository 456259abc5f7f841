"""Each cell does what its equations say, whole portions at a time and with the state carried on."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from charrnn.config import Cell, UsageError
from charrnn.model.cells import recurrent_layer

CELLS: list[Cell] = ["rnn", "gru", "lstm", "lstmcell"]
TIME, BATCH, FEATURES, HIDDEN = 7, 3, 5, 4


def equations(cell: Cell, weights: dict[str, Tensor], inputs: Tensor) -> tuple[Tensor, ...]:
    """The outputs (time, batch, hidden) and the last state, in float64, gate by gate as the docstrings have it."""
    w_x, w_h, b_x, b_h = (
        weights[f"recurrence.{name}"].double() for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    h = c = torch.zeros(inputs.shape[1], w_h.shape[1], dtype=torch.float64)
    outputs = []
    for x in inputs.double():
        from_x, from_h = x @ w_x.T + b_x, h @ w_h.T + b_h
        if cell == "rnn":
            h = torch.tanh(from_x + from_h)
        elif cell == "gru":
            (x_r, x_z, x_n), (h_r, h_z, h_n) = from_x.chunk(3, 1), from_h.chunk(3, 1)
            r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
            h = (1 - z) * torch.tanh(x_n + r * h_n) + z * h
        else:
            i, f, g, o = (from_x + from_h).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
        outputs.append(h)
    return torch.stack(outputs), h, c


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("batch", [1, BATCH])
def test_a_cell_follows_its_equations(cell: Cell, batch: int) -> None:
    torch.manual_seed(1)
    layer = recurrent_layer(cell, FEATURES, HIDDEN)
    inputs = torch.randn(TIME, batch, FEATURES)
    outputs, state = layer(inputs)
    weights = {name.removesuffix("_l0"): tensor for name, tensor in layer.state_dict().items()}
    wanted, *last = equations(cell, weights, inputs)
    assert_close(outputs.double(), wanted, atol=1e-6, rtol=1e-5)
    assert len(state) == (2 if cell.startswith("lstm") else 1)
    for found, expected in zip(state, last, strict=False):
        assert found.shape == (batch, HIDDEN)
        assert_close(found.double(), expected, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("gradients", [True, False])
def test_a_portion_cut_anywhere_gives_the_same_outputs(cell: Cell, gradients: bool) -> None:
    torch.manual_seed(2)
    layer = recurrent_layer(cell, FEATURES, HIDDEN)
    inputs = torch.randn(TIME, BATCH, FEATURES)
    with torch.set_grad_enabled(gradients):
        whole, last = layer(inputs)
        for lengths in [(1,) * TIME, (3, 4), (6, 1), (1, 6)]:
            state, outputs = None, []
            for part in inputs.split(lengths):
                out, state = layer(part, state)
                outputs.append(out)
            assert_close(torch.cat(outputs), whole, atol=1e-6, rtol=1e-5)
            assert_close(state, last, atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_reach_back_through_time_to_the_first_character_and_state(cell: Cell) -> None:
    torch.manual_seed(3)
    layer = recurrent_layer(cell, FEATURES, HIDDEN)
    inputs = torch.randn(TIME, BATCH, FEATURES, requires_grad=True)
    _, state = layer(inputs[:1].detach())
    state = tuple(tensor.detach().requires_grad_() for tensor in state)
    outputs, _ = layer(inputs, state)
    outputs[-1].sum().backward()
    assert inputs.grad is not None
    assert inputs.grad[0].abs().max() > 0
    assert all(tensor.grad is not None and tensor.grad.abs().max() > 0 for tensor in state)


def test_a_cell_that_is_none_is_told() -> None:
    with pytest.raises(UsageError, match="rnn, gru, lstm, lstmcell"):
        recurrent_layer("transformer", 1, 1)  # type: ignore[arg-type]
