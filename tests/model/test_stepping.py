"""One character at a time through the kernels, against the model itself."""

from __future__ import annotations

import pytest
import torch
from torch.testing import assert_close

from charrnn.config import Cell, ModelConfig
from charrnn.model.language_model import LanguageModel
from charrnn.model.stepping import stepper

pytestmark = pytest.mark.usefixtures("kernels")

SYMBOLS = 9


@pytest.mark.parametrize("hidden", [1, 3, 16, 37, 128])
@pytest.mark.parametrize("embedding", [0, 5, 20])
@pytest.mark.parametrize("layers", [1, 3])
def test_steps_give_the_models_logits_and_state(hidden: int, embedding: int, layers: int) -> None:
    torch.manual_seed(1)
    model = LanguageModel(SYMBOLS, ModelConfig(cell="lstm", hidden=hidden, layers=layers, embedding=embedding)).eval()
    ids = torch.randint(SYMBOLS, (12, 1))
    with torch.no_grad():
        _, state = model(ids[:4])
        before = [[tensor.clone() for tensor in layer] for layer in state]
        wanted, after = model(ids[4:], state)
    steps = stepper(model)
    assert steps is not None
    walked = state
    for symbol, logits in zip(ids[4:, 0].tolist(), wanted[:, 0], strict=True):
        walked = steps.step(symbol, walked)
        assert_close(steps.logits, logits, atol=1e-5, rtol=1e-5)
    assert_close(walked, after, atol=1e-5, rtol=1e-5)
    assert_close(state, [tuple(layer) for layer in before], atol=0, rtol=0)  # the one it was given is left alone


@pytest.mark.parametrize("hidden", [1, 3, 16, 37, 128])
@pytest.mark.parametrize("tie", [False, True])
def test_steps_of_gated_blocks_give_the_models_logits_and_state(hidden: int, tie: bool) -> None:
    torch.manual_seed(1)
    config = ModelConfig(cell="mingru", hidden=hidden, layers=2, embedding=hidden, tie=tie)
    model = LanguageModel(SYMBOLS, config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    ids = torch.randint(SYMBOLS, (12, 1))
    with torch.no_grad():
        _, state = model(ids[:2])
        wanted, after = model(ids[2:], state)
    steps = stepper(model)
    assert steps is not None
    walked = state
    for symbol, logits in zip(ids[2:, 0].tolist(), wanted[:, 0], strict=True):
        walked = steps.step(symbol, walked)
        assert_close(steps.logits, logits, atol=2e-5, rtol=1e-4)
    assert_close(walked, after, atol=2e-5, rtol=1e-4)


@pytest.mark.parametrize("cell", ["lstm", "mingru"])
def test_weights_overwritten_or_replaced_are_obeyed_at_once(cell: Cell) -> None:
    torch.manual_seed(2)
    model = LanguageModel(SYMBOLS, ModelConfig(cell=cell, hidden=8, embedding=8)).eval()
    steps = stepper(model)
    assert steps is not None
    with torch.no_grad():
        _, state = model(torch.zeros(1, 1, dtype=torch.int64))
        for change in ("in place", "replaced"):
            for parameter in model.parameters():
                if change == "in place":
                    parameter.mul_(1.5)
                else:
                    parameter.data = parameter.data * -0.5
            wanted, _ = model(torch.full((1, 1), 3), state)
            steps.step(3, state)
            assert_close(steps.logits, wanted[0, 0], atol=1e-6, rtol=1e-5)


def test_a_symbol_that_is_none_is_told() -> None:
    model = LanguageModel(SYMBOLS, ModelConfig(cell="lstm", hidden=8, embedding=4))
    steps = stepper(model)
    assert steps is not None
    with pytest.raises(IndexError, match="9 symbols"):
        steps.step(SYMBOLS, [(torch.zeros(1, 8), torch.zeros(1, 8))])


def test_other_networks_are_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    config = ModelConfig(cell="lstm", hidden=8)
    assert stepper(LanguageModel(SYMBOLS, ModelConfig(cell="gru", hidden=8))) is None
    assert stepper(LanguageModel(SYMBOLS, config).double()) is None
    assert stepper(LanguageModel(SYMBOLS, ModelConfig(cell="mingru", hidden=8, embedding=4))) is None
    assert stepper(LanguageModel(SYMBOLS, ModelConfig(cell="lstm", hidden=8, embedding=8, residual=True))) is None
    more = LanguageModel(SYMBOLS, config)
    more.norm = torch.nn.LayerNorm(8)
    assert stepper(more) is None
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    assert stepper(LanguageModel(SYMBOLS, config)) is None
