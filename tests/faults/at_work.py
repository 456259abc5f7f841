"""A real run at work for the promises: its engine in a session of its own, its trainer, and what is seen of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import signal
import sys
import threading
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from charrnn.engine import wire
from charrnn.engine.asking import stop
from charrnn.engine.client import Launched, attach, launch
from charrnn.engine.messages import ClientMessage, Hello, RunRequest
from charrnn.runs.directory import socket_path
from tests.terminal.pseudo_terminal import Terminal

WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "many", "old", "ships", "that", "sail", "home", "and", "why")


def some_text(seed: int, sentences: int = 500) -> str:
    """Made-up sentences, the same for the same seed."""
    chance = random.Random(seed)
    made = (" ".join(chance.choice(WORDS) for _ in range(chance.randrange(4, 12))) for _ in range(sentences))
    return "".join(sentence.capitalize() + chance.choice([". ", "? ", ".\n"]) for sentence in made)


@dataclass(frozen=True, slots=True)
class Run:
    """A live run: its folder, its engine's process, its trainer's process."""

    folder: Path
    engine: int
    trainer: int

    def lines(self, name: str = "metrics.jsonl") -> list[dict[str, Any]]:
        """The whole lines of a record."""
        text = (self.folder / name).read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def workbench(self, size: tuple[int, int] = (120, 34)) -> Terminal:
        """A real `charrnn-tui` in a pseudo-terminal, attached to the run."""
        return Terminal([sys.executable, "-m", "tui", str(self.folder)], size)

    def say(self, *messages: ClientMessage) -> None:
        """Tells the engine, as a client that then leaves."""
        with attach(str(socket_path(self.folder)), Hello(stream=False)) as connection:
            connection.sendall(b"".join(map(wire.frame, messages)))
            connection.settimeout(10)
            connection.recv(1)  # it has heard the greeting, and takes what follows in order


@contextlib.contextmanager
def training_run(folder: Path, name: str, **options: Any) -> Iterator[Run]:
    """A run that trains with nobody attached; it is stopped at the end, and by force where that fails."""
    folder.mkdir(parents=True, exist_ok=True)
    text = folder / "sentences.txt"
    text.write_text(some_text(5))
    place = folder / "runs" / name
    request = RunRequest(target=str(text), run=str(place), options={"threads": 1, "validation": 0.0, **options})
    launched = launch(request)
    try:
        wait_for(lambda: (place / "metrics.jsonl").exists(), launched)
        trainer = Path(f"/proc/{launched.process.pid}/task/{launched.process.pid}/children").read_text().split()[0]
        launched.connection.close()
        yield Run(place, launched.process.pid, int(trainer))
        asyncio.run(stop(place))
        launched.process.wait(30)
    finally:
        launched.connection.close()
        if launched.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(launched.process.pid, signal.SIGKILL)
            launched.process.wait(10)


def wait_for(there: Any, launched: Launched, seconds: float = 120.0) -> None:
    """Waits until something is there, reading what the engine says meanwhile."""
    launched.connection.settimeout(0.05)
    end = time.monotonic() + seconds
    while not there():
        if time.monotonic() > end or launched.process.poll() is not None:
            raise RuntimeError("the run did not begin")
        with contextlib.suppress(TimeoutError):
            launched.connection.recv(65536)


def end(terminal: Terminal) -> None:
    """Leaves nothing of a workbench behind."""
    if terminal.status is None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(terminal.pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(terminal.pid, 0)
    with contextlib.suppress(OSError):
        os.close(terminal.fd)


def cpu_seconds(pid: int) -> float:
    """What a process has computed so far, all its threads together."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def thread_seconds(pid: int) -> dict[int, float]:
    """What each thread of a process has computed so far, by the thread's id; the main thread's is the process's."""
    found = {}
    for place in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended
            found[int(place.name)] = int((place / "schedstat").read_text().split()[0]) / 1e9
    return found


def private_bytes(pid: int) -> int:
    """The memory that a process has for itself alone."""
    rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return 1024 * sum(int(row.split()[1]) for row in rows if row.startswith(("Private_", "Swap:")))


@dataclass
class Samples(threading.Thread):
    """What a run's trainer did, looked at a hundred times a second from outside, which costs it nothing.

    The kernel tells of the training loop's thread for how long it ran and for how long it waited for a core; the rest
    it slept, which it never does unless something makes it wait. The record's growth tells when steps were done.
    """

    run_: Run
    every: float = 0.01
    times: list[float] = field(default_factory=list)
    ran: list[float] = field(default_factory=list)
    queued: list[float] = field(default_factory=list)
    growth: list[tuple[float, int]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def __hash__(self) -> int:
        return id(self)

    def run(self) -> None:
        metrics, stat = self.run_.folder / "metrics.jsonl", Path(f"/proc/{self.run_.trainer}/schedstat")
        size = 0
        with contextlib.suppress(OSError):
            while not self.done.wait(self.every):
                now = time.monotonic()
                ran, queued, _ = stat.read_text().split()
                self.times.append(now)
                self.ran.append(int(ran) / 1e9)
                self.queued.append(int(queued) / 1e9)
                if (grown := metrics.stat().st_size) != size:
                    size = grown
                    self.growth.append((now, size))

    def __enter__(self) -> Samples:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.done.set()
        self.join()

    def waited(self, begin: float, end: float) -> float:
        """Seconds for which the training loop waited for a core between two moments."""
        return self._at(self.queued, end) - self._at(self.queued, begin)

    def slept(self, begin: float, end: float) -> float:
        """Seconds for which it neither ran nor waited for a core."""
        ran = self._at(self.ran, end) - self._at(self.ran, begin)
        return max(0.0, end - begin - ran - self.waited(begin, end))

    def _at(self, values: list[float], moment: float) -> float:
        """A value at a moment, between the samples beside it in proportion."""
        after = min(max(bisect_right(self.times, moment), 1), len(self.times) - 1)
        begin, end = self.times[after - 1], self.times[after]
        share = min(max((moment - begin) / (end - begin), 0.0), 1.0)
        return values[after - 1] + share * (values[after] - values[after - 1])

    def steps(self) -> list[tuple[float, float]]:
        """Of every step that has a line of its own: when it was done, and how long it took by the trainer's clock."""
        found: list[tuple[float, float]] = []
        data = (self.run_.folder / "metrics.jsonl").read_bytes()
        before, begin = 0.0, 0
        for now, size in self.growth:
            lines = [json.loads(line) for line in data[begin : data.rfind(b"\n", 0, size) + 1].splitlines()]
            begin = data.rfind(b"\n", 0, size) + 1
            for line in lines:
                found.append((now - (lines[-1]["seconds"] - line["seconds"]), line["seconds"] - before))
                before = line["seconds"]
        return found


def spread(values: list[float], unit: str = "s", digits: int = 2) -> str:
    """As in "0.71 s (0.62 – 0.93)": the median, the lowest and the highest."""
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2]
    return f"{middle:.{digits}f} {unit} ({ordered[0]:.{digits}f} – {ordered[-1]:.{digits}f})"
