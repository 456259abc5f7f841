"""The workbench is killed or hung up at a random moment: training goes on as if nothing had happened.

Real workbenches attach to a real run, one after another, and each is ended at a random moment, in its start or in
steady state: half by SIGKILL, a quarter by closing their terminal, the rest by SIGHUP and SIGTERM. After each the next
one attaches.

Lost steps: metrics.jsonl has every step once and in order, and the trainer began once.

Gaps: what a client's end could do to training is make it wait. So for each step the time that the training loop waited
for a core, which is other programs' doing, is taken off its own record of how long it took; and whatever the loop slept
in the half second after the end, which it does only if something holds it up, is added to the longest step there. Where
that is over twice the median, the same half seconds without anybody's end, but with a workbench that starts and draws,
say whether the machine does so anyway.
"""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from tests.faults.at_work import Run, Samples, end, spread, training_run
from tests.faults.promise import Outcome, Promise
from tests.terminal.pseudo_terminal import Terminal

LIVES_OF_A_RUN = 20
"""So many in a row make fewer than 1,000 steps, up to which each has a line of its own."""
WINDOW = 0.5
STEPS_OF_50_MS = {"cell": "lstmcell", "hidden": 128, "embedding": 32, "batch": 24, "length": 100, "warmup": 0}


def keep(times: int, folder: Path, seed: int) -> Outcome:
    chance = random.Random(seed)
    broken: list[str] = []
    with_end: list[float] = []
    without: list[float] = []
    seen = 0
    for first in range(0, times, LIVES_OF_A_RUN):
        with training_run(folder / str(first), "watched", **STEPS_OF_50_MS) as run, Samples(run) as samples:
            ends = []
            for life in range(first, min(times, first + LIVES_OF_A_RUN)):
                begun, ended, drawn, problem = _live(run, life, chance)
                ends.append((life, begun, ended))
                seen += drawn
                broken += [f"life {life}: {problem}"] if problem else []
            time.sleep(WINDOW + 0.7)  # until the last steps of the last window are in the record
        gaps, controls, lost = _judged(run, samples, ends)
        broken += lost
        broken += [
            f"life {life}: a gap of {gap:.2f} times the median step"
            for (life, _, _), gap in zip(ends, gaps, strict=True)
            if gap > max(2.0, *controls)
        ]
        with_end += gaps
        without += controls
    measured = (
        f"{seen} of {times} had drawn the run; longest step in medians: {spread(with_end, '×')}, "
        f"without an end {spread(without, '×')}"
    )
    return Outcome(times, measured, tuple(broken))


def _live(run: Run, life: int, chance: random.Random) -> tuple[float, float, bool, str]:
    """One workbench's life: when it began and ended, whether it had drawn, and what was wrong with its end."""
    begun = time.monotonic()
    terminal = run.workbench()
    try:
        early, moment = chance.random() < 0.5, chance.uniform(0.05, 1.5)
        while time.monotonic() < begun + (moment if early else 30.0) and (early or not _drawn(terminal)):
            terminal.read(0.02)
        steady = time.monotonic() + moment
        while not early and time.monotonic() < steady:
            terminal.read(0.02)
        drawn = _drawn(terminal)
        ended = time.monotonic()
        WAYS[life % len(WAYS)](terminal)
        return begun, ended, drawn, _gone(terminal)
    finally:
        end(terminal)
        time.sleep(WINDOW)


def _drawn(terminal: Terminal) -> bool:
    return any("seed" in line for line in terminal.screen.display)


def _gone(terminal: Terminal) -> str:
    """Waits until the workbench is gone; what is wrong if it is not, or leaves its terminal in disorder."""
    deadline = time.monotonic() + 20
    if terminal.fd < 0:
        while (ended := os.waitpid(terminal.pid, os.WNOHANG))[0] == 0 and time.monotonic() < deadline:
            time.sleep(0.01)
        if not ended[0]:
            return "it lives on without its terminal"
        terminal.status = os.waitstatus_to_exitcode(ended[1])
        return ""
    try:
        status = terminal.end(20)
    except AssertionError:
        return "it did not end within 20 s"
    if status in (129, 143) and b"\x1b[?1049h" in terminal.raw:
        return "" if b"\x1b[?1049l" in terminal.raw else "its terminal stays on the alternate screen"
    return ""


def _close(terminal: Terminal) -> None:
    os.close(terminal.fd)
    terminal.fd = -1


def _signal(number: signal.Signals) -> Callable[[Terminal], None]:
    return lambda terminal: os.kill(terminal.pid, number)


_KILL = _signal(signal.SIGKILL)
WAYS = [_KILL, _close, _KILL, _signal(signal.SIGHUP), _KILL, _close, _KILL, _signal(signal.SIGTERM)]


def _judged(
    run: Run, samples: Samples, lives: list[tuple[int, float, float]]
) -> tuple[list[float], list[float], list[str]]:
    """Gaps in medians, after each end and without any, and what was lost."""
    lines = run.lines()
    numbers = [line["step"] for line in lines]
    due = [n for n in range(1, numbers[-1] + 1) if n <= 1000 or n % 10 == 0]
    lost = [] if numbers[: len(due)] == due else [f"the record has {len(numbers)} steps in place of {len(due)}"]
    begins = [event for event in run.lines("events.jsonl") if event["event"] == "begin"]
    lost += [] if len(begins) == 1 else [f"training began {len(begins)} times"]
    singly = [(when, took) for (when, took), number in zip(samples.steps(), numbers, strict=False) if number <= 1000]
    steps = [(when, max(0.0, took - samples.waited(when - took, when))) for when, took in singly[10:]]
    median = statistics.median(took for _, took in steps)

    def gap(begin: float) -> float:
        longest = max((took for when, took in steps if begin <= when and when - took <= begin + WINDOW), default=median)
        return (longest + samples.slept(begin, begin + WINDOW)) / median

    controls = [
        gap(begun + WINDOW * part) for _, begun, ended in lives for part in range(int((ended - begun) / WINDOW))
    ]
    return [gap(ended) for _, _, ended in lives], controls or [1.0], lost


PROMISES = (
    Promise(
        row=1,
        name="workbench killed or hung up at a random moment",
        figure="100 times: 0 steps lost, no gap between steps over twice the median",
        often=100,
        few=4,
        keep=keep,
    ),
)
