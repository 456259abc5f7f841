"""Averaged weights: what they are, what they are good for, and that they harm nothing."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from charrnn.config import ModelConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids
from charrnn.training.averaging import EVERY, AveragedModel
from tests.training.test_trainer import BRIEF, SMALL, same, trainer_of, weights

AVERAGED = replace(BRIEF, average=0.9)


def filled(model: LanguageModel, value: float) -> None:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(value)


def value_of(average: AveragedModel) -> float:
    return float(average.model.output.weight[0, 0])


def test_the_first_update_is_a_copy_and_later_ones_weigh_as_the_paper_has_it() -> None:
    model = LanguageModel(5, ModelConfig(hidden=3, embedding=2))
    average = AveragedModel(model, 0.999999)
    expected = 0.0
    for number in range(1, 30):
        filled(model, float(number))
        average.update()
        expected += 9 / (number + 8) * (number - expected)
        assert value_of(average) == pytest.approx(expected, rel=1e-5)
    assert expected > 24  # most of it is of the last few


def test_in_the_long_run_the_decay_is_the_one_asked_for() -> None:
    model = LanguageModel(5, ModelConfig(hidden=3, embedding=2))
    average = AveragedModel(model, 0.9)
    filled(model, 0.0)
    for _ in range(100):
        average.update()
    filled(model, 1.0)
    for number in range(1, 6):
        average.update()
        assert value_of(average) == pytest.approx(1 - 0.9 ** (EVERY * number), rel=1e-5)


def test_the_averaged_model_is_evaluated_and_training_does_not_notice(ids: Ids) -> None:
    plain, averaged = trainer_of(ids, held_out=500), trainer_of(ids, training=AVERAGED, held_out=500)
    results = [(plain.step(), averaged.step()) for _ in range(30)]
    assert all(one == other for one, other in results)
    assert same(weights(plain), weights(averaged))
    assert plain.evaluated_model is plain.model
    assert not same(list(averaged.evaluated_model.parameters()), weights(averaged))
    mine = averaged.evaluate()
    assert mine != plain.evaluate()
    averaged.model.load_state_dict(averaged.evaluated_model.state_dict())
    assert averaged.evaluate() == mine


def test_at_a_rate_that_makes_noise_the_average_is_better(ids: Ids) -> None:
    training = replace(AVERAGED, average=0.98, lr=0.15)
    plain = trainer_of(ids, training=replace(training, average=0.0), held_out=2000)
    averaged = trainer_of(ids, training=training, held_out=2000)
    losses = []
    for _ in range(300):
        plain.step()
        averaged.step()
        if plain.steps_done % 30 == 0 and plain.steps_done > 150:
            losses.append((plain.evaluate(), averaged.evaluate()))
    noisy, smooth = np.mean(np.array(losses, dtype=float), axis=0)
    assert smooth < noisy - 0.01


def test_the_average_is_not_trained_and_drops_nothing_out(ids: Ids) -> None:
    trainer = trainer_of(ids, replace(SMALL, dropout=0.5), AVERAGED, held_out=500)
    for _ in range(5):
        trainer.step()
    assert not any(parameter.requires_grad for parameter in trainer.evaluated_model.parameters())
    assert trainer.evaluate() == trainer.evaluate()
    assert trainer.model.training


@pytest.mark.parametrize("decay", [1.0, -0.5, 2.0])
def test_a_decay_that_is_none_is_told(ids: Ids, decay: float) -> None:
    with pytest.raises(UsageError, match="--average"):
        trainer_of(ids, training=replace(BRIEF, average=decay))


def test_a_run_may_begin_to_average_and_cease_to(ids: Ids) -> None:
    plain = trainer_of(ids)
    for _ in range(6):
        plain.step()
    begun = trainer_of(ids, training=AVERAGED)
    begun.model.load_state_dict(plain.evaluated_model.state_dict())
    begun.load_state(plain.state())
    assert same(list(begun.evaluated_model.parameters()), weights(plain))
    for _ in range(6):
        plain.step(), begun.step()
    assert same(weights(plain), weights(begun))
    ceased = trainer_of(ids)
    ceased.model.load_state_dict(begun.evaluated_model.state_dict())
    ceased.load_state(begun.state())
    assert same(weights(ceased), weights(plain))  # the weights that were trained, not their average
    assert ceased.step() == plain.step()
