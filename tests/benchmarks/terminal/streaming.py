"""A stream of 2,000 characters a second: every one arrives, keys are obeyed meanwhile, memory stays as it is."""

from __future__ import annotations

import time
from pathlib import Path

from tests.benchmarks.terminal.watching import FAKE, resident, workbench
from tests.faults.promise import Outcome, Promise

PACE = 2000
PRESS_EVERY = 0.53
KEY_WITHIN = 0.05
MOST_GROWTH = 10.0
"""Megabytes: what a minute of text takes itself."""


def stream(seconds: int, folder: Path, seed: int) -> Outcome:
    text = "".join(f"{number:06} and so it goes{'!' if number % 7 else chr(10)}" for number in range(20_000))
    source = folder / "text.txt"
    source.write_text(text, encoding="utf-8")
    broken: list[str] = []
    with workbench(*FAKE, folder=folder, FAKE_PACE=str(PACE), FAKE_TEXT=str(source)) as one:
        one.shows("── seed 1 ──")
        one.watch(2.0)
        before, times, temperature = resident(one.pid), [], 80
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            temperature += 5 if len(times) % 2 == 0 else -5
            begun = time.monotonic()
            one.press("+" if len(times) % 2 == 0 else "-")
            one.shows(f"T {temperature / 100:.2f}  ")
            times.append(time.monotonic() - begun)
            one.watch(PRESS_EVERY + 0.011 * (len(times) % 9))
        grown = resident(one.pid) - before
        one.press("y")
        one.shows("Copied")
        (copied,) = (folder / "home").rglob("*.txt")
        said = copied.read_text(encoding="utf-8").removeprefix("To be")
        broken += [] if text.startswith(said) else ["characters are missing or out of order"]
        rate = len(said) / (seconds + 2)
        broken += [f"only {rate:,.0f} characters a second came"] if rate < 0.8 * PACE else []
    late = sorted(times)[min(len(times) - 1, round(0.95 * len(times)))]
    broken += [f"a key took {late * 1e3:.0f} ms"] if late > KEY_WITHIN else []
    broken += [f"memory grew by {grown:.1f} MB"] if grown > MOST_GROWTH else []
    words = f"{len(said):,} characters, none missing; key {late * 1e3:.0f} ms (95 of 100); {grown:+.1f} MB"
    return Outcome(seconds, words, tuple(broken))


_FIGURE = "no dropped character, key ≤ 50 ms (95 of 100), memory flat"
ROWS = (Promise(6, "2,000 characters a second", _FIGURE, 60, 8, stream),)
