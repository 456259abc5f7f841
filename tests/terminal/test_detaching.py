"""Leaving a run and coming back to it: real workbenches in real pseudo-terminals, with a real engine behind them."""

from __future__ import annotations

import os
import re
import signal
import sys
import termios
import time
from pathlib import Path

from charrnn.engine.messages import SetCooldown
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.faults.at_work import Run, end, training_run
from tests.terminal.pseudo_terminal import Terminal, terminal

TINY = {"cell": "gru", "hidden": 16, "embedding": 8, "batch": 4, "length": 16}
OPTIONS = [word for name, value in TINY.items() for word in (f"--{name}", str(value))]


def step(run: Run) -> int:
    return int(run.lines()[-1]["step"])


def trains_on(run: Run) -> bool:
    before, deadline = step(run), time.monotonic() + 60
    while step(run) <= before and time.monotonic() < deadline:
        time.sleep(0.05)
    return step(run) > before


def test_two_workbenches_steer_one_run_and_leave_it_in_every_way(tmp_path: Path) -> None:
    with training_run(tmp_path, "shared", **TINY) as run:
        one, two = run.workbench(), run.workbench()
        three = one
        try:
            for bench in (one, two):
                bench.shows("● training", "T 0.80", "2 attached", seconds=60)
            one.press("+")
            two.shows("T 0.85", seconds=30)
            two.press("+")
            one.shows("T 0.90", seconds=30)
            one.press("-")  # at about the same time both
            two.press("-")
            time.sleep(3.0)
            for bench in (one, two):
                bench.until(lambda b=bench: temperature(b) == temperature(one) == temperature(two), 30)
            two.press(" ")
            one.shows("○ paused", seconds=30)
            one.press(" ")
            two.shows("● training", seconds=30)
            two.press("w")
            one.shows("Checkpoint written at step", seconds=30)
            run.say(SetCooldown(True, steps=100_000))
            for bench in (one, two):
                bench.shows("cooling", seconds=30)
            three = run.workbench()
            one.press("d")
            assert one.end(30) == 0
            assert "Training goes on; come back with: charrnn-tui shared" in one.left()
            os.kill(two.pid, signal.SIGTERM)
            assert two.end(30) == 143
            assert "Training goes on" in two.left()
            three.shows("● training", seconds=60)
            os.kill(three.pid, signal.SIGHUP)
            assert three.end(30) == 129
            for bench in (one, two, three):
                assert bench.is_clean()
                assert termios.tcgetattr(bench.fd)[:4] == bench.before[:4]
        finally:
            for bench in (one, two, three):
                end(bench)
        assert trains_on(run)


def temperature(bench: Terminal) -> str:
    bench.read(0.02)
    (found, *_) = re.findall(r"T (\d\.\d\d)", "\n".join(row for row in bench.screen.display if "Stream" in row))
    return str(found)


def test_training_in_the_foreground_saves_when_its_window_is_closed(corpus_file: Path, runs_folder: Path) -> None:
    command = [sys.executable, "-m", "charrnn", "train", str(corpus_file), *OPTIONS, "--threads", "1"]
    with terminal(*command) as one:
        metrics = runs_folder / "sentences-1" / "metrics.jsonl"
        one.until(lambda: metrics.exists() and metrics.stat().st_size > 1000, 120)
        os.close(one.fd)
        one.fd = os.open(os.devnull, os.O_RDONLY)
        deadline = time.monotonic() + 60
        while (ended := os.waitpid(one.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        one.status = os.waitstatus_to_exitcode(ended[1])
        assert one.status == 129
    run = runs_folder / "sentences-1"
    assert list_checkpoints(run)[-1].step == read_metrics(run)[-1]["step"] > 0
