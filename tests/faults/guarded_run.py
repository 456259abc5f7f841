"""A run that trains as a user starts it, with its sockets where nobody else has any, and a client that watches it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from charrnn.engine.client import EngineClient, attach
from charrnn.runs.sockets import socket_path
from tests.engine.driving import Watcher

ROOT = Path(__file__).parents[2]
TINY = ["--cell", "lstm", "--hidden", "16", "--embedding", "8", "--batch", "4", "--length", "16", "--threads", "1"]
TEXT = "".join(
    f"The {n % 7} quick brown foxes jump over {n % 11} lazy dogs, and nobody knows why.\n" for n in range(300)
)


@contextlib.contextmanager
def surroundings(folder: Path) -> Iterator[Path]:
    """Runs and the cache in `folder`, sockets under a path that is short enough, for this process and what it starts.

    Gives the folder that the sockets are in.
    """
    runtime = Path(tempfile.mkdtemp(prefix="charrnn-", dir="/tmp"))
    places = {"CHARRNN_RUNS": folder / "runs", "CHARRNN_CACHE": folder / "cache", "XDG_RUNTIME_DIR": runtime}
    try:
        with mock.patch.dict(os.environ, {name: str(place) for name, place in places.items()}):
            yield runtime / "charrnn"
    finally:
        shutil.rmtree(runtime)


@dataclass(frozen=True, slots=True)
class Foreground:
    """`charrnn train` at work: its process, which is the engine, its run, and what it prints on standard error."""

    process: subprocess.Popen[bytes]
    run: Path
    errors: Path

    def resident(self) -> int:
        """Bytes of memory that the engine's process has now."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextlib.asynccontextmanager
async def training(folder: Path) -> AsyncIterator[tuple[Foreground, Watcher]]:
    """A run of `charrnn train` that has begun, and a client attached to it that was told its first text."""
    text = folder / "foxes.txt"
    text.write_text(TEXT)
    errors = folder / "errors"
    command = [sys.executable, "-m", "charrnn", "train", str(text), "--run", "foxes", *TINY]
    with errors.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    at_work = Foreground(process, folder / "runs" / "foxes", errors)
    try:
        watcher = Watcher(await EngineClient.over(await _attached(at_work)))
        try:
            await watcher.until(lambda: watcher.text and watcher.status.step > 20, 180)
            yield at_work, watcher
        finally:
            await watcher.close()
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.to_thread(process.wait, 60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _attached(at_work: Foreground) -> socket.socket:
    async with asyncio.timeout(180):
        while True:
            assert at_work.process.poll() is None, at_work.errors.read_text()
            with contextlib.suppress(OSError):
                if at_work.run.exists():
                    return attach(str(socket_path(at_work.run)))
            await asyncio.sleep(0.05)


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """As in "0.02 s (0.01 – 0.21)": the median, the lowest and the highest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} {unit} ({low:.{digits}f} – {high:.{digits}f})"
