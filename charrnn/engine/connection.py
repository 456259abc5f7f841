"""One client of the engine: what it still has to be told, and telling it, at its own speed. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from charrnn.engine import wire
from charrnn.engine.board import Board
from charrnn.engine.messages import PROTOCOL_VERSION, ClientMessage, EngineMessage, Hello, Losses, Refused, Text

SEND_EVERY = 0.06
SPEAKS_WITHIN = 10.0
"""Seconds in which a client must have said hello, and in which a frame must be whole once it has begun."""
POINTS_AT_ONCE = 20_000


class Host(Protocol):
    """Whom a client speaks with: hears of its coming, its wishes and its going."""

    board: Board

    def joined(self, connection: Connection) -> None: ...

    def obey(self, message: ClientMessage) -> None: ...

    def left(self, connection: Connection) -> None: ...

    def misheard(self, words: str) -> None: ...


class Connection:
    """Keeps places in the engine's histories instead of a queue, so a client that never reads costs nothing.

    `wake` says that there is something new; `hurry` says that somebody waits for it (a key was pressed).
    """

    def __init__(self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._host, self._board = host, host.board
        self._reader, self._writer = reader, writer
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._text_position = 0
        self._points_sent = 0
        self._rewinds_seen = 0
        self._status_revision = -1
        self._standing_sent = 0
        self._passing_seen = self._board.passing_count
        self._closing = False
        self.wants_stream = False

    def wake(self, *, hurry: bool = False) -> None:
        self._wake.set()
        if hurry:
            self._hurry.set()

    async def serve(self) -> None:
        """Listens and tells until either side ends; never raises for what a client did."""
        try:
            hello = await self._hello()
            if not isinstance(hello, Hello) or hello.version != PROTOCOL_VERSION:
                spoken = hello.version if isinstance(hello, Hello) else "none"
                words = (
                    f"This engine speaks protocol {PROTOCOL_VERSION}, the client {spoken}; use one charrnn for both."
                )
                self._writer.write(wire.frame(Refused(words, 1)))
                await self._writer.drain()
                return
            self.wants_stream = hello.stream
            self._host.joined(self)
            teller = asyncio.create_task(self._tell())
            try:
                while (message := await self._next()) is not None:
                    self._host.obey(message)
            finally:
                self._closing = True
                self.wake(hurry=True)
                await teller
        except OSError:
            pass
        except wire.WireError as error:
            self._host.misheard(str(error))
        finally:
            self._host.left(self)
            self._writer.close()

    async def _hello(self) -> Any:
        """The first message. Raises WireError, also where none comes."""
        try:
            async with asyncio.timeout(SPEAKS_WITHIN):
                return await wire.read(self._reader, wire.from_client, wire.HELLO)
        except TimeoutError:
            raise wire.WireError(f"nothing was said within {SPEAKS_WITHIN:g} s") from None

    async def _next(self) -> Any:
        return await wire.read(self._reader, wire.from_client, wire.FROM_CLIENT, SPEAKS_WITHIN)

    async def _tell(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closing:
                await self._wake.wait()
                self._wake.clear()
                self._hurry.clear()
                messages = self._news()
                if messages:
                    self._writer.write(b"".join(wire.frame(m) for m in messages))
                    await self._writer.drain()
                if not self._hurry.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), SEND_EVERY)

    def _news(self) -> list[EngineMessage]:
        board = self._board
        messages: list[EngineMessage] = board.standing[self._standing_sent :]
        self._standing_sent = len(board.standing)
        messages += self._new_points()
        if self._status_revision != board.status_revision:
            self._status_revision = board.status_revision
            messages.append(board.status)
        if self.wants_stream and self._text_position < board.text.end:
            messages.append(Text(board.text.since(self._text_position)))
            self._text_position = board.text.end
        unseen = board.passing_count - self._passing_seen
        if unseen:
            self._passing_seen = self._board.passing_count
            messages += list(board.passing)[-unseen:]
        return messages

    def _new_points(self) -> list[EngineMessage]:
        losses = self._board.losses
        if self._rewinds_seen != losses.rewinds:
            self._points_sent, self._rewinds_seen = 0, losses.rewinds
        messages: list[EngineMessage] = []
        while self._points_sent < len(losses.points):
            points = losses.points[self._points_sent : self._points_sent + POINTS_AT_ONCE]
            messages.append(Losses(points, first=self._points_sent == 0))
            self._points_sent += len(points)
        return messages

    async def finish(self) -> None:
        """Tells what is left to tell, within a second, and hangs up."""
        with contextlib.suppress(OSError, TimeoutError):
            self._writer.write(b"".join(wire.frame(m) for m in self._news()))
            await asyncio.wait_for(self._writer.drain(), 1)
            self._writer.close()
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        self._writer.transport.abort()  # a client that does not read cannot keep the engine from ending
