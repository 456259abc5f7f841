"""Ids in, logits out, state carried."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from charrnn.config import Cell, ModelConfig, UsageError
from charrnn.model.language_model import Dropout, LanguageModel, count_parameters, detach, summary

SMALL = ModelConfig(hidden=6, embedding=4, layers=2)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
@pytest.mark.parametrize("embedding", [0, 4])
def test_shapes_are_time_batch_vocabulary(cell: Cell, embedding: int) -> None:
    model = LanguageModel(11, replace(SMALL, cell=cell, embedding=embedding))
    logits, state = model(torch.randint(11, (5, 3)))
    assert logits.shape == (5, 3, 11)
    assert len(state) == 2
    assert all(tensor.shape == (3, 6) for layer in state for tensor in layer)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
def test_the_state_carries_a_text_on_where_it_was_cut(cell: Cell) -> None:
    torch.manual_seed(1)
    model = LanguageModel(11, replace(SMALL, cell=cell))
    ids = torch.randint(11, (9, 2))
    whole, last = model(ids)
    head, state = model(ids[:4])
    tail, state = model(ids[4:], detach(state))
    assert_close(torch.cat([head, tail]), whole, atol=1e-6, rtol=1e-5)
    assert_close(state, last, atol=1e-6, rtol=1e-5)


def test_a_detached_state_leads_no_gradient_back() -> None:
    _, state = LanguageModel(11, SMALL)(torch.randint(11, (3, 2)))
    assert all(tensor.requires_grad for layer in state for tensor in layer)
    assert not any(tensor.requires_grad for layer in detach(state) for tensor in layer)


def test_one_hot_is_an_embedding_that_is_not_learnt() -> None:
    torch.manual_seed(2)
    one_hot = LanguageModel(7, replace(SMALL, embedding=0))
    with_embedding = LanguageModel(7, replace(SMALL, embedding=7))
    with_embedding.load_state_dict(one_hot.state_dict() | {"embedding.weight": torch.eye(7)})
    ids = torch.randint(7, (5, 2))
    assert_close(one_hot(ids)[0], with_embedding(ids)[0])


def test_the_lectures_model_is_an_embedding_an_lstm_and_a_linear_map() -> None:
    lecture = ModelConfig(cell="lstm", hidden=128, layers=1, embedding=100)
    model = LanguageModel(100, lecture)
    parts = [type(part) for part in model.modules() if not list(part.children())]
    assert [part for part in parts if part is not Dropout] == [nn.Embedding, nn.LSTM, nn.Linear]
    assert count_parameters(model) == 100 * 100 + 4 * 128 * (100 + 128 + 2) + 100 * (128 + 1)
    assert summary(lecture) == "lstm 1×128"


def test_the_cell_loop_and_the_fused_layer_trade_weights_by_name() -> None:
    config = ModelConfig(cell="lstm", hidden=6, embedding=4)
    fused, loop = LanguageModel(9, config), LanguageModel(9, replace(config, cell="lstmcell"))
    loop.load_state_dict({name.removesuffix("_l0"): tensor for name, tensor in fused.state_dict().items()})
    ids = torch.randint(9, (20, 2))
    assert_close(loop(ids)[0], fused(ids)[0], atol=1e-6, rtol=1e-5)


def test_dropout_acts_while_training_and_never_while_evaluating() -> None:
    torch.manual_seed(3)
    model = LanguageModel(11, replace(SMALL, dropout=0.5))
    ids = torch.randint(11, (5, 2))
    assert not torch.equal(model(ids)[0], model(ids)[0])
    model.eval()
    assert torch.equal(model(ids)[0], model(ids)[0])
    plain = LanguageModel(11, SMALL).eval()
    plain.load_state_dict(model.state_dict())
    assert torch.equal(plain(ids)[0], model(ids)[0])


def test_the_same_seed_gives_the_same_weights() -> None:
    one, other = ((torch.manual_seed(4), LanguageModel(11, SMALL))[1].state_dict() for _ in range(2))
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize(
    ("wrong", "option"),
    [
        (replace(SMALL, hidden=0), "--hidden"),
        (replace(SMALL, layers=0), "--layers"),
        (replace(SMALL, embedding=-1), "--embedding"),
        (replace(SMALL, dropout=1.0), "--dropout"),
        (replace(SMALL, dropout=float("nan")), "--dropout"),
    ],
)
def test_a_size_that_is_none_is_told(wrong: ModelConfig, option: str) -> None:
    with pytest.raises(UsageError, match=option):
        LanguageModel(11, wrong)
