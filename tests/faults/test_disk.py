"""A run outlives its disk: really full, really read-only, its folder really removed; and is whole when that is over."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any

from tests.faults.promise import Outcome, Promise

ROOT = Path(__file__).parents[2]
KINDS = ("full", "read-only", "vanished")
AT_ONCE = 3
ENOUGH = 300.0  # seconds, for one try on a very busy machine


@cache
def namespace() -> tuple[str, ...]:
    """What a command is begun with to have mounts of its own; nothing where the system does not allow it."""
    words = ("unshare", "--user", "--map-root-user", "--mount")
    if shutil.which(words[0]) is None:
        return ()
    tried = subprocess.run(
        [*words, "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /mnt"], capture_output=True, check=False
    )
    return words if tried.returncode == 0 else ()


def one_try(number: int, folder: Path, seed: int) -> dict[str, Any]:
    """One run with one fault, in a process group of its own."""
    kind = KINDS[number % len(KINDS)]
    words = [sys.executable, "-m", "tests.faults.disk_inside", kind, str(folder / str(number)), str(seed + number)]
    process = subprocess.Popen(
        [*namespace(), *words, "mounted" if namespace() else "limited"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=ENOUGH)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGTERM)
        out, err = process.communicate()
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        last = (err.strip().splitlines() or ["nothing was said"])[-1]
        found = {"broken": [f"the try ended with status {process.returncode}: {last}"]}
    return {**found, "kind": kind, "seed": seed + number}


def keep(times: int, folder: Path, seed: int) -> Outcome:
    with ThreadPoolExecutor(AT_ONCE) as several:
        tries = list(several.map(lambda number: one_try(number, folder, seed), range(times)))
    measured = []
    for name, words in (("told", "banner after {:.1f} s"), ("over", "gone {:.1f} s after it was over")):
        seconds = sorted(one[name] for one in tries if name in one)
        if seconds:
            measured.append(f"{words.format(statistics.median(seconds))} (at most {seconds[-1]:.1f})")
    if not namespace():
        measured.append("no mount namespace here, so a limit of file sizes stood for the full and the read-only disk")
    broken = [f"{one['kind']} (seed {one['seed']}): {'; '.join(one['broken'])}" for one in tries if one["broken"]]
    return Outcome(times, ", ".join(measured), tuple(broken))


PROMISES = (
    Promise(
        row=13,
        name="full disk, read-only disk, vanished folder",
        figure="training goes on, old checkpoints whole, a banner while it lasts, nothing lost",
        often=30,
        few=3,
        keep=keep,
    ),
)
