"""One run whose disk fails: full, read-only, or its folder gone. For test_disk.py, in a mount namespace if it can be.

    python -m tests.faults.disk_inside KIND FOLDER SEED MOUNTED

Prints a JSON object: "broken" (sentences), "told" and "over", the seconds after which the banner came and went.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from charrnn.config import UsageError
from charrnn.engine.client import EngineClient, Launched, launch
from charrnn.engine.messages import RunRequest, StopRun, Welcome, WriteCheckpoint
from charrnn.runs.checkpoint import MODEL, STATE, load_tensors
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import SMALL, Watcher, children

MOUNT_BYTES = 6_000_000
WAITS = 120.0


class Disk:
    """What is done to the disk on which runs live: for real on a mount of our own, else by a limit of file sizes."""

    def __init__(self, kind: str, place: Path, run: Path, processes: Callable[[], list[int]], mounted: bool) -> None:
        self.kind, self.place, self.run, self._processes, self.mounted = kind, place, run, processes, mounted

    def fail(self) -> None:
        if self.kind == "vanished":
            shutil.rmtree(self.run)
        elif not self.mounted:
            self._limit(0)
        elif self.kind == "full":
            with open(self.place / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(b"\0" * 512)
        else:
            # The lock is open for writing, so the mount itself stays writable: a read-only one is laid over it.
            subprocess.run(["mount", "--bind", str(self.place), str(self.place)], check=True)
            subprocess.run(["mount", "-o", "remount,bind,ro", str(self.place)], check=True)

    def mend(self) -> None:
        if self.kind == "vanished":
            return
        if not self.mounted:
            self._limit(resource.RLIM_INFINITY)
        elif self.kind == "full":
            (self.place / "filler").unlink()
        else:
            subprocess.run(["umount", str(self.place)], check=True)

    def _limit(self, size: int) -> None:
        for process in self._processes():
            hard = resource.prlimit(process, resource.RLIMIT_FSIZE)[1]
            resource.prlimit(process, resource.RLIMIT_FSIZE, (size, hard))


async def one_try(kind: str, folder: Path, seed: int, mounted: bool) -> dict[str, Any]:
    chance = random.Random(seed)
    place = folder / "disk"
    request = RunRequest(
        target=str(folder / "text"),
        runs_folder=str(place),
        options={**SMALL, "evaluate_every": 50, "seed": seed % 1000},
    )
    broken: list[str] = []
    started = launch(request)
    watcher = Watcher(await EngineClient.over(started.connection))
    try:
        run = Path((await watcher.until(lambda: watcher.told(Welcome)))[0].folder)
        disk = Disk(kind, place, run, partial(_tree, started), mounted)
        await watcher.until(lambda: watcher.status.step > chance.randrange(20, 120), WAITS)
        watcher.client.send(WriteCheckpoint())
        await watcher.until(lambda: list_checkpoints(run), WAITS)
        before = {c.path.name for c in list_checkpoints(run)}
        step = watcher.status.step
        begun = time.monotonic()
        disk.fail()
        watcher.client.send(WriteCheckpoint())
        await watcher.until(lambda: watcher.status.troubles, WAITS)
        told = time.monotonic() - begun
        said = watcher.status.troubles[0]
        await watcher.until(lambda: watcher.status.step > step + 20, WAITS)
        if kind != "vanished":
            await watcher.until(lambda: "newest checkpoint is of step" in watcher.status.troubles[0], WAITS)
            broken += _damaged(run, before)
        begun = time.monotonic()
        disk.mend()
        await watcher.until(lambda: not watcher.status.troubles, WAITS)
        over = time.monotonic() - begun
        if list_checkpoints(run)[-1].step <= step:
            broken.append(f"no newer checkpoint than before ({said})")
        broken += _damaged(run, before if kind != "vanished" else set())
        watcher.client.send(StopRun())
        await watcher.until(lambda: watcher.ended, WAITS)
        started.process.wait(WAITS)
    finally:
        await watcher.close()
        _end(started)
    broken += _gaps(run, watcher)
    saved = list_checkpoints(run)[-1]
    if saved.step != read_metrics(run)[-1]["step"]:
        broken.append(
            f"the last checkpoint is of step {saved.step}, the record ends at {read_metrics(run)[-1]['step']}"
        )
    if not (run / "config.toml").is_file():
        broken.append("the run has no settings")
    return {"broken": broken, "told": told, "over": over}


def _end(started: Launched) -> None:
    """Leaves no process behind, whatever happened."""
    if started.process.poll() is None:
        for process in reversed(_tree(started)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        started.process.wait()


def _tree(started: Launched) -> list[int]:
    return [started.process.pid, *children(started.process.pid)]


def _damaged(run: Path, names: set[str]) -> list[str]:
    """Checkpoints that do not verify, among all of a run; and of `names`, the newest must still be there."""
    broken = []
    saved = list_checkpoints(run)
    if names and max(names) not in {c.path.name for c in saved} and len(saved) < 3:
        broken.append(f"the checkpoint {max(names)} is gone")
    for checkpoint in saved:
        for name in (MODEL, STATE):
            try:
                load_tensors(checkpoint, name)
            except UsageError as error:
                broken.append(str(error))
    return broken


def _gaps(run: Path, watcher: Watcher) -> list[str]:
    """The record must hold every loss that a client was told, in whole lines, and every event once."""
    broken = []
    told = {point.step: point for point in watcher.points}
    kept = {line["step"]: line for line in read_metrics(run)}
    missing = sorted(told.keys() - kept.keys())
    if missing:
        broken.append(f"{len(missing)} losses are missing from the record, such as that of step {missing[0]}")
    if any(told[step].train_loss != kept[step]["train_loss"] for step in told.keys() & kept.keys()):
        broken.append("a loss in the record is not what was told")
    for name in ("metrics.jsonl", "events.jsonl"):
        lines = (run / name).read_text(encoding="utf-8").splitlines()
        for line in lines:
            try:
                json.loads(line)
            except ValueError:
                broken.append(f"{name} has a torn line: {line[:60]!r}")
        if len(set(lines)) != len(lines):
            broken.append(f"{name} has a line twice")
    return broken


async def main() -> None:
    kind, folder, seed, mounted = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "mounted"
    place = folder / "disk"
    place.mkdir(parents=True)
    if mounted:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MOUNT_BYTES}", "tmpfs", str(place)], check=True)
    text = "the disk is full, the disk is gone, the disk is here again; " * 200
    (folder / "text").write_text(text, encoding="utf-8")
    print(json.dumps(await one_try(kind, folder, seed, mounted)))


if __name__ == "__main__":
    asyncio.run(main())
