"""`charrnn train`: an engine in the foreground, and what it has to say, as lines or as a progress bar."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from charrnn.engine import wire
from charrnn.engine.client import EngineClient
from charrnn.engine.messages import (
    BaselinesFound,
    CorpusInfo,
    Ended,
    EngineMessage,
    Hello,
    Losses,
    ModelInfo,
    Notice,
    Reading,
    Refused,
    RunRequest,
    Sample,
    Start,
    Status,
    Welcome,
    troubles_told,
)
from charrnn.engine.server import Engine
from charrnn.engine.trainer_watch import Limits
from charrnn.runs import relaunch
from charrnn.text.baselines import in_words
from charrnn.text.visible import for_reader, visible_line

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LINE_EVERY = 5.0


def train(request: RunRequest, limits: Limits | None = None) -> int:
    """Trains until the run's end, or until it is interrupted; the exit status. Samples go to standard output.

    `limits` are the engine's patience with its trainer.
    """
    return asyncio.run(_train(request, limits))


async def _train(request: RunRequest, limits: Limits | None) -> int:
    engine = Engine(limits=limits)
    loop = asyncio.get_running_loop()
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        loop.add_signal_handler(number, engine.stop, status)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    engine.connect(*await asyncio.open_unix_connection(sock=theirs, limit=2**20))
    ours.sendall(wire.frame(Hello(stream=False)) + wire.frame(Start(request)))
    running = asyncio.create_task(engine.run(foreground=True))
    with _reporter(sys.stderr.isatty()) as reporter:
        async for message in await EngineClient.over(ours):
            with _output_may_be_gone(2):
                reporter.tell(message)
            if isinstance(message, Status) and message.phase == "diverged":
                engine.stop(1)  # nobody is there to decide
            if isinstance(message, ModelInfo) and reporter.folder is not None:
                relaunch.remember(reporter.folder)
    await running
    await reporter.plots()
    if engine.exit_status == 0:
        relaunch.forget()
    return engine.exit_status


@contextlib.contextmanager
def _output_may_be_gone(descriptor: int) -> Iterator[None]:
    """A terminal that was closed, or a pipe that nobody reads any more, ends what is said and not the training."""
    try:
        yield
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def _reporter(terminal: bool) -> Reporter:
    return BarReporter() if terminal else Reporter()


class Reporter:
    """Lines on standard error: the corpus, the model, a loss every few seconds, what happened."""

    def __init__(self) -> None:
        self.folder: Path | None = None
        self._status = Status(state="starting")
        self._train_loss: float | None = None
        self._val_loss: float | None = None
        self._said = time.monotonic()
        self._said_step = 0
        self._plotting: asyncio.Task[None] | None = None

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        with _output_may_be_gone(2):
            self._last_line()

    def _last_line(self) -> None:
        if self._status.step > self._said_step:
            self._line()

    def say(self, words: str) -> None:
        print(visible_line(words), file=sys.stderr, flush=True)

    def tell(self, message: EngineMessage) -> None:
        match message:
            case Refused(text, _):
                self.say(f"charrnn train: {text}")
            case Welcome(run, folder):
                self.folder = Path(folder)
                self.say(f"run       {run} ({folder})")
            case CorpusInfo():
                held_out = message.characters - message.held_out_at
                self.say(
                    f"corpus    {message.name}: {message.characters:,} characters, {message.symbols}, "
                    f"{held_out:,} held out ({message.note})"
                )
            case ModelInfo(summary, parameters, device, config):
                self.say(f"model     {summary}: {parameters:,} parameters, on {device}, preset {config.preset}")
            case BaselinesFound(figures, problem):
                self.say(f"baselines {in_words(figures) if figures else f'none: {problem}'}")
            case Notice(level, text):
                if level != "saved":
                    self.say(f"{level:9} {text}")
            case Losses(points):
                self._train_loss = points[-1].train_loss
                for point in points:
                    self._val_loss = point.val_loss if point.val_loss is not None else self._val_loss
            case Status():
                for words in troubles_told(self._status.troubles, message.troubles):
                    self.say(f"{'trouble':9} {words}")
                self._status = message
                self.progress()
            case Sample(step, text):
                self._sample(step, text)
            case Ended(text):
                self._last_line()
                self.say(f"end       {text}")
            case _:
                pass

    def progress(self) -> None:
        now = time.monotonic()
        if self._status.reading and now - self._said >= LINE_EVERY:
            self._said = now
            self.say(self._status.reading.words())
        if self._status.state == "training" and now - self._said >= LINE_EVERY:
            self._said = now
            self._line()

    def _line(self) -> None:
        self._said_step = self._status.step
        phase = self._status.phase_text
        self.say(f"step {self._status.step:>9,}  {self.losses()}  {self.rate()}" + (f"  {phase}" if phase else ""))

    def losses(self) -> str:
        words = []
        if self._train_loss is not None:
            words.append(f"loss {self._train_loss:.3f}")
        if self._val_loss is not None:
            words.append(f"held out {self._val_loss:.3f}")
        return "  ".join(words) or "loss –"

    def rate(self) -> str:
        status = self._status
        overall = status.chars / status.seconds if status.seconds else 0.0
        return f"{status.characters_per_second or overall:>9,.0f} characters/s"

    def _sample(self, step: int, text: str) -> None:
        with _output_may_be_gone(1):
            print(for_reader(f"\n── step {step:,}  {self.losses()} ──\n{text}", sys.stdout), flush=True)
        if self.folder is not None and (self._plotting is None or self._plotting.done()):
            self._plotting = asyncio.create_task(self._plot(self.folder))

    async def _plot(self, folder: Path) -> None:
        """The lecture's habit: the loss plot as a PDF, beside every sample, in a thread; without matplotlib, none."""
        from charrnn.commands.export import plot_losses

        with contextlib.suppress(ImportError, OSError):
            await asyncio.to_thread(plot_losses, folder, folder / "loss.pdf")

    async def plots(self) -> None:
        """Draws the last plot, if plots were drawn at all."""
        if self._plotting is not None and self.folder is not None:
            await self._plotting
            await self._plot(self.folder)


class BarReporter(Reporter):
    """The same on a terminal, with a progress bar in place of the lines."""

    def __enter__(self) -> Reporter:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self._bar: Progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[words]}", markup=False),
            TimeElapsedColumn(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True, markup=False, highlight=False),
            transient=True,
            refresh_per_second=4,
        )
        self._task: TaskID | None = None
        self._reading_task: TaskID | None = None
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        with _output_may_be_gone(2):
            self._bar.stop()
        super().__exit__()

    def say(self, words: str) -> None:
        self._bar.console.print(visible_line(words), soft_wrap=True)

    def progress(self) -> None:
        status = self._status
        self._reading(status.reading)
        if self._task is None:
            if status.state != "training":
                return
            self._task = self._bar.add_task("training", total=status.steps_target, words="")
        words = f"step {status.step:,}  {self.losses()}  {self.rate().strip()}"
        state = status.phase_text or status.state
        self._bar.update(self._task, completed=status.step, description=state, words=words)

    def _reading(self, reading: Reading | None) -> None:
        """A bar of bytes until the corpus is there."""
        if reading is None:
            if self._reading_task is not None:
                self._bar.remove_task(self._reading_task)
                self._reading_task = None
            return
        if self._reading_task is None:
            self._reading_task = self._bar.add_task(reading.what, words="")
        words = f"{reading.done / 1e6:,.1f} MB"
        self._bar.update(
            self._reading_task, completed=reading.done, total=reading.total, description=reading.what, words=words
        )
