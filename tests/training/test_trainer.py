"""A step learns, a bad one does no harm, and a resumed run is the run."""

import math
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from charrnn.config import (
    Cell,
    CorpusConfig,
    ModelConfig,
    RunConfig,
    SamplingOfText,
    StreamConfig,
    TrainingConfig,
    UsageError,
)
from charrnn.model.language_model import LanguageModel
from charrnn.text.corpus import load_corpus
from charrnn.text.vocabulary import Ids
from charrnn.training.trainer import Trainer, build, resolve_device

SMALL = ModelConfig(hidden=16, embedding=6)
BRIEF = TrainingConfig(batch=4, length=12, lr=0.01, seed=3)


def trainer_of(
    ids: Ids, model: ModelConfig = SMALL, training: TrainingConfig = BRIEF, held_out: int = 0, device: str = "cpu"
) -> Trainer:
    torch.manual_seed(training.seed)
    network = LanguageModel(int(ids.max()) + 1, model)
    return Trainer(network, ids[: len(ids) - held_out], ids[len(ids) - held_out :], training, device)


def weights(trainer: Trainer) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in trainer.model.parameters()]


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
@pytest.mark.parametrize("sampling", ["stream", "random"])
def test_a_resumed_run_equals_an_uninterrupted_one(ids: Ids, cell: Cell, sampling: SamplingOfText) -> None:
    model = replace(SMALL, cell=cell, layers=2, dropout=0.2)
    training = replace(BRIEF, sampling_of_text=sampling, weight_decay=0.01 if cell == "gru" else 0.0)
    short = ids[:500]  # about ten steps a pass: the resumed run begins new ones
    trainer = trainer_of(short, model, training)
    for _ in range(7):
        trainer.step()
    trainer.set_learning_rate(0.004)
    trainer.step()
    saved = safetensors.torch.save(trainer.state()), safetensors.torch.save(trainer.model.state_dict())
    uninterrupted = [trainer.step() for _ in range(20)]

    resumed = trainer_of(short, model, replace(training, seed=99))
    resumed.step()  # whatever it did before, it must forget
    resumed.model.load_state_dict(safetensors.torch.load(saved[1]))
    resumed.load_state(safetensors.torch.load(saved[0]))
    assert resumed.learning_rate == 0.004
    assert [resumed.step() for _ in range(20)] == uninterrupted
    assert same(weights(resumed), weights(trainer))
    assert resumed.passes == trainer.passes > 2
    assert (resumed.steps_done, resumed.chars_done) == (28, 28 * 4 * 12) == (trainer.steps_done, trainer.chars_done)
    assert all(torch.equal(tensor, resumed.state()[name]) for name, tensor in trainer.state().items())


def test_a_saved_state_does_not_change_with_the_steps_after_it(ids: Ids) -> None:
    trainer = trainer_of(ids)
    trainer.step()
    state = trainer.state()
    kept = {name: tensor.clone() for name, tensor in state.items()}
    trainer.step()
    assert all(torch.equal(state[name], kept[name]) for name in kept)


def test_a_trainer_that_took_no_step_can_be_resumed(ids: Ids) -> None:
    trainer, resumed = trainer_of(ids), trainer_of(ids)
    resumed.load_state(trainer.state())
    assert [resumed.step() for _ in range(3)] == [trainer.step() for _ in range(3)]


def test_a_state_of_another_network_or_with_a_part_missing_is_told(ids: Ids) -> None:
    trainer = trainer_of(ids)
    trainer.step()
    state = trainer.state()
    for model, training in [(replace(SMALL, hidden=17), BRIEF), (replace(SMALL, layers=2), BRIEF)]:
        with pytest.raises(UsageError, match="does not fit"):
            trainer_of(ids, model, training).load_state(state)
    with pytest.raises(UsageError, match="5 streams"):
        trainer_of(ids, training=replace(BRIEF, batch=5)).load_state(state)
    for name in ("counters", "learning_rate", "random/cpu", "batches/generator"):
        with pytest.raises(UsageError, match="does not fit"):
            trainer_of(ids).load_state({key: tensor for key, tensor in state.items() if key != name})


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
def test_it_learns(ids: Ids, cell: Cell) -> None:
    trainer = trainer_of(ids, replace(SMALL, cell=cell, hidden=32), replace(BRIEF, batch=8, length=24), held_out=2000)
    before = trainer.evaluate()
    losses = [trainer.step().loss for _ in range(150)]
    after = trainer.evaluate()
    assert before is not None
    assert after is not None
    assert before > 2.5
    assert after < 1.2
    assert np.mean(losses[-10:]) == pytest.approx(after, abs=0.25)


