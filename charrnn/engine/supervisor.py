"""The engine's side of training: begins a run, follows its trainer, tells the engine. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

from msgspec import structs

from charrnn.config import UsageError
from charrnn.engine import builds, notices, resuming
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.board import Board
from charrnn.engine.death import Death, death_of, memory_kills, where
from charrnn.engine.following import Follower
from charrnn.engine.keeper import Keeper
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import ModelInfo, Notice, RunRequest, Welcome
from charrnn.engine.opening import STDIN_COPY, Opened, begin_run
from charrnn.engine.trainer_link import TrainerLink
from charrnn.engine.trainer_watch import Limits, Restarts, TrainerWatch
from charrnn.runs import directory
from charrnn.runs.recovery import resume_point
from charrnn.runs.room import require_room
from charrnn.runs.saved import Saved
from charrnn.runs.trainer_lock import TrainerLock
from charrnn.text.corpus import Corpus
from charrnn.torchrun import seat


class Supervisor:
    """One run's training: its trainer, and another one when that dies, from the newest checkpoint.

    `weights` is the shared memory that trainers publish into. `began` is called once the model stands and the run has
    its folder. Everything else goes on the board. `attended`: there may be somebody who starts it again by a key.
    """

    def __init__(
        self,
        board: Board,
        opened: Opened,
        request: RunRequest,
        corpus: Corpus,
        began: Callable[[ModelInfo], None],
        *,
        limits: Limits,
        attended: bool,
    ) -> None:
        self._board, self._opened, self._request, self._corpus, self._began = board, opened, request, corpus, began
        self._limits, self._attended = limits, attended
        self._restarts = Restarts(limits)
        self._keeper = Keeper(board, self.send, self._made_again)
        self._record = self._keeper.record
        self._follower = Follower(board, self._keeper, corpus.positions)
        self._watching = asyncio.create_task(self._keeper.watch())
        self._link: TrainerLink | None = None
        self._watch: TrainerWatch | None = None
        self._folder: directory.RunFolder | None = None
        self._lock: TrainerLock | None = None
        self._first: trainer.Build | None = None
        self._built: trainer.Built | None = None
        self._wished_rate: float | None = None
        self._refused = ""
        self._keeping: asyncio.Task[None] | None = None
        self._saver: asyncio.Task[None] | None = None
        self.weights = open_memory()

    def send(self, message: trainer.ToTrainer) -> None:
        """Gives the trainer an order; one that is only starting again hears how things stand once it has started."""
        if self._board.status.state == "restarting":
            match message:
                case trainer.Pause(paused):
                    self._follower.paused = paused
                    return
                case trainer.Rate(rate):
                    self._wished_rate = rate
                    self._board.set_status(learning_rate=rate, hurry=True)
                    return
        if self._link is not None and self._watch is not None:
            self._link.send(message)
            self._watch.asked()
            if isinstance(message, trainer.Finish):
                self._link.wake()

    @property
    def folder(self) -> directory.RunFolder:
        """The run's folder, once it has one: since `began`."""
        assert self._keeper.folder is not None
        return self._keeper.folder

    def log(self, words: str) -> None:
        """A line for engine.log."""
        self._record.log(words)

    async def run(self) -> None:
        """Lives until training is done, or was stopped, or has failed too often; then it may be called again.

        Raises UsageError if the run could not begin.
        """
        if self._first is None:
            corpus = self._corpus
            self._record.log(f"corpus {corpus.name}: {corpus.characters:,} characters, {corpus.note}")
            if corpus.warning:
                self._record.log(corpus.warning)
            self._first = build = await self._open()
        else:
            self._restarts.forget()
            self._follower.paused = False
            build = self._next(self._first, await self._newest())
        try:
            while (death := await self._live(build)) is not None:
                checkpoint = None
                if self._folder is not None:
                    self._trainer_trouble(notices.sentence(death.words))  # before a look at the checkpoints takes time
                    try:
                        checkpoint = await self._newest()
                    except UsageError as error:
                        death = Death(f"{death.words}; {error}".rstrip("."), again=False)
                if not self._goes_on(death, checkpoint):
                    return
                build = self._next(self._first, checkpoint)
        finally:
            if self._saver is not None:
                self._saver.cancel()
                self._saver = None
            if self._keeping is not None:
                await self._keeping

    async def _live(self, build: trainer.Build) -> Death | None:
        """One trainer's life; how it died, None if it ended in order."""
        if self._board.status.state == "stopping":
            return None
        corpus, before = self._corpus, memory_kills()
        ids = open_memory(corpus.ids.data.cast("B")) if corpus.descriptor is None else os.dup(corpus.descriptor)
        try:
            self._link = link = await TrainerLink.start(self.weights, ids, self._record.log)
        finally:
            os.close(ids)
        self._watch = watch = TrainerWatch(
            link.process,
            self._limits,
            tell=self._trainer_trouble,
            busy=lambda: self._board.status.state != "paused",
            where=lambda: where(link.last_words),
        )
        self._refused = ""
        watching = asyncio.create_task(watch.watch())
        link.send(trainer.Finish() if self._board.status.state == "stopping" else build)
        try:
            async for message in link:
                watch.heard()
                self._follow(message)
        except BaseException:
            link.process.terminate()
            link.wake()
            raise
        finally:
            self._link = self._watch = None
            status = await link.ended()
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        if self._follower.done is not None or (status == 0 and self._board.status.state == "stopping"):
            return None
        if self._refused:
            return Death(self._refused, again=False)
        if watch.hung:
            return Death(watch.hung)
        batch = self._built.config.training.batch if self._built else None
        return death_of(status, link.last_words, batch, before, memory_kills())

    def _goes_on(self, death: Death, checkpoint: Saved | None) -> bool:
        """Tells what has happened; whether another trainer is to be started. Raises UsageError if none ever began."""
        board, step = self._board, self._board.status.step
        self._record.log(f"{death.words}; after step {step:,}")
        if self._folder is None:
            raise UsageError(f"The run could not begin: {death.words}.")
        if self._keeper.folder is None:
            self._record.open(self._opened.place)
        start = checkpoint.step if checkpoint else 0
        # Under torchrun the other ranks have lost this one, and torchrun starts all of them again.
        if board.status.state != "stopping" and death.again and seat().size == 1 and self._restarts.take():
            notice = notices.of_restart(death, step, start)
            self._record.event("restart", death.what, start)
            board.set_status(state="restarting", characters_per_second=0.0)
            self._trainer_trouble(notice.text)
            board.announce(notice)
            return True
        notice = notices.of_failure(death, step, start, self._limits.restarts, self._opened.place, self._attended)
        board.set_status(state="failed", characters_per_second=0.0)
        self._trainer_trouble(notice.text if self._attended else None)
        board.announce(notice)
        return False

    def _trainer_trouble(self, words: str | None) -> None:
        self._board.set_trouble("trainer", words)

    @property
    def problem(self) -> str | None:
        """What the disk did not take in the end, None if it took everything."""
        self._record.flush()
        return self._keeper.problem

    def close(self) -> None:
        self._watching.cancel()
        self._keeper.close()
        if self._lock is not None:
            self._lock.close()
        if self._folder is not None and self._keeper.folder is None:
            self._folder.close()

    async def _open(self) -> trainer.Build:
        """Takes a run that exists; either way, what the first trainer is to build."""
        place, checkpoint = self._opened.place, None
        if self._opened.recorded is not None and self._opened.replayed is None:
            self._folder = directory.RunFolder.open(place)
            self._lock = await builds.trainer_lock(place, self._trainer_trouble)
            checkpoint = await self._newest()
            self._board.add_points(builds.recorded_points(place, checkpoint))
            self._follower.marks.load(place, checkpoint.step if checkpoint else 0)
        changes = resuming.changes_to_come(self._opened, checkpoint)
        return builds.first_build(self._opened, self._request, self._corpus, checkpoint, changes)

    def _next(self, first: trainer.Build, checkpoint: Saved | None) -> trainer.Build:
        """What a trainer after the first is to build."""
        changes = resuming.changes_to_come(self._opened, checkpoint, begun=self._built is not None)
        return builds.next_build(first, self._built, checkpoint, changes)

    async def _newest(self) -> Saved | None:
        """The newest checkpoint that is whole; damaged ones are set aside, and that is said. Raises UsageError."""
        found = await asyncio.to_thread(resume_point, self._opened.place)
        for words in found.remarks:
            self._record.log(words)
            self._board.announce(Notice("warning", words))
        return found.checkpoint

    def _follow(self, message: trainer.FromTrainer) -> None:
        match message:
            case trainer.Built():
                self._begin(message)
            case trainer.CannotBuild(text):
                if self._built is None:
                    raise UsageError(text)
                self._refused = text.rstrip(".")
            case _:
                self._follower.hear(message, self._opened.place)

    def _begin(self, built: trainer.Built) -> None:
        """A trainer stands ready. The first one's is the first moment at which anything is written: the folder."""
        if self._board.status.state == "stopping":
            return
        first = self._built is None
        if first:
            built = self._create(built)
            self._follower.paused = self._opened.recorded is not None and not self._request.train
        self._built = built
        self._record.event("begin", built.device, built.step)
        self._board.set_status(
            state="paused" if self._follower.paused else "training",
            step=built.step,
            learning_rate=built.learning_rate,
            steps_target=self._opened.replayed.until if self._opened.replayed else built.config.training.steps,
        )
        if first:
            info = ModelInfo(built.summary, built.parameters, built.device, built.config)
            self._board.announce(info, standing=True)
            if built.config.reason and built.step == 0:
                self._board.announce(Notice("info", f"auto picked {built.config.reason}."))
            resuming.tell_corpus(self._opened.recorded, self._corpus, built.step, self._record, self._board)
            self._began(info)
        assert self._lock is not None
        assert self._link is not None
        self._lock.name_holder(self._link.process.pid)
        self._link.hand_over(self._lock.descriptor)
        self.send(trainer.Proceed(str(self._opened.place), self._follower.paused, self._keeper.identity))
        if self._saver is None:
            self._saver = asyncio.create_task(self._save_every(built.config.training.save_every))
        if not first:
            self._trainer_trouble(None)
            self._board.announce(Notice("info", f"Training goes on from step {built.step:,}."))
            if self._wished_rate is not None:
                self.send(trainer.Rate(self._wished_rate))
            self._wished_rate = None

    def _create(self, built: trainer.Built) -> trainer.Built:
        """The run's folder, or its settings as they are now; what was built, under these settings.

        Raises UsageError where the disk has no room for the run.
        """
        place, config, text = self._opened.place, built.config, self._request.stdin_file
        beside = 0 if text is None else os.path.getsize(text)
        warning = require_room(place, built.checkpoint_bytes, beside, new=self._folder is None)
        if warning:
            self._board.announce(Notice("warning", warning))
        if self._folder is None:
            self._folder, self._opened, config = begin_run(self._opened, self._request.run, config)
            if self._opened.place != place:
                place = self._opened.place
                self._board.announce(Welcome(place.name, str(place)), standing=True)
            self._lock = TrainerLock.take(place)
            self._keep_text()
        else:
            self._folder.replace_config(config)
        saved = built.step if self._first is not None and self._first.checkpoint is not None else None
        self._keeper.begin(self._folder, config, built.checkpoint_bytes, saved)
        return structs.replace(built, config=config)

    def _made_again(self) -> None:
        """The run's folder had gone and is there again, without what was in it."""
        with contextlib.suppress(OSError):
            lock = TrainerLock.take(self._opened.place)
            if lock is not None and self._lock is not None:
                self._lock.close()
                self._lock = lock
        self._keep_text()

    def _keep_text(self) -> None:
        """What came by a pipe cannot be read again: the run keeps it."""
        if self._request.stdin_file is not None:
            copying = self._copy_text(self._request.stdin_file, self._opened.place / STDIN_COPY)
            self._keeping = asyncio.create_task(copying)

    async def _copy_text(self, piped: str, place: Path) -> None:
        new = place.with_suffix(".new")
        try:
            await asyncio.to_thread(shutil.copyfile, piped, new)
            new.replace(place)
        except OSError as error:
            words = f"The text could not be kept with the run: {error.strerror}; the run may not open again."
            self._record.log(words)
            self._board.announce(Notice("error", words))

    async def _save_every(self, seconds: float) -> None:
        while seconds:
            await asyncio.sleep(seconds)
            while self._board.status.state != "training":
                await asyncio.sleep(1)
            if self._keeper.problem is None:  # else the keeper sees to that
                self.send(trainer.Save())
