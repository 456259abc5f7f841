"""A loss is what its protocol's name says."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Cell, ModelConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids
from charrnn.training.evaluation import Protocol, loss_under, parse_protocol, stream_loss, window_loss
from charrnn.training.trainer import Trainer
from tests.thorough import examples

SYMBOLS = 9


def model_of(cell: Cell = "lstm", dropout: float = 0.0) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(SYMBOLS, ModelConfig(cell=cell, hidden=12, embedding=5, layers=2, dropout=dropout))
    with torch.no_grad():
        model.output.weight *= 5
    return model.eval()


def random_ids(characters: int) -> Ids:
    return np.random.default_rng(2).integers(0, SYMBOLS, characters).astype(np.uint8)


def losses_one_by_one(model: LanguageModel, ids: Ids, forget_every: int | None = None) -> list[float]:
    """The loss of each character after the first, the text read one character at a time in float64."""
    model = LanguageModel(SYMBOLS, model.config).double()
    model.load_state_dict(model_of(model.config.cell).state_dict())
    model.eval()
    losses, state = [], None
    with torch.no_grad():
        for place, (character, following) in enumerate(pairwise(ids)):
            if forget_every and place % forget_every == 0:
                state = None
            logits, state = model(torch.tensor([[int(character)]]), state)
            losses.append(-torch.log_softmax(logits[0, 0], 0)[int(following)].item())
    return losses


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
@pytest.mark.parametrize("chunk", [1, 7, 512])
def test_stream_is_the_whole_text_with_the_state_carried_through(cell: Cell, chunk: int) -> None:
    model, ids = model_of(cell), random_ids(60)
    assert stream_loss(model, ids, chunk=chunk) == pytest.approx(np.mean(losses_one_by_one(model, ids)), abs=1e-6)


@examples(40)
@given(st.integers(2, 70), st.integers(1, 80))
def test_any_window_is_read_from_a_zero_state_and_any_character_counted_once(characters: int, n: int) -> None:
    model, ids = model_of(), random_ids(characters)
    wanted = np.mean(losses_one_by_one(model, ids, forget_every=n))
    assert window_loss(model, ids, n) == pytest.approx(wanted, abs=1e-6)


@examples(40)
@given(st.integers(2, 90), st.integers(1, 40), st.integers(0, 12), st.integers(1, 60))
def test_in_any_number_of_segments_each_is_read_after_its_warm_up_and_any_character_counted_once(
    characters: int, segments: int, warm_up: int, chunk: int
) -> None:
    model, ids = model_of(), random_ids(characters)
    length = math.ceil((characters - 1) / segments)
    losses: list[float] = []
    for start in range(0, characters - 1, length):
        before = min(warm_up, start, length)
        losses += losses_one_by_one(model, ids[start - before : start + length + 1])[before:]
    assert len(losses) == characters - 1
    found = stream_loss(model, ids, segments=segments, warm_up=warm_up, chunk=chunk)
    assert found == pytest.approx(np.mean(losses), abs=1e-6)


def test_segments_with_a_warm_up_agree_with_the_exact_protocol(ids: Ids) -> None:
    model = LanguageModel(int(ids.max()) + 1, ModelConfig(cell="lstm", hidden=32, embedding=8))
    trainer = Trainer(model, ids[:10_000], ids[10_000:], TrainingConfig(batch=8, length=32, lr=0.01, seed=1))
    for _ in range(80):
        trainer.step()
    exact = stream_loss(model, ids[10_000:])
    assert exact < 1.5
    assert stream_loss(model, ids[10_000:], segments=20, warm_up=256) == pytest.approx(exact, abs=1e-3)
    assert trainer.evaluate() == pytest.approx(exact, abs=1e-3)
    cold = stream_loss(model, ids[10_000:], segments=500, warm_up=0)
    assert cold - exact > 0.01  # the warm-up is what makes them agree


def test_a_network_that_knows_nothing_loses_the_logarithm_of_its_alphabet() -> None:
    model = model_of()
    with torch.no_grad():
        model.output.weight.zero_()
        model.output.bias.zero_()
    for loss in (stream_loss(model, random_ids(50)), window_loss(model, random_ids(50), 8)):
        assert loss == pytest.approx(math.log(SYMBOLS), abs=1e-6)


@pytest.mark.parametrize("training", [True, False])
def test_an_evaluation_changes_nothing(training: bool) -> None:
    model = model_of(dropout=0.5).train(training)
    generator, weights = torch.get_rng_state(), [parameter.clone() for parameter in model.parameters()]
    assert stream_loss(model, random_ids(50), segments=3, warm_up=4) == stream_loss(
        model, random_ids(50), segments=3, warm_up=4
    )
    window_loss(model, random_ids(50), 8)
    assert model.training == training
    assert torch.equal(torch.get_rng_state(), generator)
    assert all(torch.equal(one, other) for one, other in zip(model.parameters(), weights, strict=True))
    assert all(parameter.grad is None for parameter in model.parameters())


def test_the_mode_is_restored_even_after_a_failure() -> None:
    model = model_of().train()
    with pytest.raises(IndexError):
        stream_loss(model, np.array([0, SYMBOLS + 5, 1]))
    assert model.training


def test_protocols_are_read_and_written_alike() -> None:
    assert parse_protocol("stream") == Protocol()
    assert parse_protocol("window:64") == Protocol(64)
    assert [str(parse_protocol(name)) for name in ("stream", "window:1")] == ["stream", "window:1"]
    model, ids = model_of(), random_ids(50)
    assert loss_under(Protocol(), model, ids) == stream_loss(model, ids)
    assert loss_under(Protocol(8), model, ids) == window_loss(model, ids, 8)


@pytest.mark.parametrize(
    "name", ["", "streams", "window", "window:", "window:0", "window:-3", "window:²", "window:1e3"]
)
def test_a_protocol_that_is_none_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="give stream, or window:N"):
        parse_protocol(name)


def test_a_text_without_a_second_character_is_told() -> None:
    for characters in (0, 1):
        with pytest.raises(UsageError, match="at least 2"):
            stream_loss(model_of(), random_ids(characters))
        with pytest.raises(UsageError, match="at least 2"):
            window_loss(model_of(), random_ids(characters), 8)
    with pytest.raises(UsageError, match="at least 1"):
        window_loss(model_of(), random_ids(10), 0)
