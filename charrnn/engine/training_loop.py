"""Training as a process lives it: the loop around the trainer's steps, and all that happens between two of them."""

from __future__ import annotations

import os
import platform
import queue
import time
from collections import deque
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Protocol, cast, get_args

import numpy as np
import torch
from torch import Tensor

from charrnn.config import Device, RunConfig, UsageError
from charrnn.engine.checkpoint_writer import CheckpointWriter, NoWriter, Snapshot
from charrnn.engine.messages import LossPoint
from charrnn.engine.trainer_messages import (
    Applied,
    Build,
    Built,
    Done,
    Finish,
    FromTrainer,
    Pause,
    Progress,
    Rate,
    Recorded,
    SampleMade,
    Save,
    SavedAt,
    Skipped,
    ToTrainer,
)
from charrnn.engine.weights import SharedWeights
from charrnn.model.language_model import count_parameters, summary
from charrnn.presets import resolve
from charrnn.runs.checkpoint import MODEL, STATE, load_tensors
from charrnn.runs.metrics import record_interval
from charrnn.runs.saved import Saved
from charrnn.sampling.stream import TextStream
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.trainer import build as build_trainer
from charrnn.training.trainer import resolve_device

SPEAK_EVERY = 0.5
PUBLISH_EVERY = 0.25
SAMPLE_CHARACTERS = 200


class Orders(Protocol):
    """What the engine wants done. Raises queue.Empty where there is nothing and `block` is False."""

    def get(self, block: bool = True) -> ToTrainer: ...


class Link(Protocol):
    """How the loop hears and speaks."""

    @property
    def orders(self) -> Orders: ...

    def say(self, message: FromTrainer) -> None: ...

    def clock(self, seconds: float) -> float:
        """After every step: the seconds of training so far, as all ranks are to count them."""


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _device_named(wanted: str) -> Device:
    for name in get_args(Device):
        if name == wanted:
            return cast(Device, resolve_device(name).type)
    raise UsageError(f"There is no device {wanted!r}; give one of {', '.join(get_args(Device))}.")


def configured(build: Build, cores: int) -> RunConfig:
    """What is to be trained, with everything decided. Raises UsageError."""
    device = _device_named(str(build.options.get("device", "auto")))
    if build.recorded is None:
        config = resolve(build.options, corpus=build.corpus, characters=build.held_out_at, device=device, cores=cores)
    else:
        training = replace(build.recorded.training, device=device)
        changed = {k: v for k, v in build.options.items() if k in ("steps", "minutes", "threads", "lr")}
        config = replace(build.recorded, training=replace(training, **changed))  # type: ignore[arg-type]
    versions = {"python": platform.python_version(), "torch": str(torch.__version__), "charrnn": version("charrnn")}
    return replace(config, versions=versions)


