"""Watches whether a trainer that lives also works: stopped, slow, or hung for good. No torch here.

What it knows of a process is what /proc/PID/stat says (proc(5)): its state and the time it has worked. Where there is
no /proc, only a long silence is told.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_DUMP_TAKES = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When a trainer is told to be silent and taken for hung (seconds), and how often it is started again.

    `restarts` within `within` seconds; `look` is the time between two looks at it.
    """

    restarts: int = 3
    within: float = 600.0
    silent: float = 60.0
    hung: float = 600.0
    look: float = 0.5


@dataclass(frozen=True, slots=True)
class Look:
    """A process at one moment: stopped by a signal or a debugger, waiting for a disk, and the ticks it has worked."""

    stopped: bool
    waits_for_disk: bool
    worked: int


def look_at(pid: int) -> Look | None:
    """None where there is no such process, or no /proc."""
    try:
        state, worked = _stat(Path(f"/proc/{pid}/stat"))
        states = {_stat(task / "stat")[0] for task in Path(f"/proc/{pid}/task").iterdir()}
    except (OSError, ValueError, IndexError):
        return None
    return Look(state in "Tt", "D" in states, worked)


def _stat(place: Path) -> tuple[str, int]:
    fields = place.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    return fields[0], int(fields[11]) + int(fields[12])


class TrainerWatch:
    """Tells what is wrong with one trainer, in a sentence for as long as it is, and ends it when it hangs.

    `tell(words)` is called with None when it is over. `busy()` says whether news are due, `where()` what place in the
    code the trainer named last: it is asked by SIGUSR1, once it has said its first word.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        limits: Limits,
        *,
        tell: Callable[[str | None], None],
        busy: Callable[[], bool],
        where: Callable[[], str],
    ) -> None:
        self._process, self._limits = process, limits
        self._tell, self._busy, self._where = tell, busy, where
        self._told: str | None = None
        self._slow = False
        self._answers = False
        self._owes = False
        self._silence = 0.0
        self._idle = 0.0
        self._worked = 0
        self.hung = ""
        """Why it was ended, "" while it was not."""

    def heard(self) -> None:
        """It said something."""
        self._answers, self._owes, self._silence = True, False, 0.0

    def asked(self) -> None:
        """It was sent something that it will answer."""
        self._owes = True

    async def watch(self) -> None:
        """Until cancelled, or until it had to end the trainer."""
        before = time.monotonic()
        while not self.hung:
            await asyncio.sleep(self._limits.look)
            now = time.monotonic()
            # An engine that stood still itself has heard nothing either: that is nobody's silence.
            await self._look(min(now - before, 2 * self._limits.look))
            before = now

    async def _look(self, passed: float) -> None:
        pid = self._process.pid
        seen = look_at(pid)
        if seen is not None and seen.stopped:
            self._say(f"The trainer is stopped (SIGSTOP): it goes on when it is continued, with kill -CONT {pid}.")
            return
        self._silence = self._silence + passed if self._busy() or self._owes else 0.0
        if self._silence < self._limits.silent:
            self._idle, self._slow = 0.0, False
            self._say(None)
        elif not self._slow:
            await self._tell_slow(seen)
        elif seen is not None:
            self._idle += passed
            worked = (seen.worked - self._worked) / os.sysconf("SC_CLK_TCK")
            if seen.waits_for_disk or worked > 0.01 * self._idle + 0.1:
                self._idle, self._worked = 0.0, seen.worked
            elif self._idle >= self._limits.hung:
                place = await self._ask()
                self.hung = f"the trainer hung: no news and no work for {self._idle:,.0f} s{place}"
                self._process.kill()

    async def _tell_slow(self, seen: Look | None) -> None:
        place = await self._ask()
        if self._silence:  # nothing came meanwhile
            self._slow, self._worked = True, seen.worked if seen is not None else 0
            disk = "; it waits for a disk" if seen is not None and seen.waits_for_disk else ""
            self._say(f"The trainer has said nothing for more than {self._limits.silent:,.0f} s{place}{disk}.")

    async def _ask(self) -> str:
        """Where it is, in words that follow others; "" if it does not say."""
        if not self._answers:
            return ""
        try:
            self._process.send_signal(signal.SIGUSR1)
        except OSError:
            return ""
        await asyncio.sleep(min(_DUMP_TAKES, self._limits.silent))
        place = self._where()
        return f", {place}" if place else ""

    def _say(self, words: str | None) -> None:
        if words != self._told:
            self._told = words
            self._tell(words)


class Restarts:
    """How many more times a trainer is started again by itself: so many within so much time."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits, self._clock = limits, clock
        self._times: list[float] = []

    def take(self) -> bool:
        """Whether there is one left; it is then taken."""
        now = self._clock()
        self._times = [then for then in self._times if now - then < self._limits.within]
        if len(self._times) >= self._limits.restarts:
            return False
        self._times.append(now)
        return True

    def forget(self) -> None:
        """A user has decided: it counts from the beginning."""
        self._times.clear()
