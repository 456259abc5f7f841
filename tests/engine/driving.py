"""A real engine with a real trainer on a small text, and a client that waits for what it is told."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from charrnn.engine.client import EngineClient, Launched, launch
from charrnn.engine.messages import EngineMessage, Generated, LossPoint, RunRequest, Status, StopRun

SMALL: dict[str, Any] = {"hidden": 16, "embedding": 8, "batch": 4, "length": 16, "threads": 1, "pace": 200.0}


class Watcher:
    """A client and everything it was told."""

    def __init__(self, client: EngineClient) -> None:
        self.client = client
        self.messages: list[EngineMessage] = []
        self.text: list[Generated] = []
        self.points: list[LossPoint] = []
        self.status = Status(state="unheard")
        self.ended = False
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.client:
            self.messages.append(message)
            match message:
                case Status():
                    self.status = message
                case _:
                    self.text += getattr(message, "pieces", [])
                    self.points += getattr(message, "points", [])
            self._news.set()
        self.ended = True
        self._news.set()

    async def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """The condition's value, as soon as it is true."""

        async def wait() -> Any:
            while not (value := condition()):
                assert not self.ended or condition(), f"the engine ended: {self.messages[-3:]}"
                self._news.clear()
                await self._news.wait()
            return value

        return await asyncio.wait_for(wait(), seconds)

    def told(self, kind: type[Any]) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]

    async def close(self) -> None:
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        await self.client.close()


@asynccontextmanager
async def engine(target: Path | str, **options: Any) -> AsyncIterator[tuple[Watcher, Launched]]:
    """An engine at work; it is stopped, and by force if need be, when the test is done with it."""
    request = RunRequest(target=str(target), options={**SMALL, **options})
    async with launched(request) as both:
        yield both


@asynccontextmanager
async def launched(request: RunRequest) -> AsyncIterator[tuple[Watcher, Launched]]:
    started = launch(request)
    watcher = Watcher(await EngineClient.over(started.connection))
    try:
        yield watcher, started
        watcher.client.send(StopRun())
        await watcher.until(lambda: watcher.ended, 30)
    finally:
        await watcher.close()
        assert started.process is not None
        try:
            await asyncio.to_thread(started.process.wait, 10)
        except Exception:
            with suppress(ProcessLookupError):
                os.killpg(started.process.pid, signal.SIGKILL)
            raise


def children(pid: int) -> list[int]:
    """The processes that `pid` started."""
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
