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

_TAIL = 65536
_WORDS_TAKE = 2.0

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
        lock: socket.socket,
        log: Callable[[bytes], None],
    ) -> None:
        self.process = process
        self._reader, self._writer, self._lock = reader, writer, lock
        self._log, self._tail = log, b""
        self._errors = asyncio.create_task(self._copy_errors())

    @classmethod
    async def start(cls, weights: int, ids: int, log: Callable[[bytes], None]) -> TrainerLink:
        """Starts the process; it inherits both descriptors. What it prints on standard error goes to `log`."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        lock, their_lock = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with theirs, their_lock:
            inherited = {"link": theirs.fileno(), "weights": weights, "ids": ids, "lock": their_lock.fileno()}
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
        return cls(process, reader, writer, lock, log)

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

    def hand_over(self, lock: int) -> None:
        """Shares an open file with the process, which has it as soon as it reads the next `Proceed`."""
        with contextlib.suppress(OSError):  # it has ended already
            socket.send_fds(self._lock, [b"\0"], [lock])

    def wake(self) -> None:
        """Continues a process that is stopped, so that it hears what it is told."""
        with contextlib.suppress(OSError):
            self.process.send_signal(signal.SIGCONT)

    @property
    def last_words(self) -> str:
        """The end of what it printed on standard error."""
        return self._tail.decode(errors="replace")

    async def ended(self) -> int:
        """The process's exit status, once it has one and what it printed was read."""
        self._writer.close()
        self._lock.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
        status = await asyncio.to_thread(self.process.wait)
        with contextlib.suppress(TimeoutError):  # a process of its own may have outlived it and hold the pipe
            await asyncio.wait_for(self._errors, _WORDS_TAKE)
        return status

    async def _copy_errors(self) -> None:
        assert self.process.stderr is not None
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self.process.stderr)
        try:
            while data := await reader.read(65536):
                self._tail = (self._tail + data)[-_TAIL:]
                self._log(data)
        finally:
            transport.close()
