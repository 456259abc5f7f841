"""Engines for the promises: each in a folder of its own, watched by a client, gone when its promise has been tried."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from charrnn.engine.client import EngineClient, Launched
from charrnn.engine.messages import RunRequest
from charrnn.engine.trainer_watch import Limits
from tests.engine.driving import SMALL, Watcher, gone, launch_limited, trainer_of

FOREVER = Limits(restarts=1_000_000)
WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "many", "old", "ships", "sail")


def corpus(folder: Path) -> Path:
    """A text of some 20,000 characters in the folder, the same every time."""
    path = folder / "sentences.txt"
    if not path.exists():
        chance = random.Random(5)
        lines = [" ".join(chance.choices(WORDS, k=chance.randrange(4, 12))).capitalize() + ".\n" for _ in range(500)]
        path.write_text("".join(lines), encoding="utf-8")
    return path


def request(folder: Path, run: str) -> RunRequest:
    """To train the run of that name: a new one, or one that is there."""
    place = folder / "runs" / run
    if (place / "config.toml").exists():
        return RunRequest(target=str(place), runs_folder=str(folder / "runs"))
    options = {**SMALL, "validation": 0.0}
    return RunRequest(target=str(corpus(folder)), run=run, runs_folder=str(folder / "runs"), options=options)


def environment(folder: Path) -> dict[str, str]:
    """So that nothing of the user's is touched."""
    return {"CHARRNN_CACHE": str(folder / "cache"), "CHARRNN_RUNS": str(folder / "runs")}


@asynccontextmanager
async def serving(folder: Path, run: str, *, stream: bool = True) -> AsyncIterator[tuple[Watcher, Launched]]:
    """An engine that trains the run, and a client of it; both it and its trainer are gone afterwards."""
    started = launch_limited(request(folder, run), FOREVER, stream=stream, **environment(folder))
    watcher = Watcher(await EngineClient.over(started.connection))
    try:
        yield watcher, started
    finally:
        await watcher.close()
        with suppress(ProcessLookupError):  # its trainer is of the same group
            os.killpg(started.process.pid, signal.SIGKILL)
        await asyncio.to_thread(started.process.wait)


async def trainer_at_work(watcher: Watcher, started: Launched, seconds: float = 120) -> int:
    """The process id of the trainer, once it takes steps."""
    await watcher.until(lambda: watcher.status.state == "training", seconds)
    step = watcher.status.step
    await watcher.until(lambda: watcher.status.step > step, seconds)
    pid = trainer_of(started.process.pid)
    assert pid is not None
    return pid


async def in_lanes(times: int, lanes: int, lane: Callable[[int, list[int]], Awaitable[None]]) -> None:
    """Shares out the tries 0 … times - 1: `lane(number, its tries)` runs beside the others."""
    shares = [list(range(number, times, lanes)) for number in range(min(lanes, times))]
    await asyncio.gather(*(lane(number, share) for number, share in enumerate(shares)))


def spread(values: list[float], unit: str, digits: int = 2) -> str:
    """Median (lowest – highest)."""
    if not values:
        return "none"
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return f"{middle:.{digits}f} {unit} ({ordered[0]:.{digits}f} – {ordered[-1]:.{digits}f})"


__all__ = ["corpus", "environment", "gone", "in_lanes", "request", "serving", "spread", "trainer_at_work"]
