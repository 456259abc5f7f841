"""The engine: owns one run (its history, its trainer, its stream) and serves any number of clients. No torch here.

The sampler's thread imports torch; the loop answers clients meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import struct
import sys
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from charrnn.config import ModelConfig, UsageError
from charrnn.engine import reading
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.baselines import MEASURED_AFTER, find_baselines
from charrnn.engine.board import Board
from charrnn.engine.connection import PATIENCE, Connection
from charrnn.engine.messages import (
    ClientMessage,
    Ended,
    Generated,
    ModelInfo,
    Notice,
    Refused,
    RestartStream,
    RunRequest,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Start,
    StopRun,
    Welcome,
    WriteCheckpoint,
)
from charrnn.engine.opening import open_request
from charrnn.engine.sampler import Model, Sampler
from charrnn.engine.supervisor import Supervisor
from charrnn.engine.watchers import LINGER, Watchers
from charrnn.presets import range_problem
from charrnn.runs.directory import socket_path
from charrnn.text import cache
from charrnn.text.corpus import Corpus


class Engine:
    """One run. `run()` lives until the run was refused, stopped, or is done and nobody watches any more.

    What there is to tell stands on the `board`, which clients read at their own pace.
    """

    def __init__(
        self, *, linger: float = LINGER, baselines_after: float = MEASURED_AFTER, patience: float = PATIENCE
    ) -> None:
        self.board = Board()
        self.exit_status = 0
        self._linger, self._patience = linger, patience
        self._watchers = Watchers()
        self._baselines_after = baselines_after
        self._connections: set[Connection] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._request: asyncio.Future[RunRequest] = asyncio.get_running_loop().create_future()
        self._stop_asked = asyncio.Event()
        self._sampler: Sampler | None = None
        self._supervisor: Supervisor | None = None
        self._corpus: Corpus | None = None
        self._piped: BinaryIO | None = None  # in use, so that the cache leaves it alone
        self._model_config: ModelConfig | None = None
        self._folder: Path | None = None
        self._begun = False

    # ---- what connections call --------------------------------------------------------------------------------

    def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Takes a client in; serving it is a task of its own."""
        task = asyncio.create_task(Connection(self, reader, writer, self._patience).serve())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def joined(self, connection: Connection) -> None:
        """A client said hello; the first one that wants text starts the sampler."""
        self._connections.add(connection)
        self.board.readers.add(connection)
        if connection.wants_stream:
            self._watchers.came(connection)
            self.board.set_status(watchers=len(self._watchers))
            if self._sampler is None:
                self._start_sampler()
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

    def dropped(self, connection: Connection) -> None:
        """A client has read nothing for so long that its connection is closed."""
        if self._supervisor:
            self._supervisor.log(f"a client that had read nothing for {self._patience:,.0f} s was dropped")

    def obey(self, message: ClientMessage) -> None:
        """Does what a client asked for, at once."""
        match message:
            case Start(request) if not self._request.done():
                self._request.set_result(request)
            case SetKnobs(knobs) if self._fits(**asdict(knobs)):
                if self._sampler:
                    self._sampler.set_knobs(knobs)
                self.board.set_status(knobs=knobs, hurry=True)
            case SetPace(pace) if self._fits(pace=pace):
                if self._sampler:
                    self._sampler.set_pace(pace)
                self.board.set_status(pace=pace, hurry=True)
            case RestartStream(prime, seed):
                self._restart_stream(prime, random.randrange(1, 10_000) if seed is None else seed)
            case SetLearningRate(rate) if self._fits(lr=rate):
                self._to_trainer(trainer.Rate(rate), "its learning rate")
            case SetCooldown(on, steps) if steps is None or self._fits(steps=steps):
                self._to_trainer(trainer.CoolDown(on, steps), "a cool-down")
            case SetPaused(paused):
                self._to_trainer(trainer.Pause(paused), "pausing")
            case WriteCheckpoint():
                self._to_trainer(trainer.Save(), "a checkpoint")
            case StopRun():
                self.stop()
            case _:
                pass  # a second Hello or Start, or a value that does not fit, changes nothing

    def _fits(self, **settings: float) -> bool:
        """Whether each setting is in its range; the first that is not is told."""
        for name, value in settings.items():
            problem = range_problem(name, value)
            if problem:
                self.board.announce(Notice("warning", f"{name.replace('_', '-')} {problem}."))
                return False
        return True

    def stop(self, status: int = 0) -> None:
        """Checkpoint, then end; `status` is for whoever waits in the foreground."""
        if not self._stop_asked.is_set():
            self.exit_status = status
            self._stop_asked.set()
            self.board.set_status(state="stopping", hurry=True)
            if self._supervisor:
                self._supervisor.send(trainer.Finish())

    # ---- the stream -------------------------------------------------------------------------------------------

    def _start_sampler(self) -> None:
        loop = asyncio.get_running_loop()

        def emit(piece: Generated, urgent: bool) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._generated, piece, urgent)

        def failed(words: str) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self.board.announce, Notice("error", words))

        self._sampler = Sampler(emit, failed)
        self._sampler.start()
        self._feed_sampler()

    def _feed_sampler(self) -> None:
        """Gives the sampler the model as soon as there are both."""
        if self._sampler and self._supervisor and self._corpus and self._model_config:
            self._sampler.use_model(Model(self._model_config, self._corpus.vocabulary, self._supervisor.weights))
            self._sampler.set_knobs(self.board.status.knobs)
            self._sampler.set_pace(self.board.status.pace)
            self._sampler.restart(self.board.status.prime, self.board.status.seed)

    def _generated(self, piece: Generated, urgent: bool) -> None:
        if not self.board.status.sampler_ready:
            self.board.set_status(sampler_ready=True)
        self.board.add_text(piece, hurry=urgent)

    def _restart_stream(self, prime: str | None, seed: int) -> None:
        if prime is None:
            prime = self.board.status.prime
        elif self._corpus is not None:
            vocabulary = self._corpus.vocabulary
            unknown = vocabulary.unknown(prime)
            prime = vocabulary.known(prime)
            if unknown:
                named = " ".join(repr(character) for character in unknown[:8])
                more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
                self.board.announce(Notice("warning", f"Left out of the prime, the model does not know: {named}{more}"))
        self.board.set_status(prime=prime, seed=seed, hurry=True)
        if self._sampler:
            self._sampler.restart(prime, seed)

    # ---- the run ----------------------------------------------------------------------------------------------

    async def run(self, *, foreground: bool = False) -> None:
        """From the first client's request to the end; `exit_status` is then the process's.

        Once training is over it waits until nobody has watched for a while; in the foreground only if the request
        says for how long.
        """
        try:
            request = await self._request
            if request.linger is not None:
                self._linger = request.linger * 60
            await self._open_and_train(request)
            if not foreground or request.linger:
                await self._watchers.gone_for(self._linger, self._stop_asked)
            if foreground and self.board.status.state == "failed":
                self.exit_status = self.exit_status or 1
            if self._begun:
                status = self.board.status
                best = f", best held-out loss {status.best_val_loss:.3f}" if status.best_val_loss is not None else ""
                best += f" at step {status.best_step:,}" if best and status.best_step is not None else ""
                self.board.announce(Ended(f"{status.step:,} steps{best}, saved in {self._folder}", self.exit_status))
        except UsageError as error:
            self._stop_asked.set()
            self.exit_status = 2
            self.board.announce(Refused(str(error)))
        finally:
            if self._sampler:
                self._sampler.stop()
            await asyncio.gather(*(connection.finish() for connection in list(self._connections)))
            for task in list(self._tasks):
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._supervisor:
                self._supervisor.close()
            if self._piped:
                Path(self._piped.name).unlink(missing_ok=True)
                self._piped.close()

    def _began(self, info: ModelInfo) -> None:
        """The model stands and the run has its folder: the stream may speak, and others may attach."""
        self._begun = True
        self._model_config = info.config.model
        self._feed_sampler()
        self._tasks.add(asyncio.create_task(self._listen()))
        self._tasks.add(asyncio.create_task(self._tell_baselines()))
        if not self._request.result().train:
            self._tasks.add(asyncio.create_task(self._end_if_only_looked_at()))

    async def _tell_baselines(self) -> None:
        """Has a loss's meaning found, but not while somebody still waits for the stream's first text."""
        assert self._corpus is not None
        assert self._folder is not None

        def ready() -> bool:
            return self._sampler is None or self.board.status.sampler_ready

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
        prime = corpus.vocabulary.known(stream.prime) if stream.prime else corpus.line_for_prime()
        self.board.set_status(prime=prime)
        if stream.prime:
            self._restart_stream(stream.prime, stream.seed)
        self._supervisor = Supervisor(self.board, opened, request, corpus, self._began)
        if not self._stop_asked.is_set():
            await self._supervisor.run()

    async def _end_if_only_looked_at(self) -> None:
        """A run that was opened and never asked to train ends as one that is over does."""
        step = self.board.status.step
        await self._watchers.gone_for(self._linger, self._stop_asked)
        if self.board.status.step == step and self.board.status.state == "paused":
            self.stop()

    async def _listen(self) -> None:
        """Lets other clients attach, through a socket in a private folder."""
        assert self._folder is not None
        try:
            path = socket_path(self._folder)
            path.unlink(missing_ok=True)  # this engine holds the run's lock, so whoever left it is gone
            server = await asyncio.start_unix_server(self._admit, path)
        except (OSError, UsageError) as error:
            self.board.announce(Notice("warning", f"No other workbench can attach to this run: {error}"))
            return
        try:
            await server.serve_forever()
        finally:
            path.unlink(missing_ok=True)

    async def _admit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if sys.platform == "linux":
            peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            if struct.unpack("3i", peer)[1] != os.getuid():
                writer.close()
                return
        self.connect(reader, writer)

    def _to_trainer(self, order: trainer.ToTrainer, what: str) -> None:
        if self._supervisor and self.board.status.state in ("training", "paused"):
            self._supervisor.send(order)
        else:
            self.board.announce(
                Notice("info", f"Nothing is training ({self.board.status.state}), so {what} has nothing to act on.")
            )
