"""The engine is killed, also while its trainer saves: the trainer saves and ends, and the run opens where it stood."""

from __future__ import annotations

import asyncio
import random
import time
from pathlib import Path

from charrnn.engine.messages import WriteCheckpoint
from charrnn.runs.checkpoint import MODEL, STATE, load_tensors
from charrnn.runs.directory import is_live
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import Watcher
from tests.faults.engines import gone, in_lanes, serving, spread, trainer_at_work
from tests.faults.promise import Outcome, Promise


def _problems(run: Path, told: int) -> list[str]:
    """What is wrong with a run whose engine was killed after it had told of step `told`."""
    found = []
    if is_live(run):
        found.append("somebody still holds its lock")
    saved = list_checkpoints(run)
    if not saved:
        return [*found, "it has no complete checkpoint"]
    for name in (MODEL, STATE):
        load_tensors(saved[-1], name)  # verifies size and digest
    if saved[-1].step < told:
        found.append(f"step {told:,} was told, and the newest checkpoint is of step {saved[-1].step:,}")
    last = read_metrics(run)[-1]["step"]
    if last < told:
        found.append(f"step {told:,} was told, and the record ends at {last:,}")
    return found


def keep(times: int, folder: Path, seed: int) -> Outcome:
    """Three runs beside each other, each killed again and again: every try but a run's first goes on for real."""
    broken: list[str] = []
    ended: list[float] = []
    saving = 0

    async def one(run: str, number: int) -> None:
        nonlocal saving
        chance = random.Random(seed * 1000 + number)
        place = folder / "runs" / run
        before = list_checkpoints(place)[-1].step if place.exists() else 0
        async with serving(folder, run, stream=False) as (watcher, started):
            trainer = await trainer_at_work(watcher, started)
            if watcher.points and watcher.status.step < before:
                broken.append(f"try {number}: it went on from before step {before:,}")
            await asyncio.sleep(chance.uniform(0, 1))
            if chance.random() < 0.5:
                saving += 1
                watcher.client.send(WriteCheckpoint())
                await asyncio.sleep(chance.uniform(0, 0.05))
            told = _told(watcher)
            started.process.kill()
            killed = time.monotonic()
            await gone(trainer, 120)
            ended.append(time.monotonic() - killed)
        try:
            broken.extend(f"try {number}: {words}" for words in _problems(place, told))
        except Exception as error:
            broken.append(f"try {number}: the newest checkpoint does not load: {error}")

    async def lane(number: int, tries: list[int]) -> None:
        for each in tries:
            await one(f"run-{number}", each)
        async with serving(folder, f"run-{number}", stream=False) as (watcher, started):
            await trainer_at_work(watcher, started)  # the last one opens too

    asyncio.run(in_lanes(times, 3, lane))
    measured = f"{saving} of them while it saved; the trainer had saved and ended after {spread(ended, 's')}"
    return Outcome(times, measured, tuple(broken))


def _told(watcher: Watcher) -> int:
    return max(watcher.status.step, watcher.points[-1].step if watcher.points else 0)


PROMISES = (
    Promise(
        row=4,
        name="engine killed at a random moment, also while it saves",
        figure="100 times: the run opens, newest complete checkpoint loads",
        often=100,
        few=2,
        keep=keep,
    ),
)
