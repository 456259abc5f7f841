"""The gated block does what its equations say: with kernels, with PyTorch alone, and nearly so in bfloat16."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from charrnn.model.dropout import Dropout
from charrnn.model.gated import EPSILON, TAPS, MinGRU, RMSNorm

State = tuple[Tensor, ...]


def reference(block: MinGRU, x: Tensor, state: State | None) -> tuple[Tensor, State]:
    """The equations at the head of `charrnn.model.gated`, character by character and stream by stream, in float64."""
    w = {name: parameter.double() for name, parameter in block.named_parameters()}

    def norm(row: Tensor, gain: Tensor) -> Tensor:
        return row / torch.sqrt((row * row).mean() + EPSILON) * gain

    time, batch, units = x.shape
    rows: list[list[Tensor]] = [[] for _ in range(time)]
    last, kept = [], []
    for stream in range(batch):
        h = torch.zeros(units, dtype=torch.float64) if state is None else state[0][stream].double()
        zeros = torch.zeros(TAPS - 1, units, dtype=torch.float64)
        seen = list(zeros if state is None else state[1][stream].double())
        for t in range(time):
            row = x[t, stream].double()
            seen.append(norm(row, w["recurrent.norm.gain"]))
            u = torch.zeros(units, dtype=torch.float64)
            for j in range(TAPS):
                u = u + w["recurrent.taps"][j] * seen[-1 - j]
            a, c, g = (w["recurrent.enter.weight"] @ u + w["recurrent.enter.bias"]).chunk(3)
            z = 1 / (1 + torch.exp(-a))
            h = (1 - z) * h + z * c
            row = row + w["recurrent.leave.weight"] @ (h * g / (1 + torch.exp(-g)))
            wide = w["feed_forward.widen.weight"] @ norm(row, w["feed_forward.norm.gain"])
            rows[t].append(row + w["feed_forward.narrow.weight"] @ wide.clamp(min=0) ** 2)
        last.append(h)
        kept.append(torch.stack(seen[1 - TAPS :]))
    return torch.stack([torch.stack(row) for row in rows]), (torch.stack(last), torch.stack(kept))


def block_of(units: int, dropout: float = 0.0) -> MinGRU:
    torch.manual_seed(units)
    block = MinGRU(units, 2, Dropout(dropout))
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return block.train()


def inputs_of(time: int, batch: int, units: int) -> tuple[Tensor, State]:
    torch.manual_seed(time + batch)
    x = torch.randn(time, batch, units, requires_grad=True)
    state = torch.randn(batch, units), torch.randn(batch, TAPS - 1, units)
    return x, tuple(tensor.requires_grad_() for tensor in state)


def everything(block: MinGRU, x: Tensor, state: State | None, result: tuple[Tensor, State]) -> list[Tensor]:
    """Outputs, last state, and the gradients of a sum in which every one of these numbers has a weight of its own."""
    found = [result[0], *result[1]]
    total = torch.zeros((), dtype=torch.float64)
    for tensor in found:
        weights = torch.linspace(-1, 1, tensor.numel(), dtype=torch.float64).cos().view(tensor.shape)
        total = total + (tensor.double() * weights).sum()
    return found + list(torch.autograd.grad(total, [*block.parameters(), x, *(state or ())]))


SHAPES = [(1, 1, 16), (2, 1, 33), (1, 3, 5), (9, 4, 40), (64, 2, 128)]


@pytest.fixture(params=["kernels", "torch"])
def arithmetic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        monkeypatch.setenv("CHARRNN_NATIVE", "0")
    else:
        request.getfixturevalue("kernels")
    return str(request.param)


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("carried_on", [True, False])
def test_values_and_gradients_are_the_equations(shape: tuple[int, int, int], carried_on: bool) -> None:
    block = block_of(shape[2])
    x, before = inputs_of(*shape)
    state = before if carried_on else None
    wanted = everything(block, x, state, reference(block, x, state))
    found = everything(block, x, state, block(x, state))
    for one, other in zip(found, wanted, strict=True):
        scale = other.abs().max().item() + 1e-3
        assert_close(one.double(), other.double(), atol=3e-6 * scale * math.sqrt(shape[0] * shape[2]), rtol=1e-4)


@pytest.mark.usefixtures("kernels")
def test_bfloat16_is_near_and_its_state_is_float32() -> None:
    block = block_of(40)
    x, state = inputs_of(9, 4, 40)
    wanted = everything(block, x, state, reference(block, x, state))
    with torch.autocast("cpu", torch.bfloat16):
        result = block(x, state)
    found = everything(block, x, state, result)
    assert all(tensor.dtype == torch.float32 for tensor in found)
    for one, other in zip(found, wanted, strict=True):
        assert (one.double() - other.double()).norm() < 0.03 * other.double().norm()
    assert any(not torch.equal(one, other) for one, other in zip(block(x, state)[1], result[1], strict=True))


@pytest.mark.usefixtures("arithmetic")
def test_a_portion_cut_anywhere_gives_the_same_outputs() -> None:
    block = block_of(16)
    x, _ = inputs_of(7, 3, 16)
    whole, last = block(x)
    for lengths in [(1,) * 7, (3, 4), (6, 1), (2, 5)]:
        state, outputs = None, []
        for portion in x.split(lengths):
            out, state = block(portion, state)
            outputs.append(out)
        assert_close(torch.cat(outputs), whole, atol=1e-5, rtol=1e-5)
        assert_close(state, last, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("arithmetic")
def test_dropout_drops_its_share_and_forward_and_backward_agree() -> None:
    block = block_of(64, dropout=0.25)
    x, _ = inputs_of(50, 8, 64)
    feed_forward = block.feed_forward
    torch.manual_seed(5)
    out = feed_forward(x)
    share = (out == x).double().mean().item()
    assert abs(share - 0.25) < 0.02
    block.eval()
    kept = out - x
    whole = feed_forward(x) - x
    here = kept != 0
    assert_close(kept[here], whole[here] / 0.75, atol=1e-4, rtol=1e-3)
    # where the branch was dropped, only the residual stream carries a gradient
    block.train()
    torch.manual_seed(5)
    of_narrow = torch.autograd.grad(feed_forward(x)[~here].sum(), feed_forward.narrow.weight)[0]
    assert torch.count_nonzero(of_narrow) == 0


@pytest.mark.usefixtures("arithmetic")
def test_the_same_generator_drops_the_same() -> None:
    block = block_of(16, dropout=0.5)
    x, _ = inputs_of(5, 2, 16)
    outputs = []
    for seed in (1, 1, 2):
        block.recurrent.dropout.generator = torch.Generator().manual_seed(seed)
        outputs.append(block(x)[0])
    assert torch.equal(outputs[0], outputs[1])
    assert not torch.equal(outputs[0], outputs[2])


@pytest.mark.usefixtures("arithmetic")
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    block = block_of(16)
    x, _ = inputs_of(4, 2, 16)
    with torch.no_grad():
        x[1, 0, 3] = bad
    outputs, (last, _) = block(x)
    assert not outputs[1:, 0].isfinite().all()
    assert not last[0].isfinite().all()
    assert outputs[:, 1].isfinite().all()


@pytest.mark.usefixtures("arithmetic")
def test_a_norm_is_that_of_float64() -> None:
    norm = RMSNorm(21)
    with torch.no_grad():
        norm.gain.normal_()
    x = torch.randn(3, 2, 21, requires_grad=True)
    weights = torch.randn(3, 2, 21)
    wanted = torch.autograd.grad(
        ((x.double() / (x.double() ** 2).mean(-1, keepdim=True).add(EPSILON).sqrt() * norm.gain) * weights).sum(),
        [x, norm.gain],
    )
    found = torch.autograd.grad((norm(x) * weights).sum(), [x, norm.gain])
    for one, other in zip(found, wanted, strict=True):
        assert_close(one, other, atol=1e-5, rtol=1e-4)
