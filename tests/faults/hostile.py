"""Row 8: runs that somebody made to do harm are refused with a sentence, by `charrnn sample` and by a resume."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.hostile_cases import CASES
from tests.faults.promise import Outcome, Promise

ROOT = Path(__file__).parents[2]
OPTIONS = "--run good --hidden 16 --embedding 8 --layers 2 --cell lstm --batch 4 --length 16 --threads 1 --steps 20"


def keep_refusing(times: int, folder: Path, seed: int) -> Outcome:
    if not sys.platform.startswith("linux"):
        pytest.skip("memory is measured as Linux tells it")
    environment = {
        **os.environ,
        "CHARRNN_RUNS": str(folder / "runs"),
        "CHARRNN_CACHE": str(folder / "cache"),
        "OMP_NUM_THREADS": "1",
        "MALLOC_ARENA_MAX": "1",
    }

    def python(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    text = folder / "text.txt"
    text.write_text("".join(f"Sentence {number * 7919 % 1009} of a text. " for number in range(300)))
    trained = python("charrnn", "train", str(text), *OPTIONS.split(), "--seed", str(seed))
    if trained.returncode:
        return Outcome(0, "", (trained.stderr,))
    good = folder / "runs" / "good"
    checkpoints = sorted((good / "checkpoints").iterdir())
    if len(checkpoints) != 1:
        return Outcome(0, "", (f"the good run has {len(checkpoints)} checkpoints",))
    (folder / "hostile").mkdir()
    done = python("tests.faults.hostile_runs", str(good), str(folder / "hostile"), str(times))
    if done.returncode:
        return Outcome(0, "", (done.stderr,))
    found = json.loads(done.stdout)
    return Outcome(found["tried"], f"{found['peak'] / 2**20:.0f} MB at most", tuple(found["broken"]))


PROMISES = (
    Promise(
        8,
        "hostile checkpoints (pickles, header bombs, wrong shapes, NaN weights, newer version)",
        "25: refused with a sentence, nothing executed, no allocation over 64 MB",
        len(CASES),
        13,
        keep_refusing,
    ),
)
