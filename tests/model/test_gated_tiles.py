"""With tile registers the gated block does what it does without: nearly the same numbers, the same dropout."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from charrnn.config import ModelConfig
from charrnn.model import gated_tiles
from charrnn.model.gated_pass import GatedPass, gated_pass
from charrnn.model.language_model import LanguageModel, State
from charrnn.model.loss import cross_entropy
from charrnn.native.library import library
from charrnn.training.shards import Shards
from tests.model.test_gated import block_of, everything, inputs_of, reference

SHAPES = [(1, 1, 32), (2, 3, 32), (7, 5, 96), (9, 4, 64), (40, 9, 32), (3, 300, 32), (64, 16, 128)]


@pytest.fixture(autouse=True)
def tiles() -> None:
    found = library()
    if found is None or not found.tiles_allowed():
        pytest.skip("no tile registers here")


def without_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gated_tiles, "_allowed", lambda _: False)


def model_of(hidden: int = 64, dropout: float = 0.0, tie: bool = False) -> LanguageModel:
    torch.manual_seed(3)
    config = ModelConfig(cell="mingru", hidden=hidden, embedding=hidden, layers=2, dropout=dropout, tie=tie)
    return LanguageModel(29, config).train()


def text(time: int, batch: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(4)
    return torch.randint(29, (time, batch)), torch.randint(29, (time, batch))


def pass_of(model: LanguageModel) -> GatedPass:
    found = gated_pass(model, torch.bfloat16)
    assert found is not None
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("carried_on", [True, False])
def test_values_and_gradients_are_nearly_the_equations(shape: tuple[int, int, int], carried_on: bool) -> None:
    block = block_of(shape[2])
    x, before = inputs_of(*shape)
    state = before if carried_on else None
    small = shape[0] * shape[1] < 100
    wanted = everything(block, x, state, reference(block, x, state) if small else block(x, state))
    with torch.autocast("cpu", torch.bfloat16):
        result = block(x, state)
    found = everything(block, x, state, result)
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == torch.float32
        assert (one.double() - other.double()).norm() < 0.015 * other.double().norm()
    assert not torch.equal(result[0], wanted[0].float())


def test_a_portion_cut_anywhere_gives_the_same_outputs() -> None:
    block = block_of(32)
    x, _ = inputs_of(70, 3, 32)
    with torch.autocast("cpu", torch.bfloat16):
        whole, last = block(x)
        for lengths in [(1, 69), (33, 37), (2, 1, 67), (64, 6)]:
            state, outputs = None, []
            for portion in x.split(lengths):
                out, state = block(portion, state)
                outputs.append(out)
            assert_close(torch.cat(outputs), whole, atol=1e-6, rtol=1e-6)
            assert_close(state, last, atol=1e-6, rtol=1e-6)


def test_the_same_numbers_are_dropped_as_without(monkeypatch: pytest.MonkeyPatch) -> None:
    feed_forward = block_of(64, dropout=0.25).feed_forward
    x, _ = inputs_of(50, 8, 64)
    outputs = []
    for _ in range(2):
        torch.manual_seed(5)
        with torch.autocast("cpu", torch.bfloat16):
            outputs.append(feed_forward(x))
        without_tiles(monkeypatch)
    assert 0.2 < (outputs[0] == x).double().mean() < 0.3
    assert torch.equal(outputs[0] == x, outputs[1] == x)
    assert_close(outputs[0], outputs[1], atol=0.1, rtol=0.02)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_what_is_not_finite_stays_so(bad: float) -> None:
    block = block_of(32)
    x, _ = inputs_of(4, 2, 32)
    with torch.no_grad():
        x[1, 0, 3] = bad
    with torch.autocast("cpu", torch.bfloat16):
        outputs, (last, _) = block(x)
    assert not outputs[1:, 0].isfinite().all()
    assert not last[0].isfinite().all()
    assert outputs[:, 1].isfinite().all()
    gradients = torch.autograd.grad(outputs.sum(), list(block.parameters()))
    assert not any(gradient.isfinite().all() for gradient in gradients if gradient.dim() == 2)


@pytest.mark.parametrize("tie", [True, False])
@pytest.mark.parametrize("size", [(9, 5), (40, 16)])
def test_a_pass_is_what_autograd_makes_of_the_model(tie: bool, size: tuple[int, int]) -> None:
    model = model_of(dropout=0.2, tie=tie)
    inputs, targets = text(*size)
    found = pass_of(model)
    state: State | None = None
    for _ in range(2):
        torch.manual_seed(7)
        model.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16):
            logits, wanted_state = model(inputs, state)
        wanted = cross_entropy(logits.float(), targets) * 0.5
        wanted.backward()
        gradients = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
        torch.manual_seed(7)
        loss, state = found(inputs, targets, state, 0.5)
        assert loss == pytest.approx(wanted.item(), rel=1e-6)
        for name, parameter in model.named_parameters():
            assert_close(parameter.grad, gradients[name], atol=1e-7, rtol=1e-5, msg=name)
        for layer, wanted_layer in zip(state, wanted_state, strict=True):
            assert_close(layer, wanted_layer, atol=0, rtol=0)


def test_every_pass_gives_the_same_bits() -> None:
    inputs, targets = text(33, 7)
    seen = []
    for _ in range(2):
        model = model_of(dropout=0.3)
        torch.manual_seed(8)
        pass_of(model)(inputs, targets, None, 1.0)
        seen.append([p.grad for p in model.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*seen, strict=True))


def test_a_loss_that_is_not_finite_leaves_no_gradients() -> None:
    model = model_of()
    with torch.no_grad():
        model.layers[0].feed_forward.widen.weight[0, 0] = math.nan
    loss, _ = pass_of(model)(*text(5, 2), None, 1.0)
    assert math.isnan(loss)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_an_unknown_id_is_an_error() -> None:
    found = pass_of(model_of())
    inputs, targets = text(5, 2)
    with pytest.raises(IndexError, match="29 symbols"):
        found(inputs + 29, targets, None, 1.0)
    with pytest.raises(IndexError, match="29 symbols"):
        found(inputs, targets + 29, None, 1.0)


def test_shards_add_up_to_one_batch() -> None:
    inputs, targets = text(20, 6)
    found = []
    for count in (1, 2):
        model = model_of()
        loss, _ = Shards(model, 6, count, 1, torch.bfloat16).gradients(inputs, targets, None)
        found.append((loss, [p.grad for p in model.parameters()]))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-6)
    for one, other in zip(found[0][1], found[1][1], strict=True):
        assert (one - other).norm() < 1e-5 * one.norm()


def test_where_tiles_do_not_fit_autograd_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    assert gated_pass(model_of(40), torch.bfloat16) is None
    assert gated_pass(model_of(), None) is None
    lstm = LanguageModel(29, ModelConfig(cell="lstm", hidden=32, embedding=32, layers=1))
    assert gated_pass(lstm, torch.bfloat16) is None
    without_tiles(monkeypatch)
    assert gated_pass(model_of(), torch.bfloat16) is None
