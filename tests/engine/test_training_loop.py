"""The loop around the trainer, in this process: orders at the steps where a test wants them, and what it says."""

from __future__ import annotations

import itertools
import os
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from charrnn.config import CorpusConfig, RunConfig, UsageError
from charrnn.engine import training_loop
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import LossPoint
from charrnn.engine.trainer_messages import (
    Applied,
    Build,
    Built,
    CoolDown,
    Done,
    Finish,
    Pause,
    Place,
    Progress,
    Rate,
    Recorded,
    Remark,
    Save,
    SavedAt,
    Stalled,
    ToTrainer,
    WentBack,
)
from charrnn.engine.training_loop import TrainingLoop
from charrnn.runs.checkpoint import MODEL, STATE, load_tensors
from charrnn.runs.events import changes_of, read_events
from charrnn.runs.metrics import EVENTS, append
from charrnn.runs.saved import choose_checkpoint, list_checkpoints
from charrnn.text.vocabulary import Characters
from charrnn.training import guard
from charrnn.training.trainer import Trainer
from tests.engine.driving import SMALL


class KilledError(Exception):
    """Nobody says good-bye."""


class Told:
    """The engine's end of the link. `at` has the orders of each step; a loop that waits gets the next of `waiting`.

    After `dies_at` steps it is as if the trainer had been killed.
    """

    def __init__(self, at: dict[int, list[ToTrainer]], waiting: list[ToTrainer], dies_at: int | None = None) -> None:
        self._dies_at = dies_at
        self.orders: Any = self
        self._at, self._waiting = at, waiting
        self.trainer: Trainer | None = None
        self.loop: TrainingLoop | None = None
        self._saves = False
        self.words: list[Any] = []

    def get(self, *, block: bool) -> ToTrainer:
        assert self.trainer is not None
        if self.trainer.steps_done == self._dies_at:
            raise KilledError
        if orders := self._at.get(self.trainer.steps_done):
            self._saves = isinstance(orders[0], Save)
            return orders.pop(0)
        if self._saves and self.loop is not None:  # else the next state might take its place on the way to the disk
            self.loop.writer.wait()
            self._saves = False
        if block:
            return self._waiting.pop(0) if self._waiting else Finish()
        raise queue.Empty

    def say(self, message: Any) -> None:
        self.words.append(message)

    def clock(self, seconds: float) -> float:
        return seconds

    def of(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.words if isinstance(message, kind)]

    def events(self) -> list[tuple[str, Any, int]]:
        return [(message.event, message.value, message.step) for message in self.of(Applied)]

    def points(self) -> list[LossPoint]:
        return [point for message in self.of(Recorded) for point in message.points]

    def rates(self) -> dict[int, float]:
        return {point.step: point.learning_rate for point in self.points()}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)


