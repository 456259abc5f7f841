"""The engine: owns one run (its history, its trainer, its stream) and serves any number of clients. No torch here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import BinaryIO

from charrnn.config import UsageError
from charrnn.engine import reading
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.answering.subject import Subject
from charrnn.engine.baselines import MEASURED_AFTER, find_baselines
from charrnn.engine.board import Board
from charrnn.engine.connection import PATIENCE, Connection
from charrnn.engine.copied_curve import keep_curve
from charrnn.engine.corpus_desk import CorpusDesk
from charrnn.engine.listening import Complaints, Listener
from charrnn.engine.messages import (
    ClientMessage,
    Ended,
    ModelInfo,
    Notice,
    Refused,
    RunRequest,
    SetCooldown,
    SetLearningRate,
    SetPaused,
    Start,
    StopRun,
    Welcome,
    WriteCheckpoint,
)
from charrnn.engine.opening import open_request
from charrnn.engine.sampler import Model
from charrnn.engine.streaming import Streaming, fits
from charrnn.engine.supervisor import Supervisor
from charrnn.engine.trainer_watch import Limits
from charrnn.engine.watchers import LINGER, Watchers
from charrnn.text import cache
from charrnn.text.corpus import Corpus

TORCH_AFTER = 0.5
"""Seconds that the corpus may take before torch is loaded beside it: they would both compute under one lock."""
TOLD_WITHIN = 0.05
"""Seconds in which clients are told of the corpus before torch is loaded, which would keep the loop from it."""


class Engine:
    """One run. `run()` lives until the run was refused, stopped, or is done and nobody watches any more.

    What there is to tell stands on the `board`, which clients read at their own pace.
    """

    def __init__(
        self,
        *,
        linger: float = LINGER,
        baselines_after: float = MEASURED_AFTER,
        patience: float = PATIENCE,
        limits: Limits | None = None,
    ) -> None:
        self.board = Board()
        self.desk = CorpusDesk()
        self.subject = Subject(self.board)
        self.exit_status = 0
        self._linger, self._patience = linger, patience
        self._watchers = Watchers()
        self._baselines_after = baselines_after
        self._limits = limits or Limits()
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._request: asyncio.Future[RunRequest] = asyncio.get_running_loop().create_future()
        self._stop_asked = asyncio.Event()
        self._train_again = asyncio.Event()
        self._foreground = False
        self._supervisor: Supervisor | None = None
        self._corpus: Corpus | None = None
        self._piped: BinaryIO | None = None  # in use, so that the cache leaves it alone
        self._folder: Path | None = None
        self._begun = False
        self._complaints = Complaints()
        self._stream = Streaming(
            self.board,
            self.subject.stream,
            lambda: self._supervisor.folder if self._begun and self._supervisor else None,
        )

    # ---- what connections call --------------------------------------------------------------------------------

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
        """Takes a client in; serving it is a task of its own."""
        task = asyncio.create_task(Connection(self, reader, writer, self._patience).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def joined(self, connection: Connection) -> None:
        """A client said hello; the first one that wants text starts the sampler."""
        self._connections.add(connection)
        self.board.readers.add(connection)
        if connection.wants_stream:
            self._watchers.came(connection)
            self.board.set_status(watchers=len(self._watchers))
            asyncio.get_running_loop().call_later(TORCH_AFTER, self._start_stream)
            if self._corpus is not None:
                self._start_stream()
        connection.wake(hurry=True)

    def left(self, connection: Connection) -> None:
        """A client is gone. The run goes on without it, also one that is only about to begin."""
        self._connections.discard(connection)
        self.board.readers.discard(connection)
        self._watchers.went(connection)
        self.board.set_status(watchers=len(self._watchers))
        if not self._connections and not self._request.done():
            self._request.set_exception(UsageError("The client left before it asked for a run."))
            self.stop()

    def misheard(self, words: str) -> None:
        """A client was hung up on, for what it said or did not say."""
        line = self._complaints.line(words)
        if line and self._supervisor:
            self._supervisor.log(line)

    def dropped(self, connection: Connection) -> None:
        """A client has read nothing for so long that its connection is closed."""
        if self._supervisor:
            self._supervisor.log(f"a client that had read nothing for {self._patience:,.0f} s was dropped")

    def obey(self, message: ClientMessage) -> None:
        """Does what a client asked for, at once. What goes wrong with one wish is told, and ends nothing."""
        try:
            self._obey(message)
        except Exception as error:
            kind = type(message).__name__
            self.board.announce(Notice("error", f"The engine could not do what was asked ({kind}): {error!r}."))

    def _obey(self, message: ClientMessage) -> None:
        if self._stream.obey(message):
            return
        match message:
            case Start(request) if not self._request.done():
                self._request.set_result(request)
            case SetLearningRate(rate) if fits(self.board, lr=rate):
                self._to_trainer(trainer.Rate(rate), "its learning rate")
            case SetCooldown(on, steps) if steps is None or fits(self.board, steps=steps):
                self._to_trainer(trainer.CoolDown(on, steps), "a cool-down")
            case SetPaused(False) if self.board.status.state == "failed" and not self._foreground:
                self.board.set_status(state="restarting", hurry=True)
                self._train_again.set()
            case SetPaused(paused):
                self._to_trainer(trainer.Pause(paused), "pausing")
            case WriteCheckpoint():
                self._to_trainer(trainer.Save(), "a checkpoint")
            case StopRun():
                self.stop()
            case _:
                pass  # a second Hello or Start, or a value that does not fit, changes nothing

    def stop(self, status: int = 0) -> None:
        """Checkpoint, then end; `status` is for whoever waits in the foreground."""
        if not self._stop_asked.is_set():
            self.exit_status = status
            self._stop_asked.set()
            self.board.set_status(state="stopping", hurry=True)
            if self._supervisor:
                self._supervisor.send(trainer.Finish())

    def _start_stream(self) -> None:
        """Starts the stream if somebody watches."""
        if len(self._watchers) and not self._stop_asked.is_set():
            self._stream.start()

    # ---- the run ----------------------------------------------------------------------------------------------

    async def run(self, *, foreground: bool = False) -> None:
        """From the first client's request to the end; `exit_status` is then the process's.

        Once training is over it waits until nobody has watched for a while; in the foreground only if the request
        says for how long.
        """
        self._foreground = foreground
        try:
            request = await self._request
            if request.linger is not None:
                self._linger = request.linger * 60
            await self._open_and_train(request)
            while (not foreground or request.linger) and await self._wanted_again():
                assert self._supervisor is not None
                await self._supervisor.run()
            status = self.board.status
            if status.state == "failed":
                self.exit_status = self.exit_status or 1
            if self._begun:
                best = f", best held-out loss {status.best_val_loss:.3f}" if status.best_val_loss is not None else ""
                best += f" at step {status.best_step:,}" if best and status.best_step is not None else ""
                problem = self._supervisor.problem if self._supervisor else None
                self.exit_status = self.exit_status or (1 if problem else 0)
                kept = f", {'not all of them ' if status.state == 'failed' else ''}saved in {self._folder}"
                kept = f"; not all of it is on disk: {problem}" if problem else kept
                self.board.announce(Ended(f"{status.step:,} steps{best}{kept}", self.exit_status))
        except UsageError as error:
            self._stop_asked.set()
            self.exit_status = 2
            self.board.announce(Refused(str(error)))
        finally:
            self._stream.stop()
            await asyncio.gather(*(connection.finish() for connection in list(self._connections)))
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._stream.close()
            if self._supervisor:
                self._supervisor.close()
            await self._stream.join()
            if self._piped:
                Path(self._piped.name).unlink(missing_ok=True)
                self._piped.close()

    def _began(self, info: ModelInfo) -> None:
        """The model stands and the run has its folder: the stream may speak, and others may attach."""
        self._begun = True
        assert self._supervisor is not None
        assert self._corpus is not None
        self._folder = self.subject.folder = self._supervisor.folder.path
        model = Model(info.config.model, self._corpus.vocabulary, self._supervisor.weights)
        self._stream.use_model(model)
        self.subject.examiner.use_model(model)
        listener = Listener(self._supervisor.folder, self.board, self.connect)
        self._tasks.add(asyncio.create_task(listener.serve()))
        self._tasks.add(asyncio.create_task(self._tell_baselines()))
        self._tasks.add(asyncio.create_task(keep_curve(self.subject)))
        if not self._request.result().train:
            self._tasks.add(asyncio.create_task(self._end_if_only_looked_at()))

    async def _tell_baselines(self) -> None:
        """Has a loss's meaning found, but not while somebody still waits for the stream's first text."""
        assert self._corpus is not None
        assert self._folder is not None

        def ready() -> bool:
            return not self._stream.begun or self.board.status.sampler_ready

        found = await find_baselines(self._corpus, self._folder, ready, after=self._baselines_after)
        self.board.announce(found, standing=True)

    async def _open_and_train(self, request: RunRequest) -> None:
        if request.stdin_file is not None:
            self._piped = cache.use(Path(request.stdin_file))
        opened = open_request(request)
        self._folder = opened.place
        self.board.announce(Welcome(opened.place.name, str(opened.place)), standing=True)
        stream = opened.stream
        self.board.set_status(knobs=stream.knobs, pace=stream.pace, seed=stream.seed)
        corpus = await reading.read(opened, request, self.board, self._stop_asked)
        if corpus is None:
            return
        self._corpus = corpus
        asyncio.get_running_loop().call_later(TOLD_WITHIN, self._start_stream)
        self.desk.open(corpus)
        self.subject.corpus = corpus
        self._stream.use_corpus(corpus, stream)
        self._supervisor = Supervisor(
            self.board,
            opened,
            request,
            corpus,
            self._began,
            limits=self._limits,
            attended=not self._foreground,
        )
        if not self._stop_asked.is_set():
            await self._supervisor.run()

    async def _wanted_again(self) -> bool:
        """After training: True when somebody has a trainer that failed started again, False when it is time to end.

        That is when it is asked for, or nobody has watched for a while.
        """
        over = asyncio.ensure_future(self._watchers.gone_for(self._linger, self._stop_asked))
        again = asyncio.ensure_future(self._train_again.wait())
        await asyncio.wait((over, again), return_when=asyncio.FIRST_COMPLETED)
        for task in (over, again):
            task.cancel()
        if self._stop_asked.is_set() or not self._train_again.is_set():
            return False
        self._train_again.clear()
        return True

    async def _end_if_only_looked_at(self) -> None:
        """A run that was opened and never asked to train ends as one that is over does."""
        step = self.board.status.step
        await self._watchers.gone_for(self._linger, self._stop_asked)
        if self.board.status.step == step and self.board.status.state == "paused":
            self.stop()

    def _to_trainer(self, order: trainer.ToTrainer, what: str) -> None:
        state = self.board.status.state
        keeps = state == "restarting" and isinstance(order, trainer.Rate | trainer.Pause)
        if self._supervisor and (keeps or state in ("training", "paused")):
            self._supervisor.send(order)
        else:
            self.board.announce(Notice("info", f"Nothing is training ({state}), so {what} has nothing to act on."))
