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
from pathlib import Path

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

STARTS_WITHIN = 30.0
"""Seconds that an engine may take until it listens."""


@dataclass(frozen=True, slots=True)
class Reached:
    """A connection to an engine, and whether that was at work already."""

    connection: socket.socket
    attached: bool


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


def open_run(request: RunRequest, *, attach_only: bool = False) -> Reached:
    """A connection to the live run that the request names, else to a new engine.

    With `attach_only` nothing is begun: the run must be live; where none is named it is the only live one.
    Raises OSError, and UsageError where a glance at the target shows that an engine would refuse it, or where the run
    is live and options were given: they are what a run begins or goes on with, and this one is under way.
    """
    if request.target or attach_only:
        from charrnn.runs import directory, live  # a start without a target need not wait for these
        from charrnn.text import sources

        folder = directory.runs_folder(request.runs_folder)
        run = live.live_run(request.target, folder) if attach_only else directory.find_run(request.target, folder)
        if run is None:
            try:
                sources.refuse_early(request.target, request.stdin_file, str(request.options.get("encoding", "auto")))
            except UsageError:
                if request.stdin_file is not None:
                    os.unlink(request.stdin_file)
                raise
        else:
            # One that is just ending is none to attach to; a new engine then says what there is to say.
            connection = attach_to(run)
            if connection is not None:
                _refuse_options(run, request, connection)
                return Reached(connection, attached=True)
        if attach_only and run is not None:
            raise UsageError(f"The run {run.name} has just ended; `charrnn-tui {run.name}` opens it.")
    return Reached(launch(request).connection, attached=False)


def _refuse_options(run: Path, request: RunRequest, connection: socket.socket) -> None:
    given = [*request.options, *(["run"] if request.run else []), *([] if request.linger is None else ["linger"])]
    if given:
        connection.close()
        named = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise UsageError(
            f"The run {run.name} is live already and would not hear of {named}; attach without options, or end it "
            f"first with `charrnn stop {run.name}`."
        )


def attach_to(run: Path, hello: Hello | None = None, *, patience: float = STARTS_WITHIN) -> socket.socket | None:
    """A connection to the engine of a live run, None if it ended meanwhile.

    An engine takes its run first and listens a few seconds later, when its model stands; so long this waits. Raises
    UsageError when it does not answer for `patience` seconds.
    """
    from charrnn.engine import peers

    connection = peers.connect_to_run(run, patience)
    if connection is not None:
        _greet(connection, hello)
    return connection


def attach(path: str, hello: Hello | None = None) -> socket.socket:
    """A connection to the live engine whose socket is at `path`.

    Raises OSError when none answers there, UsageError where the socket, or who listens at it, is another user's.
    """
    from charrnn.engine import peers

    connection = peers.connect(path)
    _greet(connection, hello)
    return connection


def _greet(connection: socket.socket, hello: Hello | None) -> None:
    try:
        connection.sendall(wire.frame(hello or Hello()))
    except OSError:
        connection.close()
        raise


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

    def hang_up(self) -> None:
        """Ends the connection, and with it the iteration; what was sent still goes out."""
        self._writer.close()

    async def close(self) -> None:
        """Hangs up and waits until that is done."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


def _other_protocol(spoken: str) -> Refused:
    words = f"This client speaks protocol {PROTOCOL_VERSION}, the engine {spoken}; attach with the charrnn that began "
    return Refused(f"{words}the run, or stop the run with it and open it again.", 1)
