"""A workbench in a pseudo-terminal as the rows of the table need it: what it sent, what it took, how it ended."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

from platformdirs import user_cache_path

from tests.terminal.pseudo_terminal import Terminal

REAL = [sys.executable, "-m", "tui", "--threads", "1"]
FAKE = [sys.executable, str(Path(__file__).parents[2] / "terminal" / "workbench_with_fake_engine.py")]


class Watched(Terminal):
    """`blind`: what comes is counted and kept, but not drawn, which pyte takes long for on large screens."""

    blind = False

    def read(self, seconds: float) -> bool:
        if not self.blind:
            return super().read(seconds)
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        return bool(data)

    def watch(self, seconds: float) -> tuple[float, float]:
        """Bytes a second and share of a core over so many seconds."""
        bytes_before, cpu_before, begun = len(self.raw), cpu_seconds(self.pid), time.monotonic()
        while (left := begun + seconds - time.monotonic()) > 0:
            self.read(min(left, 0.25))
        took = time.monotonic() - begun
        return (len(self.raw) - bytes_before) / took, (cpu_seconds(self.pid) - cpu_before) / took

    def leave(self, key: str = "q", seconds: float = 30.0) -> int:
        self.press(key)
        return self.end(seconds)

    def faults(self) -> list[str]:
        """What is wrong with how it ended: its status, an exception, a terminal that is not as it was."""
        found = []
        if self.status not in (0, 130):
            found.append(f"exit status {self.status}: {' '.join(self.left().split())[-300:]}")
        if b"Traceback" in self.raw or b"\xe2\x94\x80 Traceback" in self.raw:
            found.append("an exception: " + " ".join(self.left().split())[-300:])
        if termios.tcgetattr(self.fd)[:4] != self.before[:4]:
            found.append("the terminal's modes are not as they were")
        try:
            self.is_clean()
        except AssertionError as error:
            found.append(f"mode {error} was left on")
        return found


@contextlib.contextmanager
def workbench(*command: str, folder: Path, size: tuple[int, int] = (120, 34), **environment: str) -> Iterator[Watched]:
    """Runs, caches and copies are in `folder`; the kernels are those that the set-up has compiled."""
    kernels = folder / "home" / "charrnn" / "native"
    if not kernels.exists():
        kernels.parent.mkdir(mode=0o700, parents=True)
        kernels.symlink_to(user_cache_path("charrnn") / "native")
    places = {"CHARRNN_RUNS": folder / "runs", "CHARRNN_CACHE": folder / "cache", "XDG_CACHE_HOME": folder / "home"}
    places |= {"XDG_CONFIG_HOME": folder / "config", "XDG_STATE_HOME": folder / "state"}
    for place in places.values():
        place.mkdir(mode=0o700, exist_ok=True)
    one = Watched(list(command), size, **{name: str(place) for name, place in places.items()}, **environment)
    try:
        yield one
    finally:
        if one.status is None:
            with contextlib.suppress(OSError, AssertionError):
                one.leave(seconds=10)
        if one.status is None:
            os.kill(one.pid, signal.SIGKILL)
            os.waitpid(one.pid, 0)
        os.close(one.fd)


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> float:
    """Megabytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