class Runs:
    """One run's folder, in which training begins and goes on."""

    def __init__(self, folder: Path, text: str) -> None:
        self.folder = folder
        (folder / "checkpoints").mkdir(parents=True)
        self._text = text
        self.identity: tuple[int, int] | None = None
        self._recorded: RunConfig | None = None
        self.like: Runs | None = None

    def go(
        self,
        at: dict[int, list[ToTrainer]] | None = None,
        *waiting: ToTrainer,
        resume: str = "",
        dies_at: int | None = None,
        until: int | None = None,
        **options: Any,
    ) -> Told:
        """Trains; `resume` names the checkpoint to go on from. With `until` the record of `self.like` is replayed."""
        vocabulary = Characters.of_text(self._text)
        ids = vocabulary.encode(self._text)
        first = not resume and until is None
        checkpoint = choose_checkpoint(self.folder, resume) if resume else None
        step = checkpoint.step if checkpoint else 0
        append(self.folder / EVENTS, [{"event": "begin", "value": "cpu", "step": step}])
        record = self.like.folder if self.like else self.folder
        build = Build(
            options={**({**SMALL, "cell": "lstm"} if first else {}), **options},
            corpus=CorpusConfig(source="-", name="x", validation=float(options.get("validation", 0.1))),
            vocabulary=vocabulary.facts(),
            dtype=ids.dtype.name,
            ids=len(ids),
            held_out_at=round(len(ids) * 0.9),
            recorded=None if first else (self.like or self)._recorded,
            checkpoint=None if checkpoint is None else str(checkpoint.path),
            changes=[change for change in changes_of(read_events(record)) if change.step >= step],
            until=until,
        )
        told = Told(dict(at or {}), list(waiting), dies_at)
        weights = open_memory()
        try:
            loop = TrainingLoop(told, build, weights, open_memory(np.ascontiguousarray(ids).data.cast("B")))
        finally:
            os.close(weights)
        self._recorded = told.of(Built)[0].config
        self.loop = loop
        told.trainer, told.loop = loop.trainer, loop
        try:
            loop.train(self.folder, False, self.identity)
        except KilledError:
            loop.writer.close()
        append(self.folder / EVENTS, [{"event": e, "value": v, "step": s} for e, v, s in told.events()])
        return told

    def saved(self, which: str = "last") -> dict[str, torch.Tensor]:
        checkpoint = choose_checkpoint(self.folder, which)
        state = {name: t for name, t in load_tensors(checkpoint, STATE).items() if name != "run.seconds"}
        return {**state, **{f"model/{name}": t for name, t in load_tensors(checkpoint, MODEL).items()}}


@pytest.fixture
def runs(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "run", small_text)


@pytest.fixture
def others(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "other", small_text)


