"""Training as a process lives it: the loop around the trainer's steps, and all that happens between two of them."""

from __future__ import annotations

import queue
import time
from pathlib import Path
from typing import Protocol

import torch

from charrnn.engine.checkpoint_writer import CheckpointWriter, NoWriter, Snapshot
from charrnn.engine.circumstances import facts_of
from charrnn.engine.corpus_messages import MOST_PLACES
from charrnn.engine.course import Course
from charrnn.engine.last_save import save_until_saved
from charrnn.engine.milestone_writer import milestones_of
from charrnn.engine.restoring import require_step, said_of
from charrnn.engine.run_setup import corpus_in_memory, run_config
from charrnn.engine.run_state import RunState
from charrnn.engine.samples import sample_of
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
    Place,
    Rate,
    Remark,
    Save,
    SavedAt,
    Stalled,
    StreamsAt,
    ToTrainer,
    WentBack,
)
from charrnn.engine.weights import SharedWeights
from charrnn.model.language_model import count_parameters, summary
from charrnn.runs.checkpoint import require_vocabulary
from charrnn.runs.events import CHANGES, Change
from charrnn.runs.manifest import require_room
from charrnn.runs.metrics import record_interval
from charrnn.runs.saved import Saved
from charrnn.sampling.fitting import require_fit
from charrnn.text.stored import forget_pages
from charrnn.training.guard import Guard
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.room import checkpoint_bytes
from charrnn.training.schedule import Cooldown, asked_length
from charrnn.training.trainer import build as build_trainer
from charrnn.training.trainer import fits

