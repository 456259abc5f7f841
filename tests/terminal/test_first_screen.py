"""What `charrnn-tui` shows first, in a real pseudo-terminal: the earlier runs, or the built-in corpus at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.runs.test_glance import make_run
from tests.terminal.test_in_a_terminal import terminal


@pytest.fixture
def runs(runs_folder: Path) -> Path:
    for name, age in (("novel-1", 10.0), ("poems-2", 5000.0)):
        make_run(runs_folder, name, age=age)
    return runs_folder


def test_earlier_runs_are_offered_and_enter_opens_one(runs: Path) -> None:
    with terminal() as one:
        one.shows("Runs  2", "novel-1", "poems-2", "1.961", "New run", "enter open")
        one.press("\x1b[B")
        one.shows("▐  poems-2")
        one.press("\r")
        one.shows("● training", "── seed 1 ──")
        one.press("o")
        one.shows("Runs  2", "esc back")
        one.press("\x1b")
        one.shows("● training")
        one.press("q")
        assert one.end() == 0
        assert one.is_clean()
        assert "come back with: charrnn-tui hamlet-1" in one.left()


def test_esc_leaves_and_nothing_was_begun(runs: Path) -> None:
    before = sorted(path for path in runs.rglob("*"))
    with terminal() as one:
        one.shows("Runs  2", "esc leave")
        one.press("\x1b")
        assert one.end() == 0
        assert one.is_clean()
        assert one.left().strip() == ""
    assert sorted(path for path in runs.rglob("*")) == before


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)])
def test_a_signal_leaves_it_at_once(runs: Path, sent: signal.Signals, status: int) -> None:
    with terminal() as one:
        one.shows("Runs  2")
        os.kill(one.pid, sent)
        assert one.end(4.0) == status


@pytest.mark.parametrize("arguments", [["python-docs"], ["--preset", "fast"], ["--steps", "5"]])
def test_with_arguments_it_starts_at_once(runs: Path, arguments: list[str]) -> None:
    with terminal(*arguments) as one:
        one.shows("● training", "── seed 1 ──")
        one.press("d")
        assert one.end() == 0


def test_without_earlier_runs_it_starts_at_once(runs_folder: Path) -> None:
    with terminal() as one:
        one.shows("● training", "── seed 1 ──", "o begins a run on a text of yours")
        one.press("d")
        assert one.end() == 0


def test_the_runs_of_another_folder_are_offered_too(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHARRNN_RUNS")
    with terminal("--runs-folder", str(runs)) as one:
        one.shows("Runs  2", "novel-1")
        one.press("\x1b")
        assert one.end() == 0


def test_two_hundred_resizes_leave_it_drawn(runs: Path) -> None:
    with terminal() as one:
        one.shows("Runs  2")
        for number in range(200):
            one.resize(1 + (number * 37) % 150, 1 + (number * 11) % 50)
            one.press("\t" if number % 20 == 0 else "")
            one.read(0.005)
        one.resize(100, 30)
        one.shows("Runs  2", "New run", "Begin training")
        os.kill(one.pid, signal.SIGTERM)
        assert one.end() == 143


def test_a_paused_first_screen_sends_nothing(runs: Path) -> None:
    with terminal() as one:
        one.shows("1.961", "loss by step")
        for _ in range(30):
            one.read(0.05)
        before = len(one.raw)
        for _ in range(40):
            one.read(0.05)
        assert len(one.raw) - before <= 100
        one.press("\x1b")
        one.end()


LOADED = """
import asyncio, sys
from tui.app import Workbench

async def main():
    app = Workbench(None)
    async with app.run_test(size=(120, 34)) as pilot:
        await pilot.pause(0.3)
        await pilot.press("tab", *"/etc/host")
        await pilot.pause(0.3)
        unwanted = {"torch", "numpy", "plotext", "charrnn.model.language_model"}
        sys.stderr.write(" ".join(sorted(unwanted & set(sys.modules))))
        app.exit()

asyncio.run(main())
"""


def test_the_first_screen_loads_neither_torch_nor_numpy(runs: Path) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr.strip() == ""
