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
from charrnn.engine.messages import ClientMessage, EngineMessage, Hello, RunRequest, Start


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

    Raises OSError, and UsageError where a glance at the target shows that an engine would refuse it.
    """
    if request.target:
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
        elif directory.is_live(run):
            # One that is just ending no longer listens; a new engine then says what there is to say.
            with contextlib.suppress(OSError, UsageError):
                return attach(str(directory.socket_path(run)))
    return launch(request).connection


def attach(path: str, hello: Hello | None = None) -> socket.socket:
    """A connection to the live engine whose socket is at `path`. Raises OSError when none answers there."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
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
            except (ConnectionError, wire.WireError):
                return
            if message is None:
                return
            yield message

    async def close(self) -> None:
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
