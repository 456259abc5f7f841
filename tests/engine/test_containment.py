"""What an engine does when its trainer dies, and a trainer when its engine does: real processes, real signals."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from charrnn.engine.messages import Notice, RunRequest, SetLearningRate, SetPaused, StopRun, Welcome, WriteCheckpoint
from charrnn.engine.trainer_watch import Limits
from charrnn.runs.directory import is_live
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import list_checkpoints
from charrnn.runs.trainer_lock import TrainerLock
from tests.engine.driving import SMALL, Watcher, engine, gone, launched, trainer_of

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc")


def events(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (place / "events.jsonl").read_text().splitlines()]


async def kill(engine_pid: int, number: signal.Signals = signal.SIGKILL) -> int:
    """Sends a signal to the engine's trainer, once it has one; the trainer's process id."""
    async with asyncio.timeout(60):
        while (pid := trainer_of(engine_pid)) is None:
            await asyncio.sleep(0.05)
    os.kill(pid, number)
    return pid


def said(watcher: Watcher, words: str) -> bool:
    return any(words in notice.text for notice in watcher.told(Notice))


def test_a_trainer_that_dies_is_told_and_another_goes_on_where_it_saved(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, warmup=0) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 5 and watcher.text)
            watcher.client.send(WriteCheckpoint())
            await watcher.until(lambda: [n for n in watcher.told(Notice) if n.level == "saved"])
            place = Path(watcher.told(Welcome)[0].folder)
            saved = list_checkpoints(place)[-1].step
            watcher.client.send(SetLearningRate(0.0125))
            watcher.client.send(SetPaused(True))
            await watcher.until(lambda: watcher.status.state == "paused" and watcher.status.learning_rate == 0.0125)
            await kill(started.process.pid, signal.SIGSEGV)
            await watcher.until(lambda: watcher.status.state == "restarting")
            await watcher.until(lambda: said(watcher, "was ended by SIGSEGV, in charrnn/"))
            assert said(watcher, f"starts again from the checkpoint of step {saved:,}.")
            assert any("SIGSEGV" in words for words in watcher.status.troubles)
            characters = sum(len(p.text) for p in watcher.text)
            await watcher.until(lambda: sum(len(p.text) for p in watcher.text) > characters + 20)
            await watcher.until(lambda: watcher.status.state == "paused")
            assert watcher.status.step == saved
            assert not watcher.status.troubles
            watcher.client.send(SetPaused(False))  # the rate changes again at the step at which it was changed
            await watcher.until(lambda: watcher.status.step > saved + 20 and watcher.status.learning_rate == 0.0125)
            watcher.client.send(StopRun())
            await watcher.until(lambda: watcher.ended)
        restarts = [event for event in events(place) if event["event"] == "restart"]
        assert [(event["step"], event["value"]) for event in restarts] == [(saved, "the trainer was ended by SIGSEGV")]
        steps = [line["step"] for line in read_metrics(place)]
        assert steps[:1000] == list(range(1, len(steps[:1000]) + 1))  # none is missing where it went back
        log = (place / "engine.log").read_text()
        assert "Segmentation fault" in log
        assert "the trainer was ended by SIGSEGV, in charrnn/" in log

    asyncio.run(go())


def test_after_too_many_deaths_it_waits_for_a_key(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, limits=Limits(restarts=1)) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 5)
            await kill(started.process.pid, signal.SIGBUS)
            await watcher.until(lambda: watcher.status.state == "restarting")
            assert said(watcher, "it starts again from the beginning, for there was no checkpoint yet")
            await kill(started.process.pid)
            await watcher.until(lambda: watcher.status.state == "failed")
            assert said(watcher, "space starts it again from the beginning, q leaves")
            assert any("SIGKILL" in words for words in watcher.status.troubles)
            watcher.client.send(SetPaused(False))
            await watcher.until(lambda: watcher.status.state == "training" and watcher.status.step > 5)
            assert not watcher.status.troubles

    asyncio.run(go())


def test_a_trainer_that_is_out_of_memory_says_which_batch_would_do(corpus_file: Path, runs_folder: Path) -> None:
    async def go() -> None:
        async with engine(corpus_file, limits=Limits(restarts=0), batch=64, hidden=64) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 2)
            pid = trainer_of(started.process.pid)
            assert pid is not None
            resource.prlimit(pid, resource.RLIMIT_AS, (2**28, 2**28))
            watcher.client.send(WriteCheckpoint())
            await watcher.until(lambda: watcher.status.state == "failed")
            (notice,) = [n.text for n in watcher.told(Notice) if n.level == "error"]
            assert "the trainer ran out of memory" in notice
            assert "a new run with --batch 32 instead of 64 needs less" in notice

    asyncio.run(go())


def test_a_stopped_trainer_is_told_and_goes_on_and_stopping_the_run_continues_it(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 5 and watcher.text)
            pid = await kill(started.process.pid, signal.SIGSTOP)
            await watcher.until(lambda: any("stopped (SIGSTOP)" in words for words in watcher.status.troubles))
            step = watcher.status.step
            os.kill(pid, signal.SIGCONT)
            await watcher.until(lambda: not watcher.status.troubles and watcher.status.step > step)
            os.kill(pid, signal.SIGSTOP)
            await watcher.until(lambda: watcher.status.troubles)
            watcher.client.send(StopRun())
            await watcher.until(lambda: watcher.ended)
        assert list_checkpoints(Path(watcher.told(Welcome)[0].folder))[-1].step >= step

    asyncio.run(go())


def test_a_trainer_whose_engine_is_killed_saves_completes_the_record_and_keeps_others_out_meanwhile(
    corpus_file: Path, runs_folder: Path
) -> None:
    async def go() -> None:
        async with engine(corpus_file) as (watcher, started):
            await watcher.until(lambda: watcher.status.step > 50)
            place = Path(watcher.told(Welcome)[0].folder)
            trainer = await kill(started.process.pid, signal.SIGSTOP)
            step = watcher.status.step
            started.process.kill()
            await watcher.until(lambda: watcher.ended)
        assert not is_live(place)
        assert TrainerLock.take(place) is None
        async with launched(RunRequest(target=str(place))) as (again, _):
            await again.until(lambda: any("still saves" in words for words in again.status.troubles))
            os.kill(trainer, signal.SIGCONT)
            await gone(trainer)
            saved = next(event["step"] for event in events(place) if event["event"] == "end")
            assert saved >= step
            assert saved in [checkpoint.step for checkpoint in list_checkpoints(place)]
            assert [line["step"] for line in read_metrics(place)][:saved] == list(range(1, saved + 1))
            assert "the engine has gone; the trainer ended after step" in (place / "engine.log").read_text()
            await again.until(lambda: again.status.state == "training" and not again.status.troubles)
            assert again.status.step >= saved
        assert [event["event"] for event in events(place)].count("end") == 2

    asyncio.run(go())


def test_in_the_foreground_it_ends_with_status_1_and_says_how_it_goes_on(corpus_file: Path, runs_folder: Path) -> None:
    code = (
        "import sys; from charrnn.commands.train import train; from charrnn.engine.messages import RunRequest\n"
        "from charrnn.engine.trainer_watch import Limits\n"
        f"sys.exit(train(RunRequest(target=sys.argv[1], options={SMALL!r}), Limits(restarts=0)))"
    )
    command = [sys.executable, "-c", code, str(corpus_file)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        said = [next(line for line in lines if line.startswith("model "))]
        asyncio.run(kill(process.pid, signal.SIGBUS))
        said += list(lines)
        assert process.wait(60) == 1
    (error,) = [line for line in said if line.startswith("error ")]
    assert "the trainer was ended by SIGBUS" in error
    assert "the run goes on from the beginning when opened" in error
    assert "space" not in error
    assert said[-1].startswith("end ")
    assert "not all of them saved" in said[-1]
