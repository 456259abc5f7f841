"""Where other clients attach to a run: a socket in a private folder, for as long as the run lives. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import Callable
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine import wire
from charrnn.engine.board import Board
from charrnn.engine.messages import Refused
from charrnn.engine.peers import peer_user
from charrnn.runs.directory import RunFolder
from charrnn.runs.sockets import bind, own_socket_path, remove_left_behind
from charrnn.text.visible import visible_line

MOST_CONNECTIONS = 32
LOOKED_AFTER = 2.0
"""Seconds between two looks at whether the socket and the lock are still there."""
LOGGED_EVERY = 10.0
_LONGEST_REASON = 200

Admit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], asyncio.Task[None]]


class Listener:
    """Lets other clients of this user attach to a run; what keeps it from that stands on the board until it is over.

    The socket is made again where it vanishes. At most `MOST_CONNECTIONS` clients are served at once.
    """

    def __init__(self, folder: RunFolder, board: Board, admit: Admit) -> None:
        self._folder, self._board, self._admit = folder, board, admit
        self._path: Path | None = None
        self._identity: tuple[int, int] | None = None
        self._server: asyncio.Server | None = None
        self._served = 0

    async def serve(self) -> None:
        """Listens until it is cancelled."""
        remove_left_behind()
        try:
            while True:
                await self._look_after()
                await asyncio.sleep(LOOKED_AFTER)
        finally:
            self._close()

    async def _look_after(self) -> None:
        """Listens, if it does not yet or nobody could find it, and keeps hold of the run's lock."""
        try:
            self._folder.lock.renew()
        except UsageError as error:
            self._board.set_trouble("lock", f"Two engines have this run: {error} Stop one of them.")
        else:
            self._board.set_trouble("lock", None)
        if self._identity is not None and _identity(self._path) == self._identity:
            return
        try:
            await self._listen()
        except (OSError, UsageError) as error:
            reason = f"{error.strerror} ({self._path})." if isinstance(error, OSError) else str(error)
            self._board.set_trouble("socket", f"No other workbench can attach to this run: {reason}")
        else:
            self._board.set_trouble("socket", None)

    async def _listen(self) -> None:
        self._close()
        self._path = own_socket_path(self._folder.path)
        listening = bind(self._path)
        self._identity = _identity(self._path)
        self._server = await asyncio.start_unix_server(self._met, sock=listening)
        self._folder.lock.tell_socket(str(self._path))

    def _close(self) -> None:
        """Stops listening; clients that are there stay. A socket that somebody else put in the place is left."""
        if self._server is not None:
            self._server.close()
        if self._path is not None and self._identity is not None and _identity(self._path) == self._identity:
            with contextlib.suppress(OSError):
                self._path.unlink()
        self._server = self._identity = None

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection: socket.socket = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            if peer_user(connection) == os.getuid():
                if self._served < MOST_CONNECTIONS:
                    self._served += 1
                    self._admit(reader, writer).add_done_callback(self._gone)
                    return
                words = f"This engine serves {MOST_CONNECTIONS} clients already; close one of them."
                writer.write(wire.frame(Refused(words, 1)))
        writer.close()

    def _gone(self, _: object) -> None:
        self._served -= 1


class Complaints:
    """What the log is told of clients that were hung up on: a line now and then, however many there were."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._unsaid = 0
        self._quiet_until = -1.0

    def line(self, reason: str) -> str | None:
        """The line for one more, None while it is too soon after the last."""
        now = self._clock()
        if now < self._quiet_until:
            self._unsaid += 1
            return None
        others = f", after {self._unsaid:,} others that were not told" if self._unsaid else ""
        self._unsaid, self._quiet_until = 0, now + LOGGED_EVERY
        return f"hung up on a client{others}: {visible_line(reason[:_LONGEST_REASON])}"


def _identity(path: Path | None) -> tuple[int, int] | None:
    """Which file has this name; None if none has."""
    try:
        found = path.lstat() if path is not None else None
    except OSError:
        return None
    return found and (found.st_dev, found.st_ino)
