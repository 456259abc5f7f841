"""The workbench without a terminal: what the model writes on standard output, how it learns on standard error."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time

from charrnn.engine.client import EngineClient
from charrnn.engine.messages import (
    BaselinesFound,
    CorpusInfo,
    Ended,
    EngineMessage,
    Losses,
    ModelInfo,
    Notice,
    Refused,
    Status,
    StopRun,
    Text,
    Welcome,
    troubles_told,
)
from charrnn.text.baselines import in_words
from tui.terminal import safe, safe_line

PROGRESS_EVERY = 5.0
"""Seconds between two lines of progress."""
LONGEST_LINE = 200
"""Characters after which a line of the stream is broken at a space."""


class Plain:
    """Prints an engine's messages as lines. One that only `attached` to a run leaves it as it is."""

    def __init__(self, *, attached: bool = False) -> None:
        self.attached = attached
        self.client: EngineClient | None = None
        self.status = Status(state="starting")
        self.exit_status: int | None = None
        self.interrupted: int | None = None
        self._train: float | None = None
        self._held_out: float | None = None
        self._last_line = 0.0
        self._stream: int | None = None
        self._mute = False
        self._line = ""

    async def run(self, connection: socket.socket) -> int:
        """Prints until the engine ends; returns the exit status."""
        self.client = await EngineClient.over(connection)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.stop, 130)
        loop.add_signal_handler(signal.SIGTERM, self.stop, 143)
        try:
            async for message in self.client:
                self.hear(message)
        finally:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.client.close(), 1.0)
        if self.exit_status is None:
            self.tell("the engine has gone; what it said last is in the run's engine.log.")
            return self.interrupted or 1
        return self.interrupted or self.exit_status

    def stop(self, status: int) -> None:
        if self.interrupted is None and self.client is not None:
            self.interrupted = status
            self._end()

    def _end(self) -> None:
        """Ends the run, if this is the one that began it, or else only watching it."""
        if self.client is None:
            return
        if self.attached:
            self.exit_status = self.exit_status or 0
            self.client.hang_up()
        else:
            self.client.send(StopRun())

    def hear(self, message: EngineMessage) -> None:
        match message:
            case Welcome():
                self.tell(f"run {message.run}")
            case CorpusInfo():
                self.tell(f"corpus {message.name}: {message.characters:,} characters, {message.symbols}")
            case ModelInfo():
                self.tell(f"model {message.summary}, {message.parameters:,} parameters, on {message.device}")
            case BaselinesFound(figures, problem):
                self.tell(f"to beat on the held-out text: {in_words(figures) if figures else f'no figures, {problem}'}")
            case Status():
                self._progress(message)
            case Losses():
                for point in message.points:
                    self._train = point.train_loss if point.train_loss is not None else self._train
                    self._held_out = point.val_loss if point.val_loss is not None else self._held_out
            case Text():
                for piece in message.pieces:
                    fresh = self._stream is not None and piece.stream != self._stream
                    self._stream = piece.stream
                    self._write(("\n\n" if fresh else "") + safe(piece.text))
            case Notice():
                self.tell(message.text)
            case Refused() | Ended():
                self._write("\n" if self._line else "")
                if message.text:
                    self.tell(message.text)
                self.exit_status = message.status

    def _progress(self, status: Status) -> None:
        changed = status.state != self.status.state
        for trouble in troubles_told(self.status.troubles, status.troubles):
            self.tell(trouble)
        self.status = status
        if changed and status.state == "finished":
            self._end()  # nobody is there to ask for more
        elif changed and status.state == "failed":
            self.stop(1)
        elif status.phase == "diverged":
            self.stop(1)  # nor to decide
        now = time.monotonic()
        if status.reading is not None and now - self._last_line >= PROGRESS_EVERY:
            self._last_line = now
            self.tell(status.reading.words())
        if status.state == "starting" or (not changed and now - self._last_line < PROGRESS_EVERY):
            return
        self._last_line = now
        words = [status.state, f"step {status.step:,}"]
        words += [f"train {self._train:.3f}"] if self._train is not None else []
        words += [f"held-out {self._held_out:.3f}"] if self._held_out is not None else []
        self.tell(", ".join([*words, f"{status.characters_per_second:,.0f} characters/s"]))

    def tell(self, text: str) -> None:
        with contextlib.suppress(BrokenPipeError):
            print(f"charrnn-tui: {safe_line(text)}", file=sys.stderr, flush=True)

    def _write(self, text: str) -> None:
        """Writes whole lines, so that progress on the same terminal or file never cuts one."""
        self._line += text
        end = self._line.rfind("\n") + 1
        if len(self._line) - end > LONGEST_LINE:
            end = self._line.rfind(" ", 0, end + LONGEST_LINE) + 1 or len(self._line)
            text, self._line = self._line[:end].rstrip("\n") + "\n", self._line[end:]
        else:
            text, self._line = self._line[:end], self._line[end:]
        if self._mute or not text:
            return
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            # The reader has had enough (as `head` does): that ends the run in order, and is no error.
            self._mute = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            self._end()


def run_plain(connection: socket.socket, *, attached: bool = False) -> int:
    """Prints plain lines over `connection`, `attached` to a run that was live before; returns the exit status."""
    return asyncio.run(Plain(attached=attached).run(connection))
