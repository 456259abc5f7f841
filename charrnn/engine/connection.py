"""One client of the engine: what it still has to be told, and telling it, at its own speed. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Protocol

from charrnn.engine import wire
from charrnn.engine.answering.subject import Subject
from charrnn.engine.board import Board
from charrnn.engine.corpus_desk import CorpusDesk, Visitor
from charrnn.engine.corpus_messages import CORPUS_REQUESTS
from charrnn.engine.inquirer import Inquirer
from charrnn.engine.messages import PROTOCOL_VERSION, ClientMessage, EngineMessage, Hello, Losses, Refused, Text
from charrnn.engine.questions import QUESTIONS

SEND_EVERY = 0.06
SPEAKS_WITHIN = 10.0
"""Seconds in which a client must have said hello, and in which a frame must be whole once it has begun."""
POINTS_AT_ONCE = 2_000
CHARACTERS_AT_ONCE = 32_768
PATIENCE = 600.0
"""Seconds after which a client that reads nothing is dropped."""


class Host(Protocol):
    """Whom a client speaks with: hears of its coming, its wishes and its going."""

    board: Board

    @property
    def desk(self) -> CorpusDesk: ...

    @property
    def subject(self) -> Subject: ...

    def joined(self, connection: Connection) -> None: ...

    def obey(self, message: ClientMessage) -> None: ...

    def left(self, connection: Connection) -> None: ...

    def misheard(self, words: str) -> None: ...

    def dropped(self, connection: Connection) -> None: ...


class Connection:
    """Keeps places in the engine's histories instead of a queue, so a client that never reads costs next to nothing.

    No more than one helping of news (some 200 KB) waits for it here. When it reads again it is told the newest status
    at once, the losses it has not had, and the text after the last it had, as far back as that is kept. One that
    reads nothing for `patience` seconds is dropped.

    `wake` says that there is something new; `hurry` says that somebody waits for it (a key was pressed).
    """

    def __init__(
        self, host: Host, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float = PATIENCE
    ) -> None:
        self._host, self._board, self._patience = host, host.board, patience
        self._reader, self._writer = reader, writer
        self._wake = asyncio.Event()
        self._hurry = asyncio.Event()
        self._text_position = 0
        self._points_sent = 0
        self._rewinds_seen = 0
        self._status_revision = -1
        self._standing_seen = 0
        self._passing_seen = self._board.passing_count
        self._teller: asyncio.Task[None] | None = None
        self.wants_stream = False
        self._visitor: Visitor | None = None
        self._inquirer: Inquirer | None = None
        self._answers: list[EngineMessage] = []
        self._answered = asyncio.Event()

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
            self._teller = asyncio.create_task(self._tell())
            while (message := await self._next()) is not None:
                if isinstance(message, CORPUS_REQUESTS):
                    self._visitor = self._visitor or Visitor(self._host.desk, self._answer)
                    self._visitor.ask(message)
                elif isinstance(message, QUESTIONS):
                    self._inquirer = self._inquirer or Inquirer(self._host.subject, self._answer)
                    self._inquirer.ask(message)
                else:
                    self._host.obey(message)
        except OSError:
            pass
        except wire.WireError as error:
            self._host.misheard(str(error))
        finally:
            if self._teller is not None:
                self._teller.cancel()
            if self._visitor is not None:
                self._visitor.leave()
            if self._inquirer is not None:
                self._inquirer.leave()
            self._host.left(self)
            self._writer.close()

    async def _answer(self, answer: EngineMessage) -> None:
        """Returns once the answer was taken along, so that a client that does not read holds no more than one."""
        self._answers.append(answer)
        self._answered.clear()
        self.wake(hurry=True)
        await self._answered.wait()

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
            while True:
                await self._wake.wait()
                self._wake.clear()
                self._hurry.clear()
                try:
                    await self._tell_news()
                except TimeoutError:
                    self._host.dropped(self)
                    self._writer.transport.abort()
                    return
                if not self._hurry.is_set():
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self._hurry.wait(), SEND_EVERY)

    async def _tell_news(self) -> None:
        """Tells all that there is, each helping only once the one before is nearly read. Raises TimeoutError."""
        while messages := self._news():
            self._writer.write(b"".join(map(wire.frame, messages)))
            async with asyncio.timeout(self._patience):
                await self._writer.drain()

    def _news(self) -> list[EngineMessage]:
        """The next helping: how things stand with a bounded part of the histories; at last what was said of late."""
        board = self._board
        messages = board.standing(self._standing_seen)
        self._standing_seen = board.standing_count
        messages += self._answers
        self._answers.clear()
        self._answered.set()
        messages += self._new_points()
        if self._status_revision != board.status_revision:
            self._status_revision = board.status_revision
            messages.append(board.status)
        if self.wants_stream and self._text_position < board.text.end:
            pieces = board.text.since(self._text_position, CHARACTERS_AT_ONCE)
            messages.append(Text(pieces))
            self._text_position = pieces[-1].position + len(pieces[-1].text)
        unseen = board.passing_count - self._passing_seen
        if unseen and self._has_histories():
            self._passing_seen = board.passing_count
            messages += list(board.passing)[-unseen:]
        return messages

    def _has_histories(self) -> bool:
        """Whether all points and all text were told, so that what was said of late, the last word too, comes last."""
        text = self._board.text.end if self.wants_stream else 0
        return self._points_sent >= len(self._board.losses.points) and self._text_position >= text

    def _new_points(self) -> list[EngineMessage]:
        losses = self._board.losses
        if self._rewinds_seen != losses.rewinds:
            self._points_sent, self._rewinds_seen = 0, losses.rewinds
        points = losses.points[self._points_sent : self._points_sent + POINTS_AT_ONCE]
        if not points:
            return []
        first = self._points_sent == 0
        self._points_sent += len(points)
        return [Losses(points, first=first)]

    async def finish(self) -> None:
        """Tells what is left to tell, within a second, and hangs up."""
        if self._teller is not None:
            self._teller.cancel()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await self._tell_news()
            self._writer.close()
            await asyncio.wait_for(self._writer.wait_closed(), 1)
        self._writer.transport.abort()  # a client that does not read cannot keep the engine from ending
