"""Training as a process lives it: the loop around the trainer's steps, and all that happens between two of them."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Protocol

import torch

from charrnn.engine.checkpoint_writer import CheckpointWriter, NoWriter, Snapshot
from charrnn.engine.restoring import require_step, said_of
from charrnn.engine.run_setup import corpus_in_memory, run_config
from charrnn.engine.run_state import RunState
from charrnn.engine.step_record import StepRecord
from charrnn.engine.trainer_messages import (
    Applied,
    Build,
    Built,
    CoolDown,
    Done,
    Finish,
    FromTrainer,
    Pause,
    Rate,
    Remark,
    SampleMade,
    Save,
    SavedAt,
    Stalled,
    ToTrainer,
    WentBack,
)
from charrnn.engine.weights import SharedWeights
from charrnn.model.language_model import count_parameters, summary
from charrnn.runs.checkpoint import require_vocabulary
from charrnn.runs.manifest import require_room
from charrnn.runs.metrics import record_interval
from charrnn.runs.saved import Saved
from charrnn.sampling.fitting import require_fit
from charrnn.sampling.stream import TextStream
from charrnn.text.stored import forget_pages
from charrnn.training.guard import Guard
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.schedule import Cooldown, asked_length
from charrnn.training.trainer import build as build_trainer

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


class TrainingLoop:
    """One run's training, from Build to Done.

    Where several ranks train together, each has such a loop, and all take the same turns: they get the same orders
    before the same steps, and count the same seconds. What goes to the outside, rank 0 alone does.
    """

    def __init__(self, link: Link, build: Build, weights: int, ids: int, ranks: Ranks = ALONE) -> None:
        self.link = link
        self.ranks = ranks
        self.config = run_config(build)
        torch.set_num_threads(self.config.training.threads)
        corpus = corpus_in_memory(build, ids)
        self.vocabulary = corpus.vocabulary
        self.ids = corpus.ids
        require_room(self.vocabulary.facts())
        if build.checkpoint is not None and ranks.rank == 0:
            checkpoint = Saved(Path(build.checkpoint), 0, None)
            require_vocabulary(checkpoint, self.vocabulary)
            require_fit(checkpoint, self.config.model, len(self.vocabulary))
        self.trainer = build_trainer(self.config, corpus, ranks)
        if self.trainer.in_shares:
            torch.set_num_threads(1)  # what is left for this thread is small, and waking others takes longer
        self.state = RunState(self.trainer, self.config.training, ranks)
        self.called_off = False
        self.cooled: Applied | None = None
        self.stuck = False
        if build.checkpoint is not None and build.recorded is not None:
            with said_of(build.checkpoint):
                self.called_off = self.state.restore(Path(build.checkpoint), build.recorded.training)
            require_step(build.checkpoint, self.trainer.steps_done)
            if "lr" in build.options:
                self.trainer.set_learning_rate(self.config.training.lr)
        model = self.trainer.evaluated_model
        self.shared = SharedWeights(weights, model.state_dict(keep_vars=True), create=True)
        self.shared.publish(self.trainer.steps_done)
        link.say(
            Built(
                config=self.config,
                parameters=count_parameters(self.trainer.model),
                summary=summary(self.config.model),
                device=self._where(),
                step=self.trainer.steps_done,
                learning_rate=self.trainer.stable_rate,
            )
        )

    def _where(self) -> str:
        training, processes = self.config.training, self.ranks.size
        place = f"cpu ×{training.threads}" if training.device == "cpu" else str(training.device)
        return place + (f", {processes} processes" if processes > 1 else "")

    def _written(self, snapshot: Snapshot, problem: str | None) -> None:
        self.link.say(SavedAt(snapshot.step, snapshot.asked, problem))
        if self.cooled is not None and snapshot.step == self.cooled.step and problem is None:
            self.link.say(self.cooled)
            self.cooled = None

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
            **self.vocabulary.facts(),
        }
        self.writer = CheckpointWriter(folder, facts, self._written) if self.ranks.rank == 0 else NoWriter()
        self.steps = StepRecord(self.trainer)
        self.guard = Guard(self.trainer)
        spoke = published = 0.0
        reason = "asked"
        if self.called_off:
            self.link.say(Applied("cooldown", 0, self.trainer.steps_done))
        self._progress()
        while not self.finish:
            self._obey()
            if self.finish:
                break
            ended = self._ended()
            if ended:
                reason = ended
                break
            self._plan()
            before = self.trainer.cooldown
            begun = time.perf_counter()
            self._step()
            self.state.seconds = self.link.clock(self.state.seconds + time.perf_counter() - begun)
            self._after_step(before)
            now = time.perf_counter()
            if now - published >= PUBLISH_EVERY:
                self.shared.publish(self.trainer.steps_done)
                published = now
            if now - spoke >= SPEAK_EVERY:
                self._progress()
                spoke = now
        self._end(reason)

    def _ended(self) -> str:
        trainer, cooling = self.trainer, self.trainer.cooldown is not None
        if self.state.held_out.exhausted and not cooling:
            return "patience"
        return self.state.ending.over(trainer.steps_done, self.state.seconds, cooling=cooling)

    def _plan(self) -> None:
        """Begins the last cool-down, if its time has come."""
        step = self.trainer.steps_done
        length = self.state.ending.cooldown(step, self.state.seconds)
        if length is not None:
            self.trainer.cool_down(length)
            self.link.say(Applied("last_cooldown", length, step))

    def _step(self) -> None:
        rate = self.trainer.learning_rate
        result = self.trainer.step()
        self.steps.add(result, rate)
        back = self.guard.watch(result)
        if back is not None:
            self.link.say(WentBack(back.step, back.to, back.rate, back.exploded, back.stuck))
            self.writer.put(self.state.snapshot(asked=False))
            if back.stuck:
                self.stuck = True
                self._pause(True)

    def _after_step(self, cooldown: Cooldown | None) -> None:
        """All that is done between steps; `cooldown` is what the step belonged to."""
        step = self.trainer.steps_done
        training = self.config.training
        cooled = cooldown is not None and step == cooldown.end and not self.state.ending.last
        val_loss = None
        if training.evaluate_every and (cooled or step % training.evaluate_every == 0):
            val_loss = self._evaluate()
        if step % record_interval(step) == 0 or val_loss is not None:
            self._record(val_loss)
        if training.sample_every and step % training.sample_every == 0 and self.ranks.rank == 0:
            self._sample()
        if cooled and cooldown is not None:
            self._wait_cooled(cooldown.length)

    def _wait_cooled(self, length: int) -> None:
        """A cool-down that was asked for is done: it is saved and told, and training waits."""
        self.cooled = Applied("cooled", length, self.trainer.steps_done)
        self.writer.put(self.state.snapshot(asked=False), "cooled")
        self._pause(True)

    def _evaluate(self) -> float | None:
        held_out, step = self.state.held_out, self.trainer.steps_done
        val_loss = self.trainer.evaluate()
        if held_out.take(step, val_loss):
            self.writer.put(self.state.snapshot(asked=False), "best")
        elif held_out.worth_telling and not self.config.training.patience:
            self.link.say(Stalled(step, held_out.since_best, held_out.best, held_out.best_step))
        return val_loss

    def _record(self, val_loss: float | None) -> None:
        skipped = self.steps.point(self.state.seconds, val_loss)
        if skipped is not None:
            self.link.say(skipped)

    def _sample(self) -> None:
        """The lecture's habit: a sample every so many steps, from the prime, with a generator of its own."""
        stream_config, model = self.config.stream, self.trainer.evaluated_model
        training = model.training
        stream = TextStream(
            model,
            self.vocabulary,
            prime=stream_config.prime,
            seed=stream_config.seed + self.trainer.steps_done,
            knobs=stream_config.knobs,
        )
        text = stream.prime + stream.take(SAMPLE_CHARACTERS)
        model.train(training)  # the stream has put it into evaluation mode, where dropout does nothing
        self.link.say(SampleMade(self.trainer.steps_done, text))

    def _progress(self) -> None:
        forget_pages(self.ids)
        recorded = self.steps.take()
        if recorded is not None:
            self.link.say(recorded)
        self.link.say(self.state.progress(self.steps.rate(), stuck=self.stuck))

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
                case CoolDown(on, steps):
                    self._cool_down(on, steps)
                case Pause(paused):
                    self._pause(paused)
                case Save():
                    self.writer.put(self.state.snapshot(asked=True))
                case Finish():
                    self.finish = True
                    return

    def _pause(self, paused: bool) -> None:
        step = self.trainer.steps_done
        self.paused = paused
        self.stuck = self.stuck and paused
        self.steps.rest()
        self.link.say(Applied("pause", paused, step))
        if paused:
            self.shared.publish(step)
        self._progress()

    def _cool_down(self, on: bool, steps: int | None) -> None:
        """Begins a cool-down, or calls the one that is on off; not the last, for that is how the run ends."""
        trainer, training = self.trainer, self.config.training
        step, running = trainer.steps_done, trainer.cooldown
        if running is not None and self.state.ending.last:
            words = f"This is the last cool-down: the run ends with it, at step {running.end:,}"
            self.link.say(Remark("info", f"{words}; opened again with more --steps or --minutes it goes on."))
        elif on and running is None:
            length = steps or asked_length(step, training.cooldown)
            if training.steps is not None:
                length = max(1, min(length, training.steps - step))
            self.writer.put(self.state.snapshot(asked=False))
            trainer.cool_down(length)
            self.link.say(Applied("cooldown", length, step))
        elif not on and running is not None:
            trainer.end_cooldown()
            self.link.say(Applied("cooldown", 0, step))
        self._progress()

    def _end(self, reason: str) -> None:
        step = self.trainer.steps_done
        val_loss = None
        held_out = self.state.held_out
        if reason != "asked" and step and self.config.training.evaluate_every and held_out.at(step) is None:
            val_loss = self._evaluate()
        if self.steps.has_new_losses or val_loss is not None:
            self._record(val_loss)
        self.shared.publish(step)
        self._progress()
        self.writer.put(self.state.snapshot(asked=False))
        self.writer.close()
        self.link.say(Done(reason, step, held_out.best, held_out.best_step))
