"""Work for clients beside training: one piece at a time, in a thread, with a rest after each. No torch here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")

RESTS = 1.0
"""Seconds of rest after a second of work that somebody waits for."""
LONGEST_REST = 0.5


class Turns:
    """However much clients ask, they take no more than a part of one core from training."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def work(self, piece: Callable[[], Result], rests: float = RESTS) -> Result:
        """Does a piece of work in a thread when it is its turn, then rests in proportion; the result comes before."""
        worked = 0.0

        def timed() -> Result:
            nonlocal worked
            begun = time.thread_time()
            try:
                return piece()
            finally:
                worked = time.thread_time() - begun

        await self._turn.acquire()
        job = asyncio.ensure_future(asyncio.to_thread(timed))

        def rest(_: asyncio.Future[Result]) -> None:
            if not job.cancelled():
                job.exception()  # nobody may be there any more to hear of it
            loop.call_later(min(LONGEST_REST, rests * worked), self._turn.release)

        loop = asyncio.get_running_loop()
        job.add_done_callback(rest)
        return await asyncio.shield(job)  # a thread goes on when nobody waits for it; the next turn is after it
