"""What a user feels: the start, a temperature key while training takes every core, and what watching costs training.

    python -m tests.benchmarks.workbench [start] [keys] [slow-step] [attached]

A real `charrnn-tui` in a pseudo-terminal of 120x34 with a real engine and trainer, in a runs folder of its own.
`keys` presses + and - a hundred times: "on screen" is from the press until the pane's title shows the new temperature,
"first character" until a character stands behind the mark of that change in the stream. `slow-step` is the same with
a model whose step takes over a second. `attached` compares steps a second of `charrnn train` alone with those of the
same training under the workbench, in pairs.
"""

from __future__ import annotations

import json
import os
import re
import select
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.terminal.pseudo_terminal import Terminal

WORKBENCH = [sys.executable, "-m", "tui"]
SLOW = ["--cell", "lstmcell", "--hidden", "512", "--batch", "64", "--length", "256"]
PRESSES = 100


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, round(share * len(values)))]


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    try:
        terminal.end(20)
    except AssertionError:
        os.kill(terminal.pid, signal.SIGKILL)
        os.waitpid(terminal.pid, 0)
    os.close(terminal.fd)


def screen(terminal: Terminal) -> str:
    return "\n".join(terminal.screen.display)


def start() -> None:
    for _ in range(3):
        begun = time.monotonic()
        terminal = Terminal(WORKBENCH)
        seen = {}
        for name, there in (
            ("first paint", lambda t: any(line.strip() for line in t.screen.display)),
            ("corpus readable", lambda t: "Assert statements" in screen(t)),
            ("first characters", lambda t: "seed 1 ──" in screen(t)),
        ):
            terminal.until(lambda there=there, t=terminal: there(t), 30)  # type: ignore[misc]
            seen[name] = time.monotonic() - begun
        print("start: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in seen.items()), flush=True)
        leave(terminal)


def keys(*options: str, title: str = "keys") -> None:
    """Every press waits a little, so that presses fall anywhere between two frames and two characters."""
    terminal = Terminal([*WORKBENCH, *options])
    terminal.shows("seed 1 ──", seconds=60)
    until_step = time.monotonic() + 240
    while not re.search(r"step [\d,]*[2-9]\b", screen(terminal)) and time.monotonic() < until_step:
        terminal.read(0.05)
    on_screen, first_character = [], []
    temperature = 80
    for press in range(PRESSES):
        pause = time.monotonic() + 0.15 + 0.013 * (press % 11)
        while time.monotonic() < pause:
            terminal.read(0.01)
        up = temperature < 150 if press < PRESSES // 2 else temperature < 85
        temperature += 5 if up else -5
        shown = f"T {temperature / 100:.2f}"
        mark = re.compile(re.escape(f"⟨{shown}⟩") + r"\s*[^\s│]")
        begun = time.monotonic()
        terminal.press("+" if up else "-")
        terminal.until(lambda shown=shown: shown in terminal.screen.display[13] or shown in screen(terminal), 10)
        on_screen.append((time.monotonic() - begun) * 1e3)
        terminal.until(lambda mark=mark: mark.search(joined(terminal)), 10)
        first_character.append((time.monotonic() - begun) * 1e3)
    for name, times in (("on screen", on_screen), ("first character", first_character)):
        print(
            f"{title}: {name:16} median {statistics.median(times):5.1f} ms, 95 of 100 within "
            f"{percentile(times, 0.95):5.1f} ms, slowest {max(times):5.1f} ms",
            flush=True,
        )
    leave(terminal)


def joined(terminal: Terminal) -> str:
    """The screen's rows without their borders, as one text: a mark may stand at a row's end."""
    return " ".join(line.strip("│ ") for line in terminal.screen.display)


def slow_step() -> None:
    keys(*SLOW, title="slow step")


def attached(pairs: int = 6, seconds: float = 15.0) -> None:
    """Steps a second between the 50th step and the end, from the runs' own record of wall-clock time."""
    ratios = []
    for pair in range(pairs):
        rates = {}
        for way in ("alone", "attached") if pair % 2 else ("attached", "alone"):
            with tempfile.TemporaryDirectory() as folder:
                rates[way] = steps_a_second(way, Path(folder), seconds)
        ratios.append(rates["attached"] / rates["alone"])
        print(f"attached: alone {rates['alone']:.2f} steps/s, attached {rates['attached']:.2f}", flush=True)
    print(f"attached: ratio {statistics.median(ratios):.3f} ({min(ratios):.3f} to {max(ratios):.3f})", flush=True)


def steps_a_second(way: str, folder: Path, seconds: float) -> float:
    metrics = folder / "python-docs-1" / "metrics.jsonl"
    if way == "alone":
        command = [sys.executable, "-m", "charrnn", "train", "python-docs", "--runs-folder", str(folder)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            rate = watch(metrics, seconds, lambda wait: time.sleep(wait))
            process.send_signal(signal.SIGINT)
        return rate
    terminal = Terminal([*WORKBENCH, "--runs-folder", str(folder)])
    rate = watch(metrics, seconds, lambda wait: drain(terminal.fd, wait))
    leave(terminal)
    return rate


def drain(fd: int, seconds: float) -> None:
    """Reads what the workbench drew and throws it away: a terminal's own work is done on the user's machine."""
    if select.select([fd], [], [], seconds)[0]:
        os.read(fd, 65536)
        time.sleep(seconds)


def watch(metrics: Path, seconds: float, wait) -> float:  # type: ignore[no-untyped-def]
    """Steps a second by the clock of this process, over `seconds` after the 50th step."""

    def step() -> int:
        lines = metrics.read_text().splitlines() if metrics.exists() else []
        return int(json.loads(lines[-1])["step"]) if lines else 0

    while (first := step()) < 50:
        wait(0.05)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        wait(0.05)
    here = step()
    while (last := step()) == here:  # up to the moment at which a line is written
        wait(0.01)
    return (last - first) / (time.monotonic() - begun)


def main() -> None:
    parts = {"start": start, "keys": keys, "slow-step": slow_step, "attached": attached}
    chosen = sys.argv[1:] or list(parts)
    folder = tempfile.mkdtemp(prefix="charrnn-benchmark-")
    os.environ["CHARRNN_RUNS"] = folder
    try:
        for name in chosen:
            parts[name]()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
