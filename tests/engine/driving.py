"""A real engine with a real trainer on a small text, and a client that waits for what it is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from charrnn.engine import wire
from charrnn.engine.client import EngineClient, Launched, launch
from charrnn.engine.messages import (
    EngineMessage,
    Generated,
    Hello,
    Losses,
    LossPoint,
    RunRequest,
    Start,
    Status,
    StopRun,
    Text,
)
from charrnn.engine.trainer_watch import Limits

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
                case Text(pieces):
                    self.text += pieces
                case Losses(points):
                    self.points += points
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
async def engine(
    target: Path | str, *, limits: Limits | None = None, **options: Any
) -> AsyncIterator[tuple[Watcher, Launched]]:
    """An engine at work; it is stopped, and by force if need be, when the test is done with it."""
    request = RunRequest(target=str(target), options={**SMALL, **options})
    async with launched(request, limits) as both:
        yield both


def launch_limited(request: RunRequest, limits: Limits, *, stream: bool = True, **environment: str) -> Launched:
    """As `client.launch`, but with other limits than a user's; without `stream` the engine never loads torch."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        words = ["--connection", str(theirs.fileno()), json.dumps(asdict(limits))]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.other_limits", *words],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=Path(__file__).parents[2],
            env={**os.environ, **environment},
        )
    ours.sendall(wire.frame(Hello(stream=stream)) + wire.frame(Start(request)))
    return Launched(process, ours)


@asynccontextmanager
async def launched(request: RunRequest, limits: Limits | None = None) -> AsyncIterator[tuple[Watcher, Launched]]:
    started = launch(request) if limits is None else launch_limited(request, limits)
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


def trainer_of(pid: int) -> int | None:
    """The trainer of the engine `pid`, None while it has none."""
    for child in children(pid):
        with suppress(OSError):
            if b"charrnn.engine.trainer_process" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child
    return None


async def gone(pid: int, seconds: float = 60) -> None:
    """Waits until there is no such process."""
    async with asyncio.timeout(seconds):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.05)
