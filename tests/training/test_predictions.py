"""What a model expected at every character, checked against one character at a time."""

import math

import numpy as np
import pytest
import torch

from charrnn.config import Cell, ModelConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.training.evaluation import stream_loss
from charrnn.training.predictions import predictions

SYMBOLS = 9


def model_of(cell: Cell = "lstm", dropout: float = 0.0) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(SYMBOLS, ModelConfig(cell=cell, hidden=12, embedding=5, layers=2, dropout=dropout))
    with torch.no_grad():
        model.output.weight *= 5
    return model


IDS = np.random.default_rng(2).integers(0, SYMBOLS, 90).astype(np.uint8)


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
@pytest.mark.parametrize("chunk", [1, 7, 512])
def test_every_character_has_its_loss_and_the_likeliest_other(cell: Cell, chunk: int) -> None:
    model = model_of(cell)
    found = list(predictions(model, IDS, chunk=chunk))
    assert [one.index for one in found] == list(range(1, len(IDS)))
    assert [one.id for one in found] == IDS[1:].tolist()
    state = None
    with torch.no_grad():
        for before, one in zip(IDS, found, strict=False):
            logits, state = model(torch.tensor([[int(before)]]), state)
            chances = torch.softmax(logits[0, 0].double(), 0)
            assert one.nats == pytest.approx(-math.log(chances[one.id].item()), rel=1e-4)
            others = chances.clone()
            others[one.id] = -1
            assert one.alternative != one.id
            assert one.alternative_probability == pytest.approx(others.max().item(), rel=1e-4)
            assert chances[one.alternative].item() == pytest.approx(others.max().item(), rel=1e-4)


def test_their_mean_is_the_loss_under_the_protocol_stream() -> None:
    model = model_of(dropout=0.5)
    nats = [one.nats for one in predictions(model, IDS)]
    assert np.mean(nats) == pytest.approx(stream_loss(model, IDS), abs=1e-6)


def test_no_more_than_a_chunk_of_a_long_text_is_looked_at_at_once() -> None:
    model = model_of()
    lengths: list[int] = []
    model.register_forward_pre_hook(lambda _, given: lengths.append(len(given[0])))
    text = predictions(model, np.tile(IDS, 100), chunk=64)
    next(text)
    assert lengths == [64]
    assert sum(1 for _ in text) == 100 * len(IDS) - 2
    assert max(lengths) == 64


def test_nothing_is_predicted_of_a_single_character() -> None:
    with pytest.raises(UsageError, match="at least 2"):
        next(predictions(model_of(), IDS[:1]))
