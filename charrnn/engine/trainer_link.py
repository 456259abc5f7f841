"""The engine's end of its trainer: starts the process, speaks with it, says how it ended. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable

from charrnn.engine import wire
from charrnn.engine.trainer_messages import FromTrainer, ToTrainer

# OpenMP's threads spin while they wait for each other. When anything else wants a core, the one that would have to
# catch up does not get it, and a step of 6 ms takes 4.6 s (tests/benchmarks/NOTES.md). Passive waiting ends that; a
# user's own OMP_WAIT_POLICY wins.


class TrainerLink:
    """A trainer process and the connection to it. `send` never waits; iteration yields what it says until it ends."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        errors: asyncio.Task[None],
    ) -> None:
        self.process = process
        self._reader, self._writer, self._errors = reader, writer, errors

    @classmethod
    async def start(cls, weights: int, ids: int, log: Callable[[bytes], None]) -> TrainerLink:
        """Starts the process; it inherits both descriptors. What it prints on standard error goes to `log`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs:
            inherited = {"link": theirs.fileno(), "weights": weights, "ids": ids}
            words = [word for name, number in inherited.items() for word in (f"--{name}", str(number))]
            process = subprocess.Popen(
                [sys.executable, "-m", "charrnn.engine.trainer_process", *words],
                pass_fds=list(inherited.values()),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={"OMP_WAIT_POLICY": "PASSIVE", **os.environ},
            )
        reader, writer = await asyncio.open_unix_connection(sock=ours, limit=2**20)
        return cls(process, reader, writer, asyncio.create_task(_copy_errors(process, log)))

    def send(self, message: ToTrainer) -> None:
        if not self._writer.is_closing():
            self._writer.write(wire.frame(message))

    async def __aiter__(self) -> AsyncIterator[FromTrainer]:
        while True:
            try:
                message = await wire.read(self._reader, wire.from_trainer)
            except (OSError, wire.WireError):
                return
            if message is None:
                return
            yield message

    async def ended(self) -> int:
        """The process's exit status, once it has one and all that it printed was read."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        await self._errors
        return await asyncio.to_thread(self.process.wait)


async def _copy_errors(process: subprocess.Popen[bytes], log: Callable[[bytes], None]) -> None:
    assert process.stderr is not None
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), process.stderr)
    try:
        while data := await reader.read(65536):
            log(data)
    finally:
        transport.close()


def in_words(status: int, last_words: str) -> str:
    """How a process ended, for its user: the signal's name, or the exception it printed last."""
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        likely = " (out of memory, most likely)" if -status == signal.SIGKILL else ""
        return f"the trainer was ended by {name}{likely}"
    lines = [line for line in last_words.splitlines() if line.strip()]
    return f"the trainer failed: {lines[-1].strip()}" if lines else f"the trainer ended with status {status}"
