"""Row 5: a save that is killed, or has no space, or a broken disk, between any two system calls."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.promise import Outcome, Promise

HERE = Path(__file__).parent
AT_ONCE = 4  # they wait for the disk


def shim(folder: Path) -> Path:
    """The library that disturbs, compiled. Skips the test where nothing compiles it."""
    compiler = next((found for name in ("cc", "gcc", "clang") if (found := shutil.which(name))), None)
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("failing calls need Linux and a C compiler")
    made = folder / "failing_calls.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(made), str(HERE / "failing_calls.c"), "-ldl"]
    subprocess.run(command, check=True, capture_output=True)
    return made


def keep_saves(times: int, folder: Path, seed: int) -> Outcome:
    library = shim(folder)
    processes = []
    shares = [times // AT_ONCE + (number < times % AT_ONCE) for number in range(AT_ONCE)]
    environment = {**os.environ, "LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
    try:
        for number, share in enumerate(shares):
            place = folder / f"worker-{number}"
            place.mkdir()
            command = [sys.executable, "-m", "tests.faults.failing_saves", str(place), str(share), str(seed + number)]
            processes.append(
                subprocess.Popen(
                    command,
                    cwd=HERE.parents[1],
                    env=environment,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
        ended = [process.communicate() for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
    broken = [words for process, (_, words) in zip(processes, ended, strict=True) if process.returncode]
    found = [json.loads(out) for out, _ in ended if out]
    ways: dict[str, int] = {}
    for one in found:
        broken += one["broken"]
        for way, count in one["ways"].items():
            ways[way] = ways.get(way, 0) + count
    seen = ", ".join(f"{count:,} {way}" for way, count in ways.items())
    most = max((one["calls"] for one in found), default=0)
    tried = sum(one["tried"] for one in found)
    return Outcome(tried, f"{seen}; a save makes up to {most} calls, each as likely", tuple(broken))


PROMISES = (
    Promise(
        5,
        "saves with an injected kill, ENOSPC or EIO between any two system calls",
        "1,000: every time the run opens",
        1000,
        24,
        keep_saves,
    ),
)
