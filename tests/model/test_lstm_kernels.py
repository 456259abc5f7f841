"""The LSTM's kernels against `nn.LSTM` in float64: values, hand-over, gradients."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.testing import assert_close

from charrnn.config import ModelConfig
from charrnn.model.cells import LSTM
from charrnn.model.language_model import LanguageModel
from charrnn.model.lstm import native_lstm
from charrnn.native.library import Library

pytestmark = pytest.mark.usefixtures("kernels")

SYMBOLS, FEATURES = 11, 7
SHAPES = [  # time, batch, hidden
    (1, 1, 1),
    (2, 3, 1),
    (200, 1, 1),
    (1, 17, 5),
    (200, 2, 5),
    (2, 32, 5),
    (200, 1, 100),
    (2, 3, 100),
    (1, 32, 100),
    (200, 1, 128),
    (2, 17, 128),
    (1, 2, 128),
    (2, 1, 256),
    (40, 32, 256),
    (1, 3, 256),
    (20, 17, 256),
]
Reading = Callable[[nn.LSTM, Tensor, Tensor], tuple[Tensor | None, Tensor | None, Tensor]]


def vectors(layer: nn.LSTM, ids: Tensor, embedding: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor]:
    """Source, ids, and the input that they stand for."""
    return embedding[ids], None, embedding[ids]


def embedded(layer: nn.LSTM, ids: Tensor, embedding: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor]:
    return embedding, ids, embedding[ids]


def one_hot(layer: nn.LSTM, ids: Tensor, embedding: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor]:
    return None, ids, nn.functional.one_hot(ids, FEATURES).to(embedding.dtype)


@pytest.mark.parametrize("reading", [vectors, embedded, one_hot])
@pytest.mark.parametrize("shape", SHAPES)
def test_values_and_gradients_are_those_of_nn_lstm_in_float64(shape: tuple[int, int, int], reading: Reading) -> None:
    time, batch, hidden = shape
    torch.manual_seed(1)
    layer = nn.LSTM(FEATURES, hidden)
    exact = copy.deepcopy(layer).double()
    ids = torch.randint(FEATURES if reading is one_hot else SYMBOLS, (time, batch))
    start = [torch.randn(SYMBOLS, FEATURES), torch.randn(batch, hidden) / 2, torch.randn(batch, hidden)]
    ours = [tensor.clone().requires_grad_() for tensor in start]
    truth = [tensor.double().requires_grad_() for tensor in start]
    weigh = [torch.randn(time, batch, hidden), torch.randn(batch, hidden), torch.randn(batch, hidden)]

    source, given, _ = reading(layer, ids, ours[0])
    found = native_lstm(layer, source, given, (ours[1], ours[2]))
    assert found is not None
    _, _, inputs = reading(layer, ids, truth[0])
    outputs, (h, c) = exact(inputs, (truth[1][None], truth[2][None]))
    wanted = (outputs, h[0], c[0])
    results = (found[0], *found[1])
    for one, other in zip(results, wanted, strict=True):
        assert_close(one.double(), other, atol=2e-6, rtol=1e-5)

    sum((result * by).sum() for result, by in zip(results, weigh, strict=True)).backward()
    sum((result * by).sum() for result, by in zip(wanted, weigh, strict=True)).backward()
    pairs = [*zip(layer.parameters(), exact.parameters(), strict=True), *zip(ours, truth, strict=True)]
    for one, other in pairs:
        if other.grad is None:
            assert reading is one_hot
            assert one is ours[0]
            continue
        assert one.grad is not None
        assert_close(one.grad.double(), other.grad, atol=3e-6 * max(1.0, other.grad.abs().max().item()), rtol=1e-4)


@pytest.mark.parametrize("batch", [1, 5])
def test_a_portion_cut_anywhere_gives_the_same_outputs_and_gradients(batch: int) -> None:
    torch.manual_seed(2)
    layer, embedding = LSTM(FEATURES, 20), torch.randn(SYMBOLS, FEATURES, requires_grad=True)
    ids = torch.randint(SYMBOLS, (30, batch))
    gradients = []
    wholes = []
    for lengths in [(30,), (12, 18), (17, 1, 12)]:
        state, outputs = None, []
        for part in ids.split(lengths):
            found = native_lstm(layer.recurrence, embedding, part, state)
            assert found is not None
            out, state = found
            outputs.append(out)
        wholes.append(torch.cat(outputs))
        gradients.append(torch.autograd.grad(wholes[-1].square().sum(), [embedding, *layer.parameters()]))
    for whole, gradient in zip(wholes[1:], gradients[1:], strict=True):
        assert_close(whole, wholes[0], atol=1e-6, rtol=1e-5)
        assert_close(gradient, gradients[0], atol=1e-5, rtol=1e-4)


def test_without_gradients_the_values_are_the_same_whatever_the_threads() -> None:
    torch.manual_seed(3)
    layer, ids = LSTM(FEATURES, 40), torch.randint(SYMBOLS, (25, 19))
    embedding = torch.randn(SYMBOLS, FEATURES)
    wanted = layer.read(ids, embedding, None)
    assert wanted is not None
    threads = torch.get_num_threads()
    try:
        for count in (1, 2, 3):
            torch.set_num_threads(count)
            with torch.no_grad():
                found = layer.read(ids, embedding, None)
            assert found is not None
            assert_close(found, wanted, atol=0, rtol=0)
    finally:
        torch.set_num_threads(threads)


def test_the_same_portion_gives_the_same_bits_each_time() -> None:
    torch.manual_seed(4)
    layer, ids, embedding = LSTM(FEATURES, 33), torch.randint(SYMBOLS, (50, 7)), torch.randn(SYMBOLS, FEATURES)

    def once() -> list[Tensor]:
        found = layer.read(ids, embedding, None)
        assert found is not None
        return [found[0], *torch.autograd.grad(found[0].sum(), list(layer.parameters()))]

    first = once()
    for one, other in zip(first, once(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("where", ["weights", "state", "input"])
def test_a_number_that_is_none_is_not_hidden(where: str) -> None:
    layer, source = nn.LSTM(FEATURES, 18), torch.randn(4, 3, FEATURES)
    h, c = torch.zeros(3, 18), torch.zeros(3, 18)
    spoilt = {"weights": layer.weight_hh_l0, "state": c, "input": source[2]}[where]
    with torch.no_grad():
        spoilt[1, 1] = torch.nan
    h += 0.5
    found = native_lstm(layer, source, None, (h, c))
    assert found is not None
    outputs, (last_h, last_c) = found
    assert outputs[2:, 1].isnan().any()
    assert last_h[1].isnan().any()
    assert last_c[1].isnan().any()
    outputs.sum().backward()
    assert layer.weight_ih_l0.grad is not None
    assert layer.weight_ih_l0.grad.isnan().any()
    if where != "weights":
        assert outputs[:, 0].isfinite().all()


def test_what_the_kernels_cannot_do_is_left_to_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = nn.LSTM(FEATURES, 6)
    assert native_lstm(copy.deepcopy(layer).double(), torch.randn(2, 2, FEATURES).double(), None, None) is None
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    assert native_lstm(layer, torch.randn(2, 2, FEATURES), None, None) is None


def test_an_id_that_is_no_symbol_is_told_and_nothing_is_read_beyond_the_table() -> None:
    layer, embedding = nn.LSTM(FEATURES, 6), torch.randn(SYMBOLS, FEATURES)
    for wrong in (SYMBOLS, -1):
        with pytest.raises(IndexError, match="11 symbols"):
            native_lstm(layer, embedding, torch.full((20, 1), wrong), None)


def test_it_is_differentiated_once_only() -> None:
    layer = LSTM(FEATURES, 6)
    inputs = torch.randn(5, 2, FEATURES, requires_grad=True)
    outputs, _ = layer(inputs)
    (gradient,) = torch.autograd.grad(outputs.sum(), inputs, create_graph=True)
    with pytest.raises(RuntimeError):
        gradient.sum().backward()


@pytest.mark.parametrize("embedding", [0, 6])
def test_a_language_model_is_the_same_with_and_without_kernels(
    embedding: int, kernels: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(5)
    model = LanguageModel(SYMBOLS, ModelConfig(cell="lstm", hidden=24, layers=2, embedding=embedding))
    ids = torch.randint(SYMBOLS, (21, 4))
    found, state = model(ids)
    again, _ = model(ids[:2], state)  # fewer characters than symbols
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    wanted, after = model(ids)
    assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    assert_close(state, after, atol=1e-6, rtol=1e-5)
    assert_close(again, model(ids[:2], after)[0], atol=1e-6, rtol=1e-5)
