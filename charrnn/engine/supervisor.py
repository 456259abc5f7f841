"""The engine's side of training: begins a run, follows its trainer, tells the engine. No torch here."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from charrnn.config import CorpusConfig, UsageError
from charrnn.engine import notices, resuming
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.board import Board
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import LossPoint, ModelInfo, Notice, RunRequest, Sample
from charrnn.engine.opening import STDIN_COPY, Opened
from charrnn.engine.record import Record
from charrnn.engine.trainer_link import TrainerLink, in_words
from charrnn.presets import corpus_config
from charrnn.runs import directory
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from charrnn.text.corpus import Corpus

CHECKPOINT_EVERY = 60.0
PROGRESS_TOLD_EVERY = 0.5


class Supervisor:
    """One run's trainer, from its start to its end; `weights` is the shared memory that it publishes into.

    `began` is called once the model stands and the run has its folder. Everything else goes on the board.
    """

    def __init__(
        self, board: Board, opened: Opened, request: RunRequest, corpus: Corpus, began: Callable[[ModelInfo], None]
    ) -> None:
        self._board, self._opened, self._request, self._corpus, self._began = board, opened, request, corpus, began
        self._record = Record(self._disk_trouble)
        self._link: TrainerLink | None = None
        self._folder: directory.RunFolder | None = None
        self._done: trainer.Done | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.weights = open_memory()

    def send(self, message: trainer.ToTrainer) -> None:
        if self._link is not None:
            self._link.send(message)

    async def run(self) -> None:
        """Lives until the trainer's process has ended. Raises UsageError if the run could not begin."""
        corpus = self._corpus
        self._record.log(f"corpus {corpus.name}: {corpus.characters:,} characters, {corpus.note}")
        if corpus.warning:
            self._record.log(corpus.warning)
        ids = open_memory(corpus.ids.data.cast("B")) if corpus.descriptor is None else os.dup(corpus.descriptor)
        self._link = await TrainerLink.start(self.weights, ids, self._record.log)
        os.close(ids)
        self._link.send(self._build_message())
        saver = asyncio.create_task(self._save_now_and_then())
        try:
            async for message in self._link:
                self._follow(message)
        except BaseException:
            self._link.process.terminate()
            raise
        finally:
            saver.cancel()
            status = await self._link.ended()
            if self._keeping is not None:
                await self._keeping
        if self._done is None and not (status == 0 and self._folder is None):
            words = in_words(status, self._record.last_words())
            self._record.log(words)
            if self._folder is None:
                raise UsageError(f"The run could not begin: {words}.")
            self._board.set_status(state="failed", characters_per_second=0.0, hurry=True)
            place = self._opened.place
            self._board.announce(
                Notice("error", f"Training stopped: {words}. Its log is {place / 'engine.log'}; the stream goes on.")
            )

    def close(self) -> None:
        self._record.flush()
        if self._folder is not None:
            self._folder.close()

    def _build_message(self) -> trainer.Build:
        corpus, recorded, replayed = self._corpus, self._opened.recorded, self._opened.replayed
        config: CorpusConfig
        checkpoint = None
        if recorded is None:
            config = corpus_config(self._request.options, source=self._opened.source, name=self._opened.name)
        elif replayed is not None:
            config = recorded.corpus
        else:
            config = recorded.corpus
            self._folder = directory.RunFolder.open(self._opened.place)
            saved = list_checkpoints(self._opened.place)
            checkpoint = saved[-1] if saved else None
            until = checkpoint.step if checkpoint else 0
            lines = [line for line in read_metrics(self._opened.place) if line["step"] <= until]
            self._board.add_points([_point(line) for line in lines])
        return trainer.Build(
            options=self._request.options if replayed is None else {},
            corpus=replace(config, sha256=corpus.sha256),
            vocabulary=corpus.vocabulary.facts(),
            dtype=corpus.ids.dtype.name,
            ids=len(corpus.ids),
            held_out_at=corpus.held_out_at,
            recorded=recorded,
            checkpoint=str(checkpoint.path) if checkpoint else None,
            changes=resuming.changes_to_come(self._opened, checkpoint.step if checkpoint else 0),
            until=None if replayed is None else replayed.until,
        )

    def _follow(self, message: trainer.FromTrainer) -> None:
        board = self._board
        match message:
            case trainer.Built():
                self._begin(message)
            case trainer.CannotBuild(text):
                raise UsageError(text)
            case trainer.Resumed():
                resuming.tell(message, self._opened.place, self._record, board)
            case trainer.Progress():
                board.set_status(
                    step=message.step,
                    chars=message.chars,
                    seconds=message.seconds,
                    characters_per_second=message.rate,
                    passes=message.passes,
                    learning_rate=message.learning_rate,
                    current_rate=message.current_rate,
                    best_val_loss=message.best_val_loss,
                    best_step=message.best_step,
                    phase=message.phase,
                    phase_step=message.phase_step,
                    phase_steps=message.phase_steps,
                    hurry=message.phase != board.status.phase,
                )
            case trainer.Recorded(points):
                self._record.points(points)
                board.add_points(points)
            case trainer.Applied(event, value, step):
                self._record.event(event, value, step)
                if event == "pause" and board.status.state in ("training", "paused"):
                    rate = 0.0 if value else board.status.characters_per_second
                    board.set_status(state="paused" if value else "training", characters_per_second=rate, hurry=True)
                elif event == "learning_rate":
                    board.set_status(learning_rate=float(value), hurry=True)
                else:
                    board.announce(notices.of_cooldown(message, board.status))
            case trainer.SavedAt(step, asked, problem):
                self._saved(step, asked, problem)
            case trainer.SampleMade(step, text):
                board.announce(Sample(step, text))
            case trainer.Skipped(step, count):
                self._record.event("skipped", count, step)
                board.announce(notices.of_skipped(message))
            case trainer.WentBack(step, to, rate):
                notice = notices.of_return(message)
                self._record.log(notice.text)
                self._record.event("went_back", to, step)
                self._record.event("learning_rate", rate, step)
                board.set_status(learning_rate=rate, hurry=True)
                board.announce(notice)
            case trainer.Stalled():
                board.announce(notices.of_stall(message))
            case trainer.Remark(level, text):
                board.announce(Notice(level, text))
            case trainer.Done(reason, step, best, best_step):
                self._done = message
                self._record.event("end", reason, step)
                board.set_status(best_val_loss=best, best_step=best_step)
                if board.status.state != "stopping":
                    board.set_status(state="finished", characters_per_second=0.0, hurry=True)
                    board.announce(notices.of_end(message))

    def _begin(self, built: trainer.Built) -> None:
        """The first moment at which anything is written: the run's folder."""
        place = self._opened.place
        if self._folder is None:
            self._folder = directory.RunFolder.create(place, built.config)
            if self._request.stdin_file is not None:
                self._keeping = asyncio.create_task(self._keep_text(self._request.stdin_file, place / STDIN_COPY))
        else:
            self._folder.write_config(built.config)
        self._record.open(place)
        paused = self._opened.recorded is not None and not self._request.train
        self._record.event("begin", built.device, built.step)
        resuming.tell_corpus(self._opened.recorded, self._corpus, built.step, self._record, self._board)
        info = ModelInfo(built.summary, built.parameters, built.device, built.config)
        self._board.announce(info, standing=True)
        if built.config.reason and built.step == 0:
            self._board.announce(Notice("info", f"auto picked {built.config.reason}."))
        self._board.set_status(
            state="paused" if paused else "training",
            step=built.step,
            learning_rate=built.learning_rate,
            steps_target=self._opened.replayed.until if self._opened.replayed else built.config.training.steps,
        )
        self._began(info)
        self.send(trainer.Proceed(str(place), paused))

    async def _keep_text(self, piped: str, place: Path) -> None:
        """What came by a pipe cannot be read again: the run keeps it."""
        new = place.with_suffix(".new")
        try:
            await asyncio.to_thread(shutil.copyfile, piped, new)
            new.replace(place)
        except OSError as error:
            words = f"The text could not be kept with the run: {error.strerror}; the run may not open again."
            self._record.log(words)
            self._board.announce(Notice("error", words))

    def _saved(self, step: int, asked: bool, problem: str | None) -> None:
        if problem is not None:
            self._board.announce(Notice("error", f"The checkpoint could not be written: {problem}."))
        elif asked:
            self._record.event("checkpoint", True, step)
            self._board.announce(Notice("saved", f"Checkpoint written at step {step:,}."))

    async def _save_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_EVERY)
            if self._board.status.state == "training":
                self.send(trainer.Save())

    def _disk_trouble(self, words: str | None) -> None:
        level, text = (
            ("error", f"{words}; training goes on.") if words else ("info", "The disk takes the record again.")
        )
        self._board.announce(Notice(level, text[0].upper() + text[1:]))


def _point(line: dict[str, object]) -> LossPoint:
    def number(name: str) -> float | None:
        value = line.get(name)
        return float(value) if isinstance(value, int | float) else None

    return LossPoint(
        step=int(number("step") or 0),
        chars=int(number("chars") or 0),
        seconds=number("seconds") or 0.0,
        train_loss=number("train_loss"),
        val_loss=number("val_loss"),
        learning_rate=number("learning_rate") or 0.0,
        diverged=bool(line.get("diverged")),
        partial=bool(line.get("partial")),
    )
