"""Drawing at a bounded rate, however often there is something new to draw."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rates:
    """Seconds between two drawings of the stream, the status line, the chart; what a key changes is drawn at once."""

    stream: float
    status: float
    chart: float


QUICK, SLOW = Rates(0.11, 0.9, 1.5), Rates(0.5, 3.0, 6.0)


def rates(slow: bool) -> Rates:
    """For a line that carries much, or little."""
    return SLOW if slow else QUICK


class Pulse:
    """Calls `draw` at most once in `every` seconds however often it is asked to."""

    def __init__(self, every: float, draw: Callable[[], None]) -> None:
        self._every = every
        self._draw = draw
        self._last = 0.0
        self._handle: asyncio.TimerHandle | None = None

    def soon(self) -> None:
        if self._handle is None:
            loop = asyncio.get_running_loop()
            self._handle = loop.call_at(max(loop.time(), self._last + self._every), self.now)

    def now(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
        self._last = asyncio.get_running_loop().time()
        self._draw()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