def test_a_stream_carries_its_state_through_a_pass_and_random_portions_never_do(ids: Ids) -> None:
    for sampling, carried in (("stream", True), ("random", False)):
        trainer = trainer_of(ids[: 3 * 48 + 1], training=replace(BRIEF, sampling_of_text=sampling))  # 3 steps a pass
        seen: list[bool] = []
        trainer.model.register_forward_pre_hook(lambda _, given, seen=seen: seen.append(given[1] is not None))
        for _ in range(6):
            trainer.step()
        assert seen == [False, carried, carried] * 2
        assert any(name.startswith("hidden/") for name in trainer.state()) == carried


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_never_reaches_the_weights(ids: Ids, wrong: float) -> None:
    trainer = trainer_of(ids)
    trainer.step()
    before = weights(trainer)
    hook = trainer.model.register_forward_hook(lambda _, __, out: (out[0] * wrong, out[1]))
    result = trainer.step()
    hook.remove()
    assert not result.finite
    assert not math.isfinite(result.loss)
    assert result.gradient_norm is None
    assert same(weights(trainer), before)
    assert (trainer.steps_done, trainer.skipped) == (2, 1)
    assert not any(name.startswith("hidden/") for name in trainer.state())
    assert trainer.step().finite


@pytest.mark.parametrize("clip", [0.0, 1.0])
def test_a_gradient_that_is_not_finite_never_reaches_the_weights_or_the_optimiser(ids: Ids, clip: float) -> None:
    trainer = trainer_of(ids, training=replace(BRIEF, clip=clip))
    trainer.step()
    before, optimiser = weights(trainer), trainer.state()
    hook = trainer.model.output.weight.register_hook(lambda gradient: gradient * math.nan)
    result = trainer.step()
    hook.remove()
    assert not result.finite
    assert math.isfinite(result.loss)
    assert same(weights(trainer), before)
    after = trainer.state()
    assert all(torch.equal(after[name], optimiser[name]) for name in optimiser if name.startswith("optimiser/"))
    assert trainer.step().finite


def test_gradients_are_clipped_to_the_norm_asked_for_and_zero_clips_nothing(ids: Ids) -> None:
    norms = {}
    for clip in (0.0, 1e-3, 1e6):
        trainer = trainer_of(ids, training=replace(BRIEF, clip=clip))
        result = trainer.step()
        left = math.sqrt(sum(float((p.grad**2).sum()) for p in trainer.model.parameters() if p.grad is not None))
        norms[clip] = (result.gradient_norm, left)
    full = norms[0.0][0]
    assert full is not None
    assert full > 1e-2
    assert norms[0.0][1] == pytest.approx(full, rel=1e-5) == norms[1e6][1]
    assert norms[1e-3] == (full, pytest.approx(1e-3, rel=1e-2))


def test_a_new_learning_rate_holds_from_the_next_step(ids: Ids) -> None:
    trainer = trainer_of(ids)
    trainer.set_learning_rate(1e-30)
    before = weights(trainer)
    trainer.step()
    assert same(weights(trainer), before)
    trainer.set_learning_rate(0.02)
    trainer.step()
    assert trainer.learning_rate == 0.02
    assert not same(weights(trainer), before)
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(UsageError, match="--lr"):
            trainer.set_learning_rate(wrong)


def test_weight_decay_shrinks_matrices_and_spares_biases(ids: Ids) -> None:
    plain, decayed = trainer_of(ids), trainer_of(ids, training=replace(BRIEF, weight_decay=10.0))
    plain.step()
    decayed.step()
    for (name, one), other in zip(plain.model.named_parameters(), decayed.model.parameters(), strict=True):
        if one.dim() > 1:
            assert other.detach().abs().sum() < one.detach().abs().sum(), name
        else:
            assert torch.equal(one, other), name


def test_without_a_held_out_part_there_is_no_evaluation(ids: Ids) -> None:
    assert trainer_of(ids).evaluate() is None


def test_evaluations_leave_the_run_as_it_is(ids: Ids) -> None:
    runs = []
    for watched in (False, True):
        trainer = trainer_of(ids, replace(SMALL, dropout=0.3), held_out=500)  # seeds what dropout draws from
        results = []
        for _ in range(4):
            if watched:
                trainer.evaluate()
            results.append(trainer.step())
        runs.append((results, trainer.state()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(tensor, runs[1][1][name]) for name, tensor in runs[0][1].items())


@pytest.mark.parametrize("wrong", [{"clip": -1.0}, {"weight_decay": -0.1}, {"lr": 0.0}, {"clip": math.nan}])
def test_a_setting_that_is_none_is_told(ids: Ids, wrong: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="--"):
        trainer_of(ids, training=replace(BRIEF, **wrong))  # type: ignore[arg-type]


def test_build_makes_the_same_run_from_the_same_seed(text: str) -> None:
    config = RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="-", name="grammar", validation=0.2),
        model=SMALL,
        training=replace(BRIEF, device="cpu"),
        stream=StreamConfig(),
    )
    corpus = load_corpus(config.corpus, stdin_text=text)
    one = build(config, corpus)
    first = [one.step() for _ in range(5)], one.evaluate()
    other = build(config, corpus)
    assert ([other.step() for _ in range(5)], other.evaluate()) == first
    assert other.model.vocabulary_size == len(corpus.vocabulary)
    another = build(replace(config, training=replace(config.training, seed=4)), corpus)
    assert [another.step() for _ in range(5)] != first[0]


def test_a_device_that_is_not_there_is_told() -> None:
    assert resolve_device("cpu") == torch.device("cpu")
    assert resolve_device("auto").type in ("cpu", "cuda")
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="--device cpu"):
            resolve_device("cuda")
    with pytest.raises(UsageError, match="'tpu'"):
        resolve_device("tpu")  # type: ignore[arg-type]
