"""Row 12: the clock is set a day back or forward, under an engine and a trainer that run."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import mmap
import os
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from charrnn.engine import wire
from charrnn.engine.client import EngineClient
from charrnn.engine.messages import Hello, RunRequest, Start, StopRun, Welcome, WriteCheckpoint
from charrnn.runs.metrics import EVENTS, read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import SMALL, Watcher
from tests.faults.guarded_run import ROOT, TEXT, spread, surroundings
from tests.faults.hurried_engine import options
from tests.faults.promise import Outcome, Promise

DAY = 86_400
SANE = 100.0
"""How many times faster or slower than before training may seem on a busy machine; a day makes it 86,400 times."""


class SetClock:
    """The clock of the processes that are started under `environment`: so many seconds ahead of the machine's."""

    def __init__(self, folder: Path) -> None:
        compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
        if compiler is None or sys.platform != "linux":
            pytest.skip("a clock that can be set needs Linux and a C compiler")
        library, place = folder / "set_clock.so", folder / "ahead"
        source = Path(__file__).with_suffix(".c")
        subprocess.run([compiler, "-O1", "-fPIC", "-shared", "-o", library, source], check=True)
        place.write_bytes(bytes(8))
        with place.open("r+b") as file:
            self._ahead = mmap.mmap(file.fileno(), 8)
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "CHARRNN_CLOCK_AHEAD": str(place)}

    def set(self, ahead: int) -> None:
        self._ahead[:] = struct.pack("=q", ahead)


@contextlib.asynccontextmanager
async def _engine(folder: Path, clock: SetClock) -> AsyncIterator[Watcher]:
    """An engine and its trainer under that clock, and a client of it that is not."""
    text = folder / "foxes.txt"
    text.write_text(TEXT)
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        command = [sys.executable, "-m", "tests.faults.hurried_engine", "--connection", str(theirs.fileno())]
        process = subprocess.Popen(
            command, cwd=ROOT, pass_fds=[theirs.fileno()], env=clock.environment, start_new_session=True
        )
    request = RunRequest(target=str(text), run="foxes", options={**SMALL, "validation": 0.0, **options()})
    ours.sendall(wire.frame(Hello()) + wire.frame(Start(request)))
    try:
        watcher = Watcher(await EngineClient.over(ours))
        try:
            await watcher.until(lambda: watcher.status.step > 20 and watcher.text, 180)
            yield watcher
            watcher.client.send(StopRun())
            await watcher.until(lambda: watcher.ended, 60)
        finally:
            await watcher.close()
        await asyncio.to_thread(process.wait, 60)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _jump(watcher: Watcher, clock: SetClock, ahead: int, rates: list[float], waits: list[float]) -> list[str]:
    """Sets the clock, and looks at what the run makes of it."""
    run = Path(watcher.told(Welcome)[0].folder)
    before, begun, characters = watcher.status, time.monotonic(), len(watcher.text)
    clock.set(ahead)
    await watcher.until(lambda: watcher.status.step > before.step + 10 and len(watcher.text) > characters, 120)
    await watcher.until(lambda: list_checkpoints(run) and list_checkpoints(run)[-1].step > before.step, 120)
    waits.append(time.monotonic() - begun)
    watcher.client.send(WriteCheckpoint())  # its event says what the engine takes the time for
    asked = _events(run, "checkpoint")
    async with asyncio.timeout(120):
        while len(events := _events(run, "checkpoint")) == len(asked):
            await asyncio.sleep(0.05)
    after, seconds = watcher.status, time.monotonic() - begun
    broken = []
    if abs(events[-1]["time"] - time.time() - ahead) > 300:
        broken.append("the clock was not set")
    trained = after.seconds - before.seconds
    if not 0 <= trained <= seconds + 5:  # a status may be half a second old, and a busy machine's older
        broken.append(f"{trained:.1f} s of training in {seconds:.1f} s")
    rate = after.characters_per_second
    usual = sorted(rates)[len(rates) // 2]
    if not (math.isfinite(rate) and usual / SANE < rate < usual * SANE):
        broken.append(f"{rate} characters a second, {usual:.0f} before")
    rates.append(rate)
    return [f"clock {ahead:+,} s: {words}" for words in broken]


def _events(run: Path, name: str) -> list[dict[str, Any]]:
    """The run's events of that name, without a line that is being written."""
    text = (run / EVENTS).read_text()
    lines: Iterator[dict[str, Any]] = map(json.loads, text[: text.rfind("\n") + 1].splitlines())
    return [event for event in lines if name in ("", event["event"])]


def _ages(clock: SetClock, ahead: int) -> list[str]:
    """`charrnn runs` under that clock: no age is below nothing or past a day and what the run has lived."""
    clock.set(ahead)
    words = [sys.executable, "-m", "charrnn", "runs", "--json"]
    done = subprocess.run(words, cwd=ROOT, env=clock.environment, capture_output=True, text=True, check=False)
    runs = [json.loads(line) for line in done.stdout.splitlines()]
    sane = len(runs) == 1 and 0 <= runs[0]["age"] <= DAY + 3600 and runs[0]["state"] == "live"
    return [] if sane else [f"charrnn runs, clock {ahead:+,} s: {done.stdout}{done.stderr}"]


def _record(run: Path, watcher: Watcher, lived: float) -> list[str]:
    """The record, once all is over: in order by step, with seconds that only grow, and no more than there were."""
    broken = []
    lines = read_metrics(run)
    written = (run / "metrics.jsonl").read_text().splitlines()
    if len(lines) != len(written) or [line["step"] for line in lines] != [p.step for p in watcher.points]:
        broken.append("metrics.jsonl is not the history that was told")
    seconds = [line["seconds"] for line in lines]
    if any(b < a for a, b in itertools.pairwise(seconds)) or not 0 < seconds[-1] <= lived:
        broken.append(f"seconds go from {seconds[0]} to {seconds[-1]} in {lived:.1f} s")
    steps = [event["step"] for event in _events(run, "")]
    if steps != sorted(steps):
        broken.append("events.jsonl is out of order")
    if list_checkpoints(run)[-1].step != lines[-1]["step"]:
        broken.append("the newest checkpoint is not that of the last step")
    return broken


async def _try(times: int, folder: Path, seed: int) -> Outcome:
    chance = random.Random(seed)
    clock = SetClock(folder)
    begun = time.monotonic()
    broken: list[str] = []
    waits: list[float] = []
    async with _engine(folder, clock) as watcher:
        await watcher.until(lambda: watcher.status.characters_per_second > 0, 120)
        rates = [watcher.status.characters_per_second]
        ahead = 0
        for _ in range(times):
            ahead += chance.choice([-DAY, DAY]) if not ahead else -ahead
            await asyncio.sleep(chance.uniform(0, 0.5))
            broken += await _jump(watcher, clock, ahead, rates, waits)
        for ahead in (DAY, -DAY):
            broken += await asyncio.to_thread(_ages, clock, ahead)
    broken += _record(Path(watcher.told(Welcome)[0].folder), watcher, time.monotonic() - begun)
    measured = f"{spread(rates, 'characters/s', 0)}; a checkpoint by time {spread(waits, 's', 1)} after the jump"
    return Outcome(times, measured, tuple(broken))


def keep(times: int, folder: Path, seed: int) -> Outcome:
    with surroundings(folder):
        return asyncio.run(_try(times, folder, seed))


PROMISES = (Promise(12, "clock set a day back or forward", "rates, order and `seconds` sane", 60, 3, keep),)