SPEAK_EVERY = 0.5
PUBLISH_EVERY = 0.25
PLACES_EVERY = 1.0


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
        self.state = RunState(self.trainer, self.config, ranks)
        self.cooled: Applied | None = None
        self.stuck = False
        self.told_places = -PLACES_EVERY
        if build.checkpoint is not None and build.recorded is not None:
            with said_of(build.checkpoint):
                self.state.restore(Path(build.checkpoint), build.recorded.training)
            require_step(build.checkpoint, self.trainer.steps_done)
            if "lr" in build.options:
                self.trainer.set_learning_rate(self.config.training.lr)
        self.anew = self.state.goes_on and "lr" in build.options
        known, step = self.state.journal.changes, self.trainer.steps_done
        self.course = Course(build, known=known, step=step, replanned=self.state.replanned)
        self.steps = StepRecord(self.trainer)
        with fits():
            self.steps.load_state(self.state.parts.pop("steps", {}))
            self.guard = Guard(self.trainer, self.state.parts.pop("guard", None))
        model = self.trainer.evaluated_model
        self.shared = SharedWeights(weights, model.state_dict(keep_vars=True), create=True)
        self.shared.publish(self.trainer.steps_done)
        self.checkpoint_bytes = checkpoint_bytes(self.trainer)
        link.say(
            Built(
                config=self.config,
                parameters=count_parameters(self.trainer.model),
                summary=summary(self.config.model),
                device=self._where(),
                step=self.trainer.steps_done,
                learning_rate=self.trainer.stable_rate,
                checkpoint_bytes=self.checkpoint_bytes,
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

    def train(self, folder: Path, paused: bool, identity: tuple[int, int] | None = None) -> None:
        """The loop. Returns when it was told to finish or has done what was asked; the last state is on disk then."""
        self.folder = folder
        self.paused = paused
        self.finish = False
        facts = facts_of(self.config, self.ranks.size)
        written = {**facts, **self.vocabulary.facts()}
        first = self.ranks.rank == 0
        self.writer = CheckpointWriter(folder, written, self._written, identity) if first else NoWriter()
        self.milestones = milestones_of(self, identity)
        self.milestones.look(self.trainer, self.state.held_out.at(self.trainer.steps_done))
        self.went_back = False
        spoke = published = 0.0
        reason = "asked"
        if self.state.goes_on:
            self.link.say(self.state.resumed(facts, again=len(self.course)))
            if self.state.called_off:
                self._applied("cooldown", 0)
            if self.anew:
                self._applied("learning_rate", self.trainer.stable_rate)
        self._progress()
        while not self.finish:
            self.course.make(self.trainer, self.state.ending, self._made_again)
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

    def _applied(self, event: str, value: bool | int | float) -> None:
        """A live change takes effect before the next step: it is told, and saved with the run."""
        step = self.trainer.steps_done
        self.link.say(Applied(event, value, step))
        if event in CHANGES:
            self.state.journal.add(changes=[Change(event, float(value), step)])

    def _made_again(self, change: Change) -> None:
        """A change of the record was made; the record of a run that goes on has it already."""
        if self.course.replays:
            self.link.say(Applied(change.event, change.written, change.step))
        self.state.journal.add(changes=[change])

    def snapshot(self, *, asked: bool = False) -> Snapshot:
        return self.state.snapshot({"guard": self.guard.state(), "steps": self.steps.state()}, asked=asked)

    def _ended(self) -> str:
        if self.course.replays:
            return "steps" if self.course.over(self.trainer.steps_done) else ""
        trainer, cooling = self.trainer, self.trainer.cooldown is not None
        if self.state.held_out.exhausted and not cooling:
            return "patience"
        return self.state.ending.over(trainer.steps_done, self.state.seconds, cooling=cooling)

    def _plan(self) -> None:
        """Begins the last cool-down, if its time has come."""
        if self.course.replays:
            return
        length = self.state.ending.cooldown(self.trainer.steps_done, self.state.seconds)
        if length is not None:
            self.trainer.cool_down(length)
            self._applied("last_cooldown", length)

    def _step(self) -> None:
        rate = self.trainer.learning_rate
        result = self.trainer.step()
        self.steps.add(result, rate)
        back = self.guard.watch(result)
        if back is not None:
            self.link.say(WentBack(back.step, back.to, back.rate, back.exploded, back.stuck))
            self.went_back = True
            if back.stuck and not self.course.replays:
                self.stuck = True
                self._pause(True)

    def _after_step(self, cooldown: Cooldown | None) -> None:
        """All that is done between steps; `cooldown` is what the step belonged to."""
        step = self.trainer.steps_done
        training = self.config.training
        cooled = cooldown is not None and step == cooldown.end and not self.state.ending.last
        val_loss, best = None, False
        if training.evaluate_every and (cooled or step % training.evaluate_every == 0):
            val_loss, best = self._evaluate()
        if step % record_interval(step) == 0 or val_loss is not None:
            self._record(val_loss)
        self.milestones.look(self.trainer, self.state.held_out.at(step))
        if training.sample_every and step % training.sample_every == 0 and self.ranks.rank == 0:
            self.link.say(sample_of(self.trainer, self.vocabulary, self.config.stream))
        if best:
            self.writer.put(self.snapshot(), "best")
        elif self.went_back:
            self.writer.put(self.snapshot())
        self.went_back = False
        if cooled and cooldown is not None and not self.course.replays:
            self._wait_cooled(cooldown.length)

    def _wait_cooled(self, length: int) -> None:
        """A cool-down that was asked for is done: it is saved and told, and training waits."""
        self.cooled = Applied("cooled", length, self.trainer.steps_done)
        self.writer.put(self.snapshot(), "cooled")
        self._pause(True)

    def _evaluate(self) -> tuple[float | None, bool]:
        """The held-out loss, if it is a number, and whether it is the best so far."""
        held_out, step = self.state.held_out, self.trainer.steps_done
        best = held_out.take(step, self.trainer.evaluate())
        if not best and held_out.worth_telling and not self.config.training.patience:
            self.link.say(Stalled(step, held_out.since_best, held_out.best, held_out.best_step))
        return held_out.at(step), best

    def _record(self, val_loss: float | None, *, partial: bool = False) -> None:
        skipped = self.steps.point(self.state.seconds, val_loss, partial=partial)
        self.state.journal.add(self.steps.points[-1:])
        if skipped is not None:
            self.link.say(skipped)

    def _progress(self) -> None:
        forget_pages(self.ids)
        recorded = self.steps.take()
        if recorded is not None:
            self.link.say(recorded)
        self.link.say(self.state.progress(self.steps.rate(), stuck=self.stuck))
        self._tell_places()

    def _tell_places(self) -> None:
        """Where the streams read, at most once in `PLACES_EVERY` seconds."""
        places, now = self.trainer.places, time.perf_counter()
        if places is not None and now - self.told_places >= PLACES_EVERY:
            self.told_places = now
            some = places[:: -(-len(places) // MOST_PLACES)]
            self.link.say(StreamsAt(len(places), some.tolist()))

    def _obey(self) -> None:
        while True:
            try:
                order = self.link.orders.get(block=self.paused)
            except queue.Empty:
                return
            match order:
                case Rate() | CoolDown() if self.course.replays:
                    self.link.say(
                        Remark("info", "This run is made again from a record, so nothing else may change it.")
                    )
                case Rate(rate):
                    self.course.forget("learning_rate")
                    self.trainer.set_learning_rate(rate)
                    self._applied("learning_rate", rate)
                case CoolDown(on, steps):
                    self._cool_down(on, steps)
                case Pause(paused):
                    self._pause(paused)
                case Save(again):
                    self.writer.put(self.snapshot(asked=not again))
                case Place(identity):
                    self.writer.identity = self.milestones.identity = identity
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
            self.writer.put(self.snapshot())
            trainer.cool_down(length)
            self.course.forget("cooldown")
            self._applied("cooldown", length)
        elif not on and running is not None:
            trainer.end_cooldown()
            self.course.forget("cooldown")
            self._applied("cooldown", 0)
        self._progress()

    def _end(self, reason: str) -> None:
        step = self.trainer.steps_done
        held_out, training = self.state.held_out, self.config.training
        self.state.out_of_patience = reason == "patience"
        if reason == "asked":  # as if it had not ended: the next line of the record has these steps in it too
            last = self.snapshot()
            if self.steps.has_new_losses:
                self._record(None, partial=True)
        else:
            val_loss = None
            if step and training.evaluate_every and held_out.at(step) is None:
                val_loss, _ = self._evaluate()
            if self.steps.has_new_losses or val_loss is not None:
                self._record(val_loss)
            last = self.snapshot()
        self.shared.publish(step)
        self._progress()
        self.writer.put(last)
        if reason != "asked":
            save_until_saved(self)
        self.writer.close()
        self.milestones.close()
        self.link.say(Done(reason, step, held_out.best, held_out.best_step))
