"""Live runs as commands meet them: attached to, listed, stopped; and engines that stay or go when training is over."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.engine.asking import stop
from charrnn.engine.client import EngineClient, attach_to, launch, open_run
from charrnn.engine.messages import RunRequest, Welcome
from charrnn.runs.directory import is_live, socket_path
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.cli.test_commands import charrnn
from tests.cli.test_without_a_terminal import workbench
from tests.engine.driving import SMALL, Watcher
from tests.faults.at_work import training_run

TINY = {"cell": "gru", "hidden": 16, "embedding": 8, "batch": 4, "length": 16}


def test_a_live_run_is_listed_attached_to_and_stopped(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    where = ("--runs-folder", runs)
    with training_run(tmp_path, "lively", **TINY) as run:
        head, row = charrnn("runs", *where).stdout.splitlines()
        assert head.split()[-1] == "engine"
        assert row.endswith(f"  training, nobody attached, process {run.engine}")
        listed = json.loads(charrnn("runs", "--json", *where).stdout)
        assert listed["engine"] == {"state": "training", "watchers": 0, "pid": run.engine}

        for words in (["--attach", "--lr", "0.1"], ["lively", "--lr", "0.1"]):
            refused = workbench(*words, *where)
            assert (refused.returncode, refused.stdout) == (2, "")
            assert "lively is live already and would not hear of --lr; attach without" in refused.stderr

        command = [sys.executable, "-m", "tui", "--attach", "--runs-folder", str(runs)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert watching.stdout.readline()
            assert "1 attached" in charrnn("runs", *where).stdout
            watching.send_signal(signal.SIGTERM)
            assert watching.wait(30) == 143
        assert is_live(run.folder)

        os.kill(run.engine, signal.SIGSTOP)
        try:
            with pytest.raises(UsageError, match="The engine of lively has not answered for 0 s; it was left as it is"):
                asyncio.run(stop(run.folder, answers_within=0.3))
            assert "starts, or does not answer" in charrnn("runs", *where).stdout
        finally:
            os.kill(run.engine, signal.SIGCONT)
        done = charrnn("stop", run.folder / ".." / "lively")
        assert done.returncode == 0, done.stderr
        assert "lively stopped: " in done.stderr
        assert f"saved in {run.folder}" in done.stderr
        assert not is_live(run.folder)
        assert list_checkpoints(run.folder)[-1].step == read_metrics(run.folder)[-1]["step"]
    assert "no run in" in charrnn("stop", "--all", *where).stderr
    assert "engine" not in charrnn("runs", *where).stdout
    nothing = workbench("--attach", *where)
    assert (nothing.returncode, nothing.stderr.count("\n")) == (2, 1)
    assert f"No run in {runs} is live" in nothing.stderr
    assert (
        "The run lively is not live; `charrnn-tui lively` opens it." in workbench("lively", "--attach", *where).stderr
    )

    shutil.copytree(run.folder, runs / "other")
    with open(run.folder / "lock") as one, open(runs / "other" / "lock") as two:
        for lock in (one, two):
            fcntl.flock(lock, fcntl.LOCK_EX)
        several = workbench("--attach", *where)
        assert several.returncode == 2
        assert "Several runs are live, so name the one to attach to: lively, other." in several.stderr
        with pytest.raises(UsageError, match="but its engine does not answer"):
            attach_to(runs / "other", patience=0.2)
        _an_engine_that_listens_late(runs / "other")


def _an_engine_that_listens_late(run: Path) -> None:
    """Whoever comes before that waits."""
    path = socket_path(run)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listening:

        def listen() -> None:
            listening.bind(str(path))
            listening.listen()

        timer = threading.Timer(0.3, listen)
        timer.start()
        try:
            reached = open_run(RunRequest(target=str(run)))
            assert reached.attached
            reached.connection.close()
        finally:
            timer.join()
            path.unlink()


def test_a_run_goes_on_without_the_client_that_asked_for_it_and_lingers_as_it_was_told(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        started = launch(RunRequest(target=str(corpus_file), options={**SMALL, "steps": 300}, linger=0.0))
        watcher = Watcher(await EngineClient.over(started.connection))
        await watcher.until(lambda: watcher.told(Welcome))
        await watcher.close()  # nothing has begun yet
        assert await asyncio.to_thread(started.process.wait, 100) == 0
        run = runs_folder / "sentences-1"
        assert read_metrics(run)[-1]["step"] == list_checkpoints(run)[-1].step == 300

        opened = launch(RunRequest(target="sentences-1", train=False, linger=0.01))
        looking = Watcher(await EngineClient.over(opened.connection))
        await looking.until(lambda: looking.status.state == "paused")
        time.sleep(1.5)
        assert opened.process.poll() is None
        await looking.close()
        assert await asyncio.to_thread(opened.process.wait, 60) == 0

    asyncio.run(go())


def test_in_the_foreground_a_run_ends_with_its_training_unless_it_is_told_to_linger(
    corpus_file: Path, runs_folder: Path
) -> None:
    options = [word for name, value in TINY.items() for word in (f"--{name}", str(value))]
    begun = time.monotonic()
    done = charrnn("train", corpus_file, *options, "--steps", 5, "--linger", 0.05)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun > 3.0
    assert charrnn("train", corpus_file, "--linger", -1).returncode == 2
