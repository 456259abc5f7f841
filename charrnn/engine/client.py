"""How a workbench or a command reaches an engine: start one, attach to one, speak with it. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from charrnn.config import UsageError
from charrnn.engine import wire
from charrnn.engine.messages import (
    PROTOCOL_VERSION,
    ClientMessage,
    EngineMessage,
    Hello,
    Refused,
    RunRequest,
    Start,
    Welcome,
)


@dataclass(frozen=True, slots=True)
class Launched:
    """A new engine's process and the connection to it that it inherited."""

    process: subprocess.Popen[bytes]
    connection: socket.socket


def launch(request: RunRequest) -> Launched:
    """Starts an engine process for `request` in a session of its own, so that it outlives this terminal.

    Returns at once; the engine's answers (Welcome, CorpusInfo, …, or Refused) come over the connection.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "charrnn.engine", "--connection", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    ours.sendall(wire.frame(Hello()) + wire.frame(Start(request)))
    return Launched(process, ours)


def open_run(request: RunRequest) -> socket.socket:
    """A connection to the live run that the request names, else to a new engine.

    Raises OSError, and UsageError where a glance at the target shows that an engine would refuse it, or where the run
    is live and cannot be attached to.
    """
    if request.target:
        from charrnn.engine import peers
        from charrnn.runs import directory  # a start without a target need not wait for these
        from charrnn.text import sources

        run = directory.find_run(request.target, directory.runs_folder(request.runs_folder))
        if run is None:
            try:
                sources.refuse_early(request.target, request.stdin_file, str(request.options.get("encoding", "auto")))
            except UsageError:
                if request.stdin_file is not None:
                    os.unlink(request.stdin_file)
                raise
        else:
            connection = peers.connect_to_run(run)
            if connection is not None:
                connection.sendall(wire.frame(Hello()))
                return connection
    return launch(request).connection


def attach(path: str, hello: Hello | None = None) -> socket.socket:
    """A connection to the live engine whose socket is at `path`.

    Raises OSError when none answers there, UsageError where the socket, or who listens at it, is another user's.
    """
    from charrnn.engine import peers

    connection = peers.connect(path)
    try:
        connection.sendall(wire.frame(hello or Hello()))
    except OSError:
        connection.close()
        raise
    return connection


class EngineClient:
    """One connection, in an asyncio loop: `send` never waits, iteration yields the engine's messages until it ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._welcomed = False

    @classmethod
    async def over(cls, connection: socket.socket) -> EngineClient:
        """Takes over a connection from `launch` or `attach`."""
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=2**20)
        return cls(reader, writer)

    def send(self, message: ClientMessage) -> None:
        if not self._writer.is_closing():
            self._writer.write(wire.frame(message))

    async def __aiter__(self) -> AsyncIterator[EngineMessage]:
        while True:
            try:
                message = await wire.read(self._reader, wire.from_engine)
            except ConnectionError:
                return
            except wire.WireError:
                if not self._welcomed:  # else it was cut, not another language
                    yield _other_protocol("another one")
                return
            if message is None:
                return
            if isinstance(message, Welcome):
                if message.version != PROTOCOL_VERSION:
                    yield _other_protocol(str(message.version))
                    return
                self._welcomed = True
            yield message

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _other_protocol(spoken: str) -> Refused:
    words = f"This client speaks protocol {PROTOCOL_VERSION}, the engine {spoken}; attach with the charrnn that began "
    return Refused(f"{words}the run, or stop the run with it and open it again.", 1)
