"""A run that was cut and went on equals one that was not, bit for bit: also what stands around the trainer's steps."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from charrnn.config import UsageError
from charrnn.engine import training_loop
from charrnn.engine.circumstances import differences
from charrnn.engine.messages import LossPoint
from charrnn.engine.trainer_messages import (
    CoolDown,
    Done,
    Finish,
    Pause,
    Progress,
    Rate,
    Recorded,
    Remark,
    Resumed,
    Save,
    WentBack,
)
from charrnn.runs.checkpoint import load_tensors, save_checkpoint
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.saved import KEEP, choose_checkpoint, read_manifest
from charrnn.training import guard
from charrnn.training.trainer import Trainer
from tests.engine.test_training_loop import Runs, Told, equal, one_thread  # noqa: F401 - a fixture

CELLS: dict[str, dict[str, Any]] = {
    "lstm": {"layers": 2, "dropout": 0.2, "average": 0.9, "weight_decay": 0.1},
    "gru": {"noise": 0.1, "average": 0.9, "warmup": 20},
    "rnn": {"layers": 2, "dropout": 0.3, "sampling_of_text": "random"},
    "lstmcell": {"dropout": 0.1, "sampling_of_text": "line"},
    "mingru": {"layers": 2, "dropout": 0.2, "optimiser": "muon", "threads": 2, "hidden": 32},
}


@pytest.fixture
def runs(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "uncut", small_text)


@pytest.fixture
def others(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "cut", small_text)


def lines(*told: Told) -> dict[int, LossPoint]:
    """The loss points that count, by step, without their seconds; as the engine and `read_metrics` have it."""
    kept: list[LossPoint] = []
    for message in (message for one in told for message in one.words if isinstance(message, Recorded | Resumed)):
        written = [p.step for p in kept if not p.partial and p.step <= getattr(message, "step", math.inf)]
        for point in message.points:
            if isinstance(message, Resumed) and point.step <= max(written, default=0):
                continue
            while kept and (kept[-1].step >= point.step or kept[-1].partial):
                kept.pop()
            kept.append(point)
    return {p.step: LossPoint(p.step, p.chars, 0.0, p.train_loss, p.val_loss, p.learning_rate) for p in kept}


def save_again(runs: Runs, state: dict[str, torch.Tensor], **facts: Any) -> None:
    """Makes the last checkpoint one that was written in other circumstances."""
    last = choose_checkpoint(runs.folder, "last")
    manifest = read_manifest(last.path)
    facts = {**manifest.circumstances(), **manifest.vocabulary_facts(), **facts}
    facts.pop("format")
    model, state = load_tensors(last, MODEL), {**load_tensors(last, STATE), **state}
    save_checkpoint(runs.folder, step=last.step, model=model, state=state, val_loss=last.val_loss, facts=facts)


@pytest.mark.parametrize("cell", CELLS)
def test_a_run_that_is_killed_and_stopped_equals_one_that_is_not(
    runs: Runs, others: Runs, cell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "record_interval", lambda _: 7)
    settings = {"cell": cell, "steps": 90, "evaluate_every": 15, "cooldown": 0.2, **CELLS[cell]}
    changes: dict[int, list[Any]] = {25: [Rate(0.01)], 41: [CoolDown(True, 40)], 50: [CoolDown(False)]}
    whole = runs.go({step: list(orders) for step, orders in changes.items()}, **settings)
    parts = [others.go({25: [Rate(0.01)], 33: [Save()], 41: [CoolDown(True, 40)]}, dies_at=44, **settings)]
    (choose_checkpoint(others.folder, "33").path / KEEP).touch()
    parts += [
        others.go({52: [Finish()]}, resume="33"),
        others.go({50: [CoolDown(False)], 60: [Save()]}, resume="33", dies_at=75),
        others.go(resume="last"),
    ]
    assert [part.of(Resumed)[0].again for part in parts[1:3]] == [1, 1]
    assert equal(runs.saved(), others.saved())
    assert lines(*parts) == lines(whole)
    assert whole.of(Done) == parts[-1].of(Done)


def test_what_was_changed_after_the_last_checkpoint_is_changed_again_however_often_it_dies(
    runs: Runs, others: Runs
) -> None:
    whole = runs.go({30: [Rate(0.02)]}, steps=50)
    others.go({5: [Save()], 30: [Rate(0.02)]}, dies_at=32, steps=50, evaluate_every=0)
    for dies_at in (8, 20):
        assert others.go(resume="last", dies_at=dies_at).of(Resumed)[0].again == 1
    last = others.go(resume="last")
    assert last.rates()[31] == whole.rates()[31] == 0.02
    assert last.events() == whole.events()[1:]  # the rate is in the record already
    runs.go(evaluate_every=0, steps=50, resume="last")
    weights = others.saved()
    assert all(torch.equal(t, weights[name]) for name, t in runs.saved().items() if name.startswith("model/"))


def test_a_change_at_the_checkpoints_own_step_is_made_once_whichever_came_first(runs: Runs, others: Runs) -> None:
    runs.go({20: [Save(), Rate(0.02)]}, dies_at=22, steps=40, evaluate_every=0)
    others.go({20: [Rate(0.02), Save()]}, dies_at=22, steps=40, evaluate_every=0)
    assert [one.go(resume="last").of(Resumed)[0].again for one in (runs, others)] == [1, 0]
    assert equal(runs.saved(), others.saved())


def test_what_is_asked_for_now_takes_the_place_of_what_was_to_come(runs: Runs) -> None:
    lost = {20: [Rate(0.02)], 22: [CoolDown(True, 30)]}
    runs.go({5: [Save()], **lost}, dies_at=24, steps=40, lr=0.001, evaluate_every=0)
    told = runs.go({10: [Rate(0.005)], 22: [Finish()]}, resume="5")
    assert told.of(Resumed)[0].again == 2
    assert told.rates()[22] == 0.005
    told = runs.go({30: [Finish()]}, resume="5", lr=0.007, steps=80)
    assert told.of(Resumed)[0].settings["steps"] == [40, 80]
    assert ("learning_rate", 0.007, 5) in told.events()
    assert told.rates()[22] == 0.007
    assert told.rates()[24] < 0.007  # the cool-down was still wanted


def test_a_run_that_diverges_after_it_went_on_goes_back_to_the_same_state(
    runs: Runs, others: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guard, "EVERY", 10)
    step = Trainer.step

    def breaking(trainer: Trainer) -> Any:
        result = step(trainer)
        return replace(result, loss=math.nan, finite=False) if 34 <= trainer.steps_done < 40 else result

    monkeypatch.setattr(Trainer, "step", breaking)
    whole = runs.go(steps=60, average=0.9, dropout=0.2)
    others.go({36: [Finish()]}, steps=60, average=0.9, dropout=0.2)
    cut = others.go(resume="last")
    assert [(back.step, back.to) for back in whole.of(WentBack)] == [(38, 20)]
    assert cut.of(WentBack) == whole.of(WentBack)
    assert equal(runs.saved(), others.saved())


def test_a_cut_is_no_new_beginning_for_the_patience(runs: Runs, others: Runs) -> None:
    settings = {"lr": 1e-12, "evaluate_every": 5, "patience": 3}
    whole = runs.go(**settings).of(Done)[0]
    others.go({whole.step - 6: [Finish()]}, **settings)
    others.go({whole.step - 2: [Finish()]}, resume="last")
    assert others.go(resume="last").of(Done)[0] == whole


def test_the_line_of_a_stop_before_its_time_is_marked_and_not_lost(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_loop, "record_interval", lambda _: 10)
    told = runs.go({24: [Finish()]}, validation=0.0, evaluate_every=0)
    assert [(p.step, p.partial) for p in told.points()] == [(10, False), (20, False), (24, True)]
    again = runs.go({31: [Finish()]}, resume="last")
    assert [(p.step, p.partial) for p in again.points()] == [(30, False), (31, True)]
    assert again.points()[0].train_loss != pytest.approx(again.points()[1].train_loss)


def test_a_replay_makes_the_run_again_from_its_record_alone(runs: Runs, others: Runs) -> None:
    orders: dict[int, list[Any]] = {
        20: [Rate(0.02)],
        25: [CoolDown(True, 20)],
        46: [Pause(True)],
        50: [CoolDown(True, 99)],
    }
    first = runs.go(orders, Pause(False), Pause(False), steps=60, dropout=0.2)
    second = runs.go({70: [CoolDown(False)]}, resume="last", steps=80)
    assert "cooled" in [event for event, _, _ in first.events()]
    others.like = runs
    told = others.go({30: [Rate(0.5), CoolDown(False)]}, until=80)
    assert len(told.of(Remark)) == 2
    assert not told.of(Progress)[-1].phase
    changes = [e for e in (*first.events(), *second.events()) if e[0] not in ("pause", "cooled")]
    assert told.events() == changes
    assert told.of(Done)[0].step == 80
    made, weights = others.saved(), runs.saved()
    for name in weights:
        if name.startswith(("model/", "optimiser/", "random/", "batches/", "hidden/")):
            assert torch.equal(made[name], weights[name]), name


def test_a_run_that_goes_on_in_other_circumstances_says_so(runs: Runs) -> None:
    runs.go({6: [Finish()]}, dropout=0.3, threads=2)
    assert runs.go({9: [Finish()]}, resume="last").of(Resumed)[0].differs == ""
    assert runs.go({12: [Finish()]}, resume="last", threads=1).of(Resumed)[0].differs == "2 threads then, 1 thread now"
    assert runs.go({15: [Finish()]}, resume="last").of(Resumed)[0].differs == ""


def test_another_torch_other_kernels_and_another_device_are_named() -> None:
    then = {"versions": {"torch": "2.12", "kernels": "torch"}, "threads": 2, "processes": 1, "device": "cpu"}
    now = {"versions": {"torch": "2.13", "kernels": "native abc"}, "threads": 2, "processes": 4, "device": "cpu"}
    assert differences(then, then) == ""
    words = (
        "1 process then, 4 processes now; torch 2.12 then, torch 2.13 now; kernels torch then, kernels native abc now"
    )
    assert differences(then, now) == words
    assert differences(then, {**now, "device": "cuda"}) == "cpu then, cuda now"
    assert differences({}, now) == ""  # an older manifest


def test_a_checkpoint_of_a_gpu_goes_on_here_with_dropout_of_its_own(runs: Runs) -> None:
    """Its generator's state is of no use here; everything else is on the CPU already."""
    runs.go({9: [Finish()]}, dropout=0.3)
    save_again(runs, {"random/cuda": torch.zeros(16, dtype=torch.uint8)}, device="cuda")
    told = runs.go({20: [Finish()]}, resume="last")
    assert told.of(Resumed)[0].differs == "cuda then, cpu now"
    assert "random/cuda" not in runs.saved()
    assert told.of(Done)[0].step == 20


def test_a_checkpoint_that_does_not_fit_is_refused_before_it_trains(runs: Runs) -> None:
    runs.go({6: [Finish()]})
    for name, tensor in (("guard/counts", torch.zeros(2)), ("run.journal", torch.zeros(3, dtype=torch.uint8))):
        save_again(runs, {name: tensor})
        with pytest.raises(UsageError, match="open another checkpoint"):
            runs.go(resume="last")


def test_another_text_begins_at_its_beginning_and_no_old_loss_counts(runs: Runs) -> None:
    runs.go({30: [Finish()]}, lr=1e-12, evaluate_every=10)
    save_again(runs, {"run.best": torch.tensor(0.5, dtype=torch.float64)}, corpus_sha256="of another one")
    told = runs.go({41: [Finish()]}, resume="last")
    assert told.of(Done)[0].best_step == 40
    assert 10 * 64 / 18_000 < runs.loop.trainer.passes < 12 * 64 / 18_000


def test_a_held_out_loss_that_is_no_number_is_not_written_down(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "evaluate", lambda _: math.nan)
    told = runs.go({6: [Finish()]}, evaluate_every=2)
    assert all(point.val_loss is None for point in told.points())
    assert told.of(Done)[0].best is None