def equal(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    assert one.keys() == other.keys()
    return all(torch.equal(tensor, other[name]) for name, tensor in one.items())


class Clock:
    """Every look at it is a hundredth of a second after the one before."""

    def __init__(self) -> None:
        self._ticks = itertools.count()

    def perf_counter(self) -> float:
        return next(self._ticks) / 100


def test_the_last_quarter_of_the_steps_cools_down(runs: Runs) -> None:
    told = runs.go(steps=40, lr=0.01)
    assert told.events() == [("last_cooldown", 10, 30)]
    rates = told.rates()
    assert [rates[step] for step in (29, 30, 31, 32, 40)] == pytest.approx([0.01, 0.01, 0.01, 0.009, 0.001])
    assert told.of(Done)[0].reason == "steps"
    assert told.of(Done)[0].best_step == 40
    assert runs.go(steps=8, cooldown=0.0).events() == []


def test_minutes_become_steps_and_the_events_alone_make_the_same_run(
    runs: Runs, others: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_loop, "time", Clock())
    told = runs.go(minutes=1 / 60, cooldown=0.4)  # of a hundred steps
    ((event, length, step),) = told.events()
    end = told.of(Done)[0].step
    assert event == "last_cooldown"
    assert step == pytest.approx(60, abs=2)
    assert end == step + length
    assert 96 <= end <= 101
    assert told.of(Done)[0].reason == "minutes"
    replayed = others.go({step: [CoolDown(True, length)], end: [Finish()]})
    assert replayed.of(Done)[0].step == end
    weights = others.saved()
    assert all(torch.equal(t, weights[name]) for name, t in runs.saved().items() if name.startswith("model/"))


def test_a_cool_down_that_was_asked_for_is_saved_told_and_waited_after(runs: Runs) -> None:
    told = runs.go({10: [CoolDown(True, 20)], 40: [Finish()]}, Rate(0.004), Pause(False), lr=0.002)
    assert told.events() == [
        ("cooldown", 20, 10),
        ("pause", True, 30),
        ("cooled", 20, 30),
        ("learning_rate", 0.004, 30),
        ("pause", False, 30),
    ] or told.events() == [
        ("cooldown", 20, 10),
        ("pause", True, 30),
        ("learning_rate", 0.004, 30),
        ("pause", False, 30),
        ("cooled", 20, 30),
    ]  # the checkpoint is written in a thread
    rates = told.rates()
    assert [rates[step] for step in (10, 11, 30, 31)] == pytest.approx([0.002, 0.002, 0.0001, 0.004])
    assert [p.val_loss is not None for p in told.points() if p.step == 30] == [True]
    assert choose_checkpoint(runs.folder, "30").step == 30
    phases = [(p.phase, p.phase_step, p.phase_steps, p.current_rate) for p in told.of(Progress) if p.step == 10]
    assert ("cool-down", 0, 20, 0.002) in phases
    assert told.of(Done)[0].step == 40


def test_a_cool_down_that_was_asked_for_can_be_undone_from_what_was_saved_before_it(runs: Runs) -> None:
    runs.go({10: [CoolDown(True, 20)], 40: [Finish()]}, Pause(False))
    assert [c.step for c in list_checkpoints(runs.folder)] == [10, 30, 40]


def test_a_cool_down_can_be_called_off_and_its_length_follows_the_steps_done(runs: Runs) -> None:
    told = runs.go({20: [CoolDown(True)], 25: [CoolDown(True), CoolDown(False)], 30: [CoolDown(False), Finish()]})
    assert told.events() == [("cooldown", 100, 20), ("cooldown", 0, 25)]
    rates = told.rates()
    assert rates[25] < rates[20] == rates[26] == rates[30]


def test_the_last_cool_down_takes_over_from_another_and_is_not_called_off(runs: Runs) -> None:
    told = runs.go({10: [CoolDown(True, 1000)], 32: [CoolDown(False)]}, steps=40, lr=0.01)
    assert told.events() == [("cooldown", 30, 10), ("last_cooldown", 10, 30)]
    assert "ends with it, at step 40" in told.of(Remark)[0].text
    rates = told.rates()
    assert [rates[step] for step in (10, 21, 30, 40)] == pytest.approx([0.01, 0.01 * 20 / 30, 0.01 * 11 / 30, 1 / 3000])


@pytest.mark.parametrize("stopped", [4, 33], ids=["in the warm-up", "in the cool-down"])
def test_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(runs: Runs, others: Runs, stopped: int) -> None:
    settings = {"steps": 40, "warmup": 8, "average": 0.9, "dropout": 0.2, "cooldown": 0.25}
    whole = runs.go(**settings)
    first = others.go({stopped: [Finish()]}, **settings)
    assert first.of(Done)[0].step == stopped
    second = others.go(resume="last")
    assert equal(runs.saved(), others.saved())
    assert {**first.rates(), **second.rates()} == whole.rates()
    assert "raw/output.weight" in others.saved()
    assert not torch.equal(others.saved()["raw/output.weight"], others.saved()["model/output.weight"])


def test_a_run_that_shall_end_later_calls_its_last_cool_down_off(runs: Runs) -> None:
    runs.go(steps=40, lr=0.01)
    told = runs.go(resume="last", steps=80)
    assert told.events() == [("cooldown", 0, 40), ("last_cooldown", 20, 60)]
    assert told.rates()[60] == 0.01
    assert told.rates()[80] == pytest.approx(0.0005)
    assert runs.go(resume="last").of(Done)[0].step == 80  # nothing new was asked for: it is done at once


def test_patience_ends_a_run_whose_loss_no_longer_falls_and_it_goes_on_when_it_is_wanted_to(runs: Runs) -> None:
    told = runs.go(lr=1e-12, evaluate_every=5, patience=2)
    done = told.of(Done)[0]
    assert done.reason == "patience"
    assert done.step == done.best_step + 10
    assert not told.of(Stalled)
    again = runs.go(resume="last").of(Done)[0]
    assert again.reason == "patience"
    assert again.step == done.step + 10


def test_without_patience_it_is_told_that_the_loss_no_longer_falls(runs: Runs) -> None:
    told = runs.go({25: [Finish()]}, lr=1e-12, evaluate_every=1)
    first = told.of(Stalled)[0]
    assert first.evaluations == 10
    assert first.step == first.best_step + 10


def test_patience_without_evaluations_is_refused(runs: Runs) -> None:
    with pytest.raises(UsageError, match="--patience"):
        runs.go(patience=3, evaluate_every=0)
    runs.go({3: [Finish()]}, evaluate_every=0)
    with pytest.raises(UsageError, match="--patience"):
        runs.go(resume="last", patience=3)


def test_a_run_that_diverges_goes_back_and_in_the_end_waits(runs: Runs) -> None:
    told = runs.go(lr=1e4, clip=0.0)
    returns = told.of(WentBack)
    assert [(back.to, back.rate, back.stuck) for back in returns] == [
        (0, 5e3, False),
        (0, 2.5e3, False),
        (0, 1250, True),
    ]
    assert told.events() == [("pause", True, returns[-1].step)]
    assert [p.phase for p in told.of(Progress)][-1] == "diverged"
    assert all(torch.isfinite(t).all() for name, t in runs.saved().items() if name.startswith("model/"))
    assert len(returns) == guard.PATIENCE


def test_after_a_decision_a_run_that_diverged_trains_on(runs: Runs) -> None:
    told = runs.go({5000: [Finish()]}, Rate(0.01), Pause(False), lr=1e4, clip=0.0, steps=250)
    assert told.of(Done)[0].reason == "steps"
    assert told.of(Progress)[-1].phase == ""
    assert told.points()[-1].train_loss < 3


def test_a_sample_leaves_dropout_switched_on(runs: Runs) -> None:
    runs.go({3: [Finish()]}, sample_every=2, dropout=0.3)
    assert runs.loop.trainer.model.training


def test_the_stream_gets_the_weights_that_are_evaluated(runs: Runs) -> None:
    for average in (0.0, 0.9):
        runs.go({3: [Finish()]}, average=average)
        published = runs.loop.shared._parameters
        shown = runs.loop.trainer.evaluated_model.state_dict(keep_vars=True).values()
        assert all(one is other for one, other in zip(published, shown, strict=True))
        assert (runs.loop.trainer.evaluated_model is runs.loop.trainer.model) == (average == 0)


def test_averaging_does_not_hide_how_many_numbers_are_learnt(tmp_path: Path, small_text: str) -> None:
    counts = [
        Runs(tmp_path / name, small_text).go(steps=1, average=average).of(Built)[0].parameters
        for name, average in (("plain", 0.0), ("averaged", 0.9))
    ]
    assert counts[0] == counts[1] > 0


def test_the_last_state_waits_for_the_disk_and_so_does_the_best_one(runs: Runs) -> None:
    """Here the disk refuses because the folder is not the run's."""
    found = runs.folder.stat()
    runs.identity = (found.st_dev, found.st_ino + 1)
    waiting = [Save(again=True), Rate(0.1), Place((found.st_dev, found.st_ino)), Save(again=True)]
    told = runs.go({12: [Rate(20.0)]}, *waiting, steps=40, evaluate_every=10, cooldown=0, average=0, clip=0)
    tried = [(saved.step, saved.problem) for saved in told.of(SavedAt)]
    assert [step for step, _ in tried][-3:] == [40, 40, 40]
    assert [problem is None for _, problem in tried][-3:] == [False, False, True]
    assert "another folder lies in its place" in tried[-2][1]
    assert told.of(Done)[0].step == choose_checkpoint(runs.folder, "last").step == 40
    best = told.of(Done)[0].best_step
    assert best is not None
    assert choose_checkpoint(runs.folder, "best").step == best < 40


def test_a_run_that_is_told_to_finish_does_not_wait_for_the_disk(runs: Runs) -> None:
    runs.identity = (0, 0)
    told = runs.go(steps=5, cooldown=0)
    assert [saved.problem is None for saved in told.of(SavedAt)] == [False]
    assert told.of(Done)[0].step == 5
