"""`charrnn-tui` where standard output is no terminal."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.runs.metrics import read_metrics

TINY = ["--hidden", "16", "--embedding", "8", "--batch", "4", "--length", "16", "--threads", "1"]


def workbench(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tui", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120, **options)  # type: ignore[call-overload, no-any-return]


def test_it_prints_plain_lines_and_ends_with_its_steps(corpus_file: Path, runs_folder: Path) -> None:
    done = workbench(corpus_file, *TINY, "--steps", 400, "--pace", 2000)
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert len(done.stdout) > 50
    assert "finished, step 400" in done.stderr
    assert all(line.startswith("charrnn-tui: ") for line in done.stderr.splitlines())
    assert read_metrics(runs_folder / "sentences-1")[-1]["step"] == 400


def test_a_run_that_is_opened_trains_on_since_nobody_can_ask_it_to(corpus_file: Path, runs_folder: Path) -> None:
    assert workbench(corpus_file, *TINY, "--steps", 5).returncode == 0
    assert workbench("sentences-1", "--steps", 9).returncode == 0
    assert read_metrics(runs_folder / "sentences-1")[-1]["step"] == 9


@pytest.mark.parametrize(("words", "said"), [(["/no/such/file"], "no file"), (["--lr", "fast"], "fast")])
def test_wrong_usage_is_one_sentence_and_status_2(words: list[str], said: str, runs_folder: Path) -> None:
    done = workbench(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not runs_folder.exists()