class TrainingLoop:
    """One run's training, from Build to Done.

    Where several ranks train together, each has such a loop, and all take the same turns: they get the same orders
    before the same steps, and count the same seconds. What goes to the outside, rank 0 alone does.
    """

    def __init__(self, link: Link, build: Build, weights: int, ids: int, ranks: Ranks = ALONE) -> None:
        self.link = link
        self.ranks = ranks
        self.config = configured(build, cores())
        device = self.config.training.device
        torch.set_num_threads(self.config.training.threads)
        corpus = Corpus(
            name=build.corpus.name,
            place=build.corpus.source,
            ids=np.memmap(os.fdopen(ids, "rb"), dtype=build.dtype, mode="r", shape=(build.characters,)),
            vocabulary=Vocabulary(symbols=build.symbols, replacement=build.replacement),
            held_out_at=build.held_out_at,
            sha256=build.corpus.sha256,
            note="",
        )
        self.vocabulary = corpus.vocabulary
        self.trainer = build_trainer(self.config, corpus, ranks)
        self.seconds = 0.0
        self.best: float | None = None
        self.evaluated: tuple[int, float | None] = (-1, None)
        if build.checkpoint is not None:
            self._restore(Path(build.checkpoint))
            if "lr" in build.options:
                self.trainer.set_learning_rate(self.config.training.lr)
        model = self.trainer.model
        self.shared = SharedWeights(weights, model.state_dict(keep_vars=True), create=True)
        self.shared.publish(self.trainer.steps_done)
        threads = self.config.training.threads
        link.say(
            Built(
                config=self.config,
                parameters=count_parameters(model),
                summary=summary(self.config.model),
                device=(f"cpu ×{threads}" if device == "cpu" else device) + self._company(),
                step=self.trainer.steps_done,
                learning_rate=self.trainer.learning_rate,
            )
        )

    def _company(self) -> str:
        return f", {self.ranks.size} processes" if self.ranks.size > 1 else ""

    def _restore(self, path: Path) -> None:
        checkpoint = Saved(path, 0, None)
        self.trainer.model.load_state_dict(self.ranks.tensors_of_first(lambda: load_tensors(checkpoint, MODEL)))
        state = self.ranks.tensors_of_first(lambda: load_tensors(checkpoint, STATE))
        self.seconds = float(state.pop("run.seconds"))
        best = float(state.pop("run.best"))
        self.best = None if best == float("inf") else best
        self.trainer.load_state(state)

    def _snapshot(self, *, asked: bool) -> Snapshot:
        def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
            return {name: t.detach().to("cpu", copy=True) for name, t in tensors.items()}

        own = {
            "run.seconds": torch.tensor(self.seconds, dtype=torch.float64),
            "run.best": torch.tensor(float("inf") if self.best is None else self.best, dtype=torch.float64),
        }
        return Snapshot(
            self.trainer.steps_done,
            copied(self.trainer.model.state_dict()),
            {**copied(self.trainer.state()), **own},
            self.evaluated[1] if self.evaluated[0] == self.trainer.steps_done else None,
            asked,
        )

    def _written(self, snapshot: Snapshot, problem: str | None) -> None:
        self.link.say(SavedAt(snapshot.step, snapshot.asked, problem))

    def train(self, folder: Path, paused: bool) -> None:
        """The loop. Returns when it was told to finish or has done what was asked; the last state is on disk then."""
        self.folder = folder
        self.paused = paused
        self.finish = False
        facts = {
            "corpus_sha256": self.config.corpus.sha256,
            "versions": self.config.versions,
            "threads": self.config.training.threads,
            "processes": self.ranks.size,
            "symbols": self.vocabulary.symbols,
            "replacement": self.vocabulary.replacement,
        }
        self.writer = CheckpointWriter(folder, facts, self._written) if self.ranks.rank == 0 else NoWriter()
        self.pending: list[LossPoint] = []
        self.losses: list[float] = []
        self.mean_loss: float | None = None
        self.skipped = 0
        self.recent: deque[tuple[float, int]] = deque(maxlen=6)
        self.best_unsaved: Snapshot | None = None
        spoke = published = 0.0
        reason = "asked"
        self._progress()
        while not self.finish:
            self._obey()
            if self.finish:
                break
            ended = self._ended()
            if ended:
                reason = ended
                break
            begun = time.perf_counter()
            self._step()
            now = time.perf_counter()
            self.seconds = self.link.clock(self.seconds + now - begun)
            self._after_step()
            now = time.perf_counter()
            if now - published >= PUBLISH_EVERY:
                self.shared.publish(self.trainer.steps_done)
                published = now
            if now - spoke >= SPEAK_EVERY:
                self._progress()
                spoke = now
        self._end(reason)

    def _ended(self) -> str:
        training = self.config.training
        if training.steps is not None and self.trainer.steps_done >= training.steps:
            return "steps"
        if training.minutes is not None and self.seconds >= training.minutes * 60:
            return "minutes"
        return ""

    def _step(self) -> None:
        result = self.trainer.step()
        if result.finite:
            self.losses.append(result.loss)
        else:
            self.skipped += 1

    def _after_step(self) -> None:
        step = self.trainer.steps_done
        training = self.config.training
        val_loss = None
        if training.evaluate_every and step % training.evaluate_every == 0:
            val_loss = self._evaluate()
        if step % record_interval(step) == 0 or val_loss is not None:
            self._record(val_loss)
        if training.sample_every and step % training.sample_every == 0 and self.ranks.rank == 0:
            self._sample()
        if self.best_unsaved is not None and self.writer.idle:
            self.writer.put(self.best_unsaved)
            self.best_unsaved = None

    def _evaluate(self) -> float | None:
        val_loss = self.trainer.evaluate()
        self.evaluated = (self.trainer.steps_done, val_loss)
        if val_loss is not None and (self.best is None or val_loss < self.best):
            self.best = val_loss
            self.best_unsaved = self._snapshot(asked=False)
        return val_loss

    def _record(self, val_loss: float | None) -> None:
        losses = self.losses
        if losses:
            self.mean_loss = sum(losses) / len(losses)
        elif self.skipped:
            self.mean_loss = None  # else the step is recorded a second time, with its held-out loss
        point = LossPoint(
            step=self.trainer.steps_done,
            chars=self.trainer.chars_done,
            seconds=self.seconds,
            train_loss=self.mean_loss,
            val_loss=val_loss,
            learning_rate=self.trainer.learning_rate,
            diverged=self.mean_loss is None,
        )
        self.pending.append(point)
        self.losses = []
        if self.skipped:
            self.link.say(Skipped(point.step, self.skipped))
            self.skipped = 0

    def _sample(self) -> None:
        """The lecture's habit: a sample every so many steps, from the prime, with a generator of its own."""
        stream_config = self.config.stream
        stream = TextStream(
            self.trainer.model,
            self.vocabulary,
            prime=stream_config.prime,
            seed=stream_config.seed + self.trainer.steps_done,
            knobs=stream_config.knobs,
        )
        text = stream.prime + "".join(stream.next() for _ in range(200))
        self.link.say(SampleMade(self.trainer.steps_done, text))

    def _progress(self) -> None:
        if self.pending:
            self.link.say(Recorded(self.pending))
            self.pending = []
        now = time.perf_counter()
        self.recent.append((now, self.trainer.chars_done))
        (then, chars), rate = self.recent[0], 0.0
        if now > then:
            rate = (self.trainer.chars_done - chars) / (now - then)
        self.link.say(
            Progress(
                step=self.trainer.steps_done,
                chars=self.trainer.chars_done,
                seconds=self.seconds,
                rate=rate,
                passes=self.trainer.passes,
                learning_rate=self.trainer.learning_rate,
                best_val_loss=self.best,
            )
        )

    def _obey(self) -> None:
        while True:
            try:
                order = self.link.orders.get(block=self.paused)
            except queue.Empty:
                return
            step = self.trainer.steps_done
            match order:
                case Rate(rate):
                    self.trainer.set_learning_rate(rate)
                    self.link.say(Applied("learning_rate", rate, step))
                case Pause(paused):
                    self.paused = paused
                    self.recent.clear()
                    self.link.say(Applied("pause", paused, step))
                    if paused:
                        self.shared.publish(step)
                        self._progress()
                case Save():
                    self.writer.put(self._snapshot(asked=True))
                case Finish():
                    self.finish = True
                    return

    def _end(self, reason: str) -> None:
        step = self.trainer.steps_done
        val_loss = None
        if reason != "asked" and step and self.config.training.evaluate_every:
            val_loss = self._evaluate()
        if self.losses or val_loss is not None:
            self._record(val_loss)
        self.shared.publish(step)
        self._progress()
        if self.best_unsaved is not None and self.best_unsaved.step != step:
            self.writer.put(self.best_unsaved)
        self.writer.put(self._snapshot(asked=False))
        self.writer.close()
        self.link.say(Done(reason, step))
