"""How soon a start shows something, the corpus, and text of the model's own."""

from __future__ import annotations

import re
import time
from pathlib import Path

from tests.benchmarks.terminal.watching import REAL, Watched, workbench
from tests.faults.promise import Outcome, Promise

BOUNDS = {"first paint": 0.5, "readable corpus": 0.7, "first generated character": 5.0}


def _seen(one: Watched) -> dict[str, bool]:
    lines = one.screen.display
    text = "\n".join(lines)
    began = next((number for number, line in enumerate(lines) if "── seed 1 ──" in line), None)
    return {
        "first paint": any(line.strip() for line in lines),
        "readable corpus": bool(re.search(r"[\d,]+ characters, \d+ symbols", text)) and "statement" in text,
        "first generated character": began is not None
        and len(lines) > began + 1
        and lines[began + 1].strip("│ ") != "",
    }


def start(times: int, folder: Path, seed: int) -> Outcome:
    slowest = dict.fromkeys(BOUNDS, 0.0)
    for number in range(times):
        place = folder / str(number)
        place.mkdir()
        begun = time.monotonic()
        with workbench(*REAL[:3], folder=place) as one:
            seen: dict[str, float] = {}
            while len(seen) < len(BOUNDS) and time.monotonic() - begun < 60:
                one.read(0.005)
                for name, there in _seen(one).items():
                    if there and name not in seen:
                        seen[name] = time.monotonic() - begun
        slowest = {name: max(slowest[name], seen.get(name, 60.0)) for name in BOUNDS}
    words = "; ".join(f"{slowest[name]:.2f} s" for name in BOUNDS)
    broken = [f"{name} after {slowest[name]:.2f} s" for name, bound in BOUNDS.items() if slowest[name] > bound]
    return Outcome(times, words, tuple(broken))


ROWS = (Promise(5, "; ".join(BOUNDS), "≤ 0.5 s; ≤ 0.7 s; ≤ 5 s (slowest)", 5, 2, start),)
