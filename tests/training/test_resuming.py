"""A run that goes on inside a warm-up, a cool-down or with averaged weights is the run that was not interrupted."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import safetensors.torch
import torch

from charrnn.config import TrainingConfig
from charrnn.text.vocabulary import Ids
from charrnn.training.trainer import Trainer
from tests.training.test_trainer import BRIEF, SMALL, same, trainer_of, weights

DROPPING = replace(SMALL, dropout=0.2)


def warming(trainer: Trainer) -> None:
    assert trainer.warming_up


def cooling(trainer: Trainer) -> None:
    trainer.cool_down(12)
    trainer.step()
    trainer.set_learning_rate(0.02)
    trainer.cool_down(9)  # from where the first has come to
    trainer.step()
    assert trainer.cooldown is not None
    assert trainer.cooldown.top < 1


def nothing(_: Trainer) -> None:
    pass


@pytest.mark.parametrize(
    ("training", "happens"),
    [
        (replace(BRIEF, warmup=20), warming),
        (replace(BRIEF, warmup=3), cooling),
        (replace(BRIEF, average=0.97), nothing),
        (replace(BRIEF, average=0.97, warmup=20, weight_decay=0.1), cooling),
    ],
    ids=["warm-up", "cool-down", "average", "all"],
)
def test_a_resumed_run_equals_an_uninterrupted_one(
    ids: Ids, training: TrainingConfig, happens: Callable[[Trainer], None]
) -> None:
    def go_on(trainer: Trainer) -> list[object]:
        return [(trainer.learning_rate, trainer.step(), trainer.learning_rate) for _ in range(20)]

    short = ids[:700]
    trainer = trainer_of(short, DROPPING, training, held_out=100)
    for _ in range(7):
        trainer.step()
    happens(trainer)
    state = safetensors.torch.save(trainer.state())
    model = safetensors.torch.save(trainer.evaluated_model.state_dict())
    uninterrupted = go_on(trainer), trainer.evaluate()

    resumed = trainer_of(short, DROPPING, replace(training, seed=99), held_out=100)
    resumed.cool_down(3)
    resumed.step()  # whatever it did before, it must forget
    resumed.model.load_state_dict(safetensors.torch.load(model))
    resumed.load_state(safetensors.torch.load(state))
    assert (go_on(resumed), resumed.evaluate()) == uninterrupted
    assert same(weights(resumed), weights(trainer))
    assert all(torch.equal(tensor, resumed.state()[name]) for name, tensor in trainer.state().items())
    assert resumed.state().keys() == trainer.state().keys()


def test_a_checkpoint_from_before_there_were_schedules_loads(ids: Ids) -> None:
    trainer = trainer_of(ids)
    trainer.step()
    old = {name: t for name, t in trainer.state().items() if name.split("/")[0] not in ("cooldown", "average", "raw")}
    resumed = trainer_of(ids, training=replace(BRIEF, average=0.9))
    resumed.model.load_state_dict(trainer.model.state_dict())
    resumed.load_state(old)
    assert resumed.step() == trainer.step()


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
def test_in_bfloat16_it_learns_and_resumes_and_its_weights_stay_float32(ids: Ids, cell: str) -> None:
    model = replace(SMALL, cell=cell, layers=2)  # type: ignore[arg-type]
    training = replace(BRIEF, precision="bfloat16", batch=8, length=24)
    trainer = trainer_of(ids, model, training, held_out=1000)
    exact = trainer_of(ids, model, replace(training, precision="float32"), held_out=1000)
    assert trainer.step().loss != exact.step().loss
    for _ in range(40 if cell != "lstmcell" else 12):
        trainer.step()
    assert all(parameter.dtype == torch.float32 for parameter in trainer.model.parameters())
    after, before = trainer.evaluate(), exact.evaluate()
    assert after is not None
    assert before is not None
    assert after < before - 0.2
    resumed = trainer_of(ids, model, training, held_out=1000)
    resumed.model.load_state_dict(trainer.model.state_dict())
    resumed.load_state(safetensors.torch.load(safetensors.torch.save(trainer.state())))
    assert [resumed.step() for _ in range(3)] == [trainer.step() for _ in range(3)]


DEVICES = ["cpu"] + (["cuda"] if torch.cuda.is_available() else [])
BOTH = pytest.mark.skipif(len(DEVICES) == 1, reason="needs a CUDA GPU")


@pytest.mark.parametrize(
    ("first", "second"), [pytest.param("cuda", "cpu", marks=BOTH), pytest.param("cpu", "cuda", marks=BOTH)]
)
@pytest.mark.parametrize("cell", ["gru", "lstm", "mingru"])
def test_a_checkpoint_goes_on_on_another_kind_of_device(ids: Ids, cell: str, first: str, second: str) -> None:
    model, training = replace(DROPPING, cell=cell), replace(BRIEF, average=0.9)  # type: ignore[arg-type]
    one = trainer_of(ids, model, training, held_out=1000, device=first)
    for _ in range(20):
        one.step()
    state = one.state()
    assert all(tensor.device.type == "cpu" for tensor in state.values())
    other = trainer_of(ids, model, training, held_out=1000, device=second)
    other.model.load_state_dict({name: tensor.cpu() for name, tensor in one.evaluated_model.state_dict().items()})
    other.load_state(safetensors.torch.load(safetensors.torch.save(state)))
    assert other.steps_done == 20
    assert other.evaluate() == pytest.approx(one.evaluate(), abs=1e-3)
    assert other.step().loss == pytest.approx(one.step().loss, abs=0.5)  # their dropout is not the same


def test_generators_without_a_state_draw_anew_and_not_what_was_drawn_before(ids: Ids) -> None:
    """As on another kind of device, or with more threads than there were."""
    alone, shared = (replace(BRIEF, batch=4, threads=threads) for threads in (1, 2))
    trainer = trainer_of(ids, DROPPING, alone)
    beginning = trainer_of(ids, DROPPING, shared)._shards.generators

    def drawn_after(steps: int) -> list[int]:
        for _ in range(steps):
            trainer.step()
        resumed = trainer_of(ids, DROPPING, shared)
        resumed.load_state(trainer.state())
        return [generator.initial_seed() for generator in resumed._shards.generators]

    seeds = [*drawn_after(3), *drawn_after(3), *(generator.initial_seed() for generator in beginning)]
    assert len(set(seeds)) == 6
