"""The trainer is killed, or stopped: the workbench lives, says why, the stream goes on, little is repeated."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from charrnn.engine.client import Launched
from charrnn.engine.messages import Losses, Notice, Text, WriteCheckpoint
from tests.engine.driving import Watcher
from tests.faults.engines import environment, in_lanes, serving, spread, trainer_at_work
from tests.faults.promise import Outcome, Promise
from tests.terminal.pseudo_terminal import Terminal, terminal

SIGNALS = (signal.SIGKILL, signal.SIGSEGV, signal.SIGBUS)
REPEATED, SHOWN = 60.0, 2.0
STOPPED_FOR, STOPPED_BRIEFLY = 30.0, 2.0


@dataclass
class Seen:
    """What the tries showed: seconds until the cause was shown, to a client and on a screen; seconds repeated."""

    told: list[float] = field(default_factory=list)
    on_screen: list[float] = field(default_factory=list)
    repeated: list[float] = field(default_factory=list)
    characters: list[float] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def outcome(self, times: int) -> Outcome:
        for name, values in (("told", self.told), ("on the screen", self.on_screen)):
            # The machine may be busy with other things for a while; not half of the time.
            if values and statistics.median(values) > SHOWN:
                self.broken.append(f"the cause was {name} after {statistics.median(values):.1f} s, in the middle")
        measured = [f"told after {spread(self.told, 's')}"]
        if self.on_screen:
            measured.append(f"on a screen after {spread(self.on_screen, 's')}")
        if self.repeated:
            measured.append(f"repeated {spread(self.repeated, 's of training', 1)}")
        measured.append(f"streamed meanwhile {spread(self.characters, 'characters', 0)}")
        return Outcome(times, "; ".join(measured), tuple(self.broken))


class Screen(threading.Thread):
    """A real workbench on the run, in a pseudo-terminal that is read all the time."""

    def __init__(self, one: Terminal) -> None:
        super().__init__(daemon=True)
        self._one = one
        self._over = threading.Event()
        self.text = ""
        self.alive = True

    def run(self) -> None:
        while not self._over.is_set():
            if not self._one.read(0.05):
                self.alive = False
                return
            self.text = "\n".join(self._one.screen.display)

    async def shows(self, words: str, seconds: float = 60) -> None:
        async with asyncio.timeout(seconds):
            while words not in self.text:
                assert self.alive, "the workbench has gone"
                await asyncio.sleep(0.02)

    def end(self) -> None:
        self._over.set()
        self.join()


@contextmanager
def workbench(run: Path, folder: Path) -> Iterator[Screen]:
    with terminal(sys.executable, "-m", "tui", str(run), **environment(folder)) as one:
        screen = Screen(one)
        screen.start()
        try:
            yield screen
        finally:
            screen.end()


def _characters(watcher: Watcher) -> int:
    return sum(len(piece.text) for piece in watcher.text)


def _untold(watcher: Watcher, heard: int, pid: int, sent: signal.Signals) -> str:
    """What is known of a death that nobody told: what was told instead, and how the process is."""
    said = [message for message in watcher.messages[heard:] if not isinstance(message, Text | Losses)]
    try:
        state = Path(f"/proc/{pid}/status").read_text().split("\n")[:3]
    except OSError:
        state = ["gone"]
    return f"{sent.name} was not told: process {pid} is {state}; told instead: {said[:3]} … {said[-5:]}"


async def _kill(watcher: Watcher, started: Launched, seen: Seen, screen: Screen | None, number: int, seed: int) -> None:
    """One try: kills the trainer at a random moment, also while it saves, and waits until another one trains."""
    chance = random.Random(seed * 1000 + number)
    sent = SIGNALS[number % len(SIGNALS)]
    pid = await trainer_at_work(watcher, started)
    await asyncio.sleep(chance.uniform(0, 1))
    if chance.random() < 0.5:
        watcher.client.send(WriteCheckpoint())
        await asyncio.sleep(chance.uniform(0, 0.05))
    before, characters, heard = watcher.status, _characters(watcher), len(watcher.messages)
    killed = time.monotonic()
    os.kill(pid, sent)

    def told() -> bool:
        return any(isinstance(m, Notice) and f"ended by {sent.name}" in m.text for m in watcher.messages[heard:])

    try:
        await watcher.until(told, 60)
    except TimeoutError:
        raise AssertionError(_untold(watcher, heard, pid, sent)) from None
    seen.told.append(time.monotonic() - killed)
    if screen is not None:
        await screen.shows(f"ended by {sent.name}")
        seen.on_screen.append(time.monotonic() - killed)
    await watcher.until(lambda: watcher.status.state == "training", 120)
    again = watcher.status
    await watcher.until(lambda: watcher.status.step > again.step, 120)
    gained = _characters(watcher) - characters
    seen.characters.append(gained)
    if gained == 0:
        seen.broken.append(f"try {number}: the stream stood still after {sent.name}")
    first = next(p.seconds for p in watcher.points[::-1] if p.step <= again.step) if again.step else 0.0
    seen.repeated.append(max(0.0, before.seconds - first))
    if seen.repeated[-1] > REPEATED:
        seen.broken.append(f"try {number}: {seen.repeated[-1]:.0f} s of training were repeated")


def killed(times: int, folder: Path, seed: int) -> Outcome:
    """SIGKILL, SIGSEGV and SIGBUS in turn, on two runs beside each other, one of them with a workbench."""
    seen = Seen()

    async def lane(number: int, tries: list[int]) -> None:
        async with serving(folder, f"run-{number}") as (watcher, started):
            await trainer_at_work(watcher, started)
            if number:
                for one in tries:
                    await _kill(watcher, started, seen, None, one, seed)
                return
            with workbench(folder / "runs" / "run-0", folder) as screen:
                await screen.shows("● training")
                for one in tries:
                    await _kill(watcher, started, seen, screen, one, seed)
                await screen.shows("● training")

    asyncio.run(in_lanes(times, 2, lane))
    return seen.outcome(times)


async def _stop(watcher: Watcher, started: Launched, seen: Seen, seconds: float, number: int, seed: int) -> None:
    """One try: stops the trainer at a random moment for so long, and continues it."""
    pid = await trainer_at_work(watcher, started)
    await asyncio.sleep(random.Random(seed * 1000 + number).uniform(0, 1))
    stopped = time.monotonic()
    os.kill(pid, signal.SIGSTOP)
    try:
        await watcher.until(lambda: any("stopped (SIGSTOP)" in words for words in watcher.status.troubles), 60)
        seen.told.append(time.monotonic() - stopped)
        before, characters = watcher.status, _characters(watcher)
        await asyncio.sleep(max(0.0, seconds - seen.told[-1]))
        gained = _characters(watcher) - characters
    finally:
        os.kill(pid, signal.SIGCONT)
    seen.characters.append(gained)
    if gained == 0:
        seen.broken.append(f"try {number}: the stream stood still while the trainer was stopped")
    await watcher.until(lambda: not watcher.status.troubles and watcher.status.step > before.step, 60)
    if await trainer_at_work(watcher, started) != pid:
        seen.broken.append(f"try {number}: the stopped trainer was replaced")


def stopped(times: int, folder: Path, seed: int) -> Outcome:
    """Ten runs beside each other, for most of the time is waiting; a few tries are stopped briefly."""
    seen = Seen()
    seconds = STOPPED_FOR if times >= 10 else STOPPED_BRIEFLY

    async def lane(number: int, tries: list[int]) -> None:
        async with serving(folder, f"run-{number}") as (watcher, started):
            for one in tries:
                await _stop(watcher, started, seen, seconds, one, seed)

    asyncio.run(in_lanes(times, max(1, min(10, times // 2)), lane))
    return seen.outcome(times)


FIGURE = "50 times each signal: workbench alive, cause shown ≤ 2 s, the stream goes on, ≤ 60 s of training repeated"
PROMISES = (
    Promise(3, "trainer killed (SIGKILL, SIGSEGV, SIGBUS)", FIGURE, often=150, few=2, keep=killed),
    Promise(3, "trainer stopped for 30 s (SIGSTOP)", FIGURE, often=50, few=2, keep=stopped),
)
