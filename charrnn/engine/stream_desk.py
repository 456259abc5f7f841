"""What clients want of the stream beside its text: to hold it, its surprise, what is behind it. No torch here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import TypeVar

from charrnn.config import UsageError
from charrnn.engine.board import Board
from charrnn.engine.choice_messages import StreamOrder
from charrnn.engine.messages import Notice
from charrnn.engine.sampler import Sampler
from charrnn.engine.writing import Writing

Result = TypeVar("Result")


class StreamDesk:
    """Counts who wants what; the sampler may come later. `held` is told when the stream begins or ends to be held."""

    def __init__(self) -> None:
        self._sampler: Sampler | None = None
        self._there = asyncio.Event()
        self._holding = 0
        self._surprised = 0
        self.held: Callable[[bool], None] = lambda held: None

    def use_sampler(self, sampler: Sampler) -> None:
        """The stream is this one's."""
        self._sampler = sampler
        sampler.hold(self._holding > 0)
        sampler.watch_surprise(self._surprised > 0)
        self._there.set()

    async def ask(self, question: Callable[[Writing], Result]) -> Result:
        """What `question` finds in the sampler's thread between two turns, once there is a stream."""
        await self._there.wait()
        assert self._sampler is not None
        return await asyncio.wrap_future(self._sampler.do(question))

    def order(self, order: StreamOrder, board: Board) -> None:
        """Has the stream go back, or step; the board is told what cannot be."""
        if self._sampler is None:
            board.announce(Notice("info", "The stream has not begun yet."))
            return
        loop = asyncio.get_running_loop()

        def done(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is not None:
                level, words = ("warning", str(error)) if isinstance(error, UsageError) else ("error", repr(error))
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(board.announce, Notice(level, words))

        self._sampler.do(lambda writing: writing.obey(order)).add_done_callback(done)

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Meanwhile the stream stands still."""
        self._hold(1)
        try:
            yield
        finally:
            self._hold(-1)

    @contextmanager
    def surprised(self) -> Iterator[None]:
        """Meanwhile the text comes with its surprise."""
        self._watch(1)
        try:
            yield
        finally:
            self._watch(-1)

    def _hold(self, more: int) -> None:
        self._holding += more
        if self._sampler is not None:
            self._sampler.hold(self._holding > 0)
        self.held(self._holding > 0)

    def _watch(self, more: int) -> None:
        self._surprised += more
        if self._sampler is not None:
            self._sampler.watch_surprise(self._surprised > 0)
