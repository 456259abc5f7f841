"""What a workbench sends and takes while a real run trains, and while it rests."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.terminal.watching import REAL, Watched, workbench
from tests.faults.promise import Outcome, Promise
from tui import pulse

WARM = 10.0
"""Seconds of training before anything is counted: the loss falls fast then, and every frame is another."""


def _wait(one: Watched, seconds: float = WARM) -> None:
    one.shows("── seed ", "● training", seconds=90)
    one.watch(seconds)


def training(seconds: int, folder: Path, seed: int) -> Outcome:
    with workbench(*REAL, "--seed", str(seed), folder=folder) as one:
        _wait(one)
        sent, core = one.watch(seconds)
    return _judged(seconds, sent, 8_000, core, 0.08)


def slow(seconds: int, folder: Path, seed: int) -> Outcome:
    with workbench(*REAL, "--seed", str(seed), "--slow", folder=folder) as one:
        _wait(one, max(WARM, 2 * pulse.SLOW.chart))
        sent, core = one.watch(seconds)
    return _judged(seconds, sent, 2_500, core, 0.08)


def paused(seconds: int, folder: Path, seed: int) -> Outcome:
    """The stream goes on at its pace: its characters, and a row scrolled in for each that is full, are all there is."""
    with workbench(*REAL, "--seed", str(seed), folder=folder) as one:
        _wait(one)
        one.press(" ")
        one.shows("○ paused", seconds=30)
        one.watch(8.0)
        sent, core = one.watch(seconds)
    return _judged(seconds, sent, 50, core, 0.08)


def idle(seconds: int, folder: Path, seed: int) -> Outcome:
    """Paused, and no stream."""
    with workbench(*REAL, "--seed", str(seed), "--pace", "0", folder=folder) as one:
        one.shows("● training", seconds=90)
        one.watch(WARM)
        one.press(" ")
        one.shows("○ paused", seconds=30)
        one.watch(8.0)
        sent, core = one.watch(seconds)
    return _judged(seconds, sent, 50, core, 0.01)


def _judged(seconds: int, sent: float, most: float, core: float, most_core: float) -> Outcome:
    broken = [f"{sent:,.0f} B/s"] if sent > most else []
    broken += [f"{core:.1%} of a core"] if core > most_core else []
    return Outcome(seconds, f"{sent:,.0f} B/s, {core:.1%} of a core", tuple(broken))


_AT = "120x34, stream at its pace of 30"
ROWS = (
    Promise(1, f"{_AT}, training: bytes, processor", "≤ 8 KB/s, ≤ 8 % of a core", 60, 15, training),
    Promise(2, f"{_AT}, training, --slow: bytes, processor", "≤ 2.5 KB/s, ≤ 8 % of a core", 60, 15, slow),
    Promise(3, f"{_AT}, paused, the stream goes on", "≤ 50 B/s, ≤ 8 % of a core", 60, 15, paused),
    Promise(4, "120x34, paused, the stream still: bytes, processor", "≤ 50 B/s, ≤ 1 % of a core", 60, 15, idle),
)
