"""Who watches a run, and for how long nobody has: what decides when an engine that has nothing to do ends."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable

LINGER = 600.0
"""Seconds for which a run that is over stays, so that whoever comes finds its stream and its history."""
_LOOK_EVERY = 1.0


class Watchers:
    """The clients that want the stream; one that asks or stops, as `charrnn runs` does, is no watcher."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._here: set[object] = set()
        self._alone_since = clock()

    def __len__(self) -> int:
        return len(self._here)

    def came(self, one: object) -> None:
        self._here.add(one)

    def went(self, one: object) -> None:
        """`one` is gone; it need not have been a watcher."""
        if one in self._here:
            self._here.remove(one)
            self._alone_since = self._clock()

    async def gone_for(self, seconds: float, stop: asyncio.Event) -> None:
        """Returns once nobody has watched for `seconds`, counted from now at the earliest, or when `stop` is set."""
        begun = self._clock()
        while not stop.is_set():
            left = seconds - (self._clock() - max(begun, self._alone_since))
            if not self._here and left <= 0:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), min(left, _LOOK_EVERY) if not self._here else _LOOK_EVERY)
