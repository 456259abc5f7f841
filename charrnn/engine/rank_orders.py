"""How all ranks come to hear the same orders before the same step, and to count the same seconds."""

from __future__ import annotations

import io
import queue
from collections import deque
from collections.abc import Iterator
from typing import Protocol

from charrnn.engine import wire
from charrnn.engine.trainer_messages import Finish, FromTrainer, ToTrainer
from charrnn.training.distributed import Together

HEARTBEAT = 1.0  # seconds: while training is paused, so that nobody takes rank 0 for dead


class EngineLink(Protocol):
    """Rank 0's connection to the engine."""

    orders: queue.SimpleQueue[ToTrainer]

    def say(self, message: FromTrainer) -> None: ...


class RankLink:
    """What the training loop hears and speaks through, on any rank; `link` is the engine's, None but on rank 0.

    The ranks meet after every step: rank 0 brings what the engine has ordered and its clock, any rank may bring the
    wish to end (its machine's torchrun is told to stop). So an order takes effect before the same step everywhere.
    It costs one sum of three numbers a step, and a broadcast where there are orders.
    """

    def __init__(self, ranks: Together, link: EngineLink | None) -> None:
        self._ranks, self._link = ranks, link
        self._agreed: deque[ToTrainer] = deque()
        self._ending = False

    @property
    def orders(self) -> RankLink:
        """This: the orders that all ranks have agreed on."""
        return self

    def say(self, message: FromTrainer) -> None:
        """To the engine; the other ranks are quiet."""
        if self._link is not None:
            self._link.say(message)

    def end(self) -> None:
        """From a signal's handler: all ranks are to finish at the next step."""
        self._ending = True

    @property
    def ending(self) -> bool:
        """Whether `end` was called."""
        return self._ending

    def get(self, block: bool = True) -> ToTrainer:
        """The next order that all agreed on. Raises queue.Empty where there is none and `block` is False."""
        while not self._agreed:
            if not block:
                raise queue.Empty
            self._meet(0.0, wait=HEARTBEAT)
        return self._agreed.popleft()

    def clock(self, seconds: float) -> float:
        """Meets the other ranks: rank 0's seconds, and new orders."""
        return self._meet(seconds, wait=0.0)

    def _meet(self, seconds: float, wait: float) -> float:
        frames = b"".join(wire.frame(order) for order in self._ordered(wait))
        length, ending, clock = self._ranks.sums(len(frames), self._ending, seconds if self._link else 0.0)
        if length:
            arrived = io.BytesIO(self._ranks.bytes_of_first(frames))
            self._agreed.extend(iter(lambda: wire.read_blocking(arrived, wire.to_trainer), None))
        if ending:
            self._agreed.append(Finish())
        return clock

    def _ordered(self, wait: float) -> Iterator[ToTrainer]:
        """Everything that waits at rank 0, after waiting at most so many seconds for the first of it."""
        if self._link is None:
            return
        try:
            if wait:
                yield self._link.orders.get(timeout=wait)
            while True:
                yield self._link.orders.get(block=False)
        except queue.Empty:
            return
