"""A run of two processes as torchrun starts, watches, restarts and ends them, and as a workbench meets it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from charrnn.engine.client import EngineClient, attach
from charrnn.engine.messages import Ended, Hello, ModelInfo, SetLearningRate, SetPaused
from charrnn.runs.directory import socket_folder, socket_path
from charrnn.runs.metrics import read_metrics
from charrnn.runs.milestones import list_milestones
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import Watcher, children

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks at processes through /proc"),
    pytest.mark.timeout(480),  # every start loads torch three times, which takes a busy machine its time
]

TINY = ["--hidden", "16", "--embedding", "8", "--batch", "4", "--length", "16", "--evaluate-every", "20"]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


@contextmanager
def torchrun(
    *words: object, restarts: int = 0, command: list[str] | None = None, **options: Any
) -> Iterator[subprocess.Popen[str]]:
    """`charrnn train` on two processes, or another command; whatever of it is left at the end is killed."""
    command = command or [
        *TORCHRUN, "--max-restarts", str(restarts), "-m", "--", "charrnn", "train", *map(str, words)
    ]  # fmt: skip
    before = notes()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options) as launch:
        try:
            yield launch
        finally:
            for pid in [*descendants(launch.pid), launch.pid] if launch.poll() is None else []:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            launch.wait(30)
            for note in notes() - before:
                note.unlink()


def notes() -> set[Path]:
    """What launches remember of their runs."""
    return set(socket_folder().glob("*.torchrun"))


def descendants(pid: int) -> list[int]:
    with suppress(OSError):
        return [found for child in children(pid) for found in (child, *descendants(child))]
    return []


def worker(launch: subprocess.Popen[str], rank: int) -> int:
    """The process id of the worker of that rank."""

    def found() -> int | None:
        for child in children(launch.pid):
            with suppress(OSError):
                if f"RANK={rank}".encode() in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                    return child
        return None

    pid: int = until(found)
    return pid


def until(condition: Callable[[], Any], seconds: float = 150) -> Any:
    """The condition's value, as soon as it is true."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.05)
    return value


async def watcher_of(run: Path, *, stream: bool = True) -> Watcher:
    """A workbench's connection to the live run."""

    def connected() -> Any:
        with suppress(OSError):
            return attach(str(socket_path(run)), Hello(stream=stream))

    connection = await asyncio.to_thread(until, connected)
    return Watcher(await EngineClient.over(connection))


async def held(run: Path, past: int) -> None:
    """Pauses the run once it has a checkpoint of more than `past` steps."""
    watcher = await watcher_of(run, stream=False)
    await watcher.until(lambda: any(c.step > past for c in list_checkpoints(run)))
    watcher.client.send(SetPaused(True))
    await watcher.until(lambda: watcher.status.state == "paused")
    await watcher.close()


def events(run: Path, name: str) -> list[tuple[Any, int]]:
    lines = [json.loads(line) for line in (run / "events.jsonl").read_text().splitlines()]
    return [(line["value"], line["step"]) for line in lines if line["event"] == name]


def test_a_killed_rank_comes_back_and_the_run_is_done_as_one(corpus_file: Path, runs_folder: Path) -> None:
    run, before = runs_folder / "sentences-1", notes()
    with torchrun(corpus_file, *TINY, "--steps", 400, restarts=2) as launch:
        asyncio.run(held(run, 0))
        os.kill(worker(launch, 1), signal.SIGKILL)
        until(lambda: len(events(run, "begin")) == 2)
        asyncio.run(held(run, events(run, "begin")[1][1]))
        (trainer,) = children(worker(launch, 0))
        os.kill(trainer, signal.SIGKILL)
        _, errors = launch.communicate(timeout=120)
        assert launch.returncode == 0, errors
        assert notes() <= before  # the run is done, so nothing remembers it
    assert [path.name for path in runs_folder.iterdir()] == ["sentences-1"]
    assert [line["step"] for line in read_metrics(run)] == list(range(1, 401))
    begun = events(run, "begin")
    assert [device for device, _ in begun] == [begun[0][0]] * 3
    assert "2 processes" in begun[0][0]
    assert 0 == begun[0][1] < begun[1][1] < begun[2][1]
    assert list_checkpoints(run)[-1].step == 400
    assert [one.step for one in list_milestones(run)][:2] == [0, 11]


def test_a_workbench_attaches_and_what_it_asks_holds_on_every_rank_until_torchrun_is_ended(
    corpus_file: Path, runs_folder: Path
) -> None:
    run = runs_folder / "mine"

    async def go(launch: subprocess.Popen[str]) -> int:
        watcher = await watcher_of(run)
        await watcher.until(lambda: watcher.status.step > 5 and watcher.text)
        assert "2 processes" in watcher.told(ModelInfo)[0].device
        watcher.client.send(SetPaused(True))
        await watcher.until(lambda: watcher.status.state == "paused")
        await asyncio.sleep(2.5)  # heartbeats pass
        step = watcher.status.step
        watcher.client.send(SetLearningRate(0.0125))
        watcher.client.send(SetPaused(False))
        await watcher.until(lambda: watcher.status.step > step + 30)
        launch.send_signal(signal.SIGTERM)
        await watcher.until(lambda: watcher.told(Ended))
        await watcher.close()
        return step

    with torchrun(corpus_file, *TINY, "--warmup", "0", "--lr", "0.003", "--run", "mine") as launch:
        step = asyncio.run(go(launch))
        family = descendants(launch.pid)
        launch.communicate(timeout=60)
        until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in family))
    lines = read_metrics(run)
    assert list_checkpoints(run)[-1].step == lines[-1]["step"] > step + 30
    rates = {line["step"]: line["learning_rate"] for line in lines}
    assert rates[step] == 0.003
    assert rates[step + 1] == 0.0125


def test_a_second_machine_needs_neither_the_text_nor_the_runs_folder(
    corpus_file: Path, runs_folder: Path, tmp_path: Path
) -> None:
    """Two machines as two torchruns, each in a folder of its own."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as free:
        meeting = ["--master-addr", "127.0.0.1", "--master-port", str(free.getsockname()[1])]
    options = ["--nnodes", "2", "--nproc-per-node", "1", *meeting]
    words = ["-m", "charrnn", "train", corpus_file.name, *TINY, "--steps", "30"]
    command = [sys.executable, "-m", "torch.distributed.run", *options, "--node-rank"]
    with (
        torchrun(
            command=[*command, "1", *words], cwd=elsewhere, env={**os.environ, "CHARRNN_RUNS": "/nowhere"}
        ) as other,
        torchrun(command=[*command, "0", *words], cwd=corpus_file.parent) as first,
    ):
        _, errors = first.communicate(timeout=150)
        assert first.returncode == 0, errors
        _, errors = other.communicate(timeout=60)
        assert other.returncode == 0, errors
    assert [line["step"] for line in read_metrics(runs_folder / "sentences-1")] == list(range(1, 31))
    assert list(elsewhere.iterdir()) == []


def test_a_wrong_use_is_told_once_and_leaves_nothing(corpus_file: Path, runs_folder: Path) -> None:
    with torchrun(corpus_file, *TINY, "--batch", 3) as launch:
        _, errors = launch.communicate(timeout=100)
        assert launch.returncode != 0
    assert errors.count("A batch of 3 cannot be dealt out evenly to 2 processes; give --batch 2 or 4.") == 1
    assert "exitcode  : 2" in errors
    assert not runs_folder.exists()


@pytest.mark.parametrize(("words", "status"), [(["--help"], 0), (["--hidden", "many"], -signal.SIGTERM)])
def test_only_rank_0_speaks_of_its_command_line(words: list[str], status: int) -> None:
    seat = {"TORCHELASTIC_RUN_ID": "test", "RANK": "1", "WORLD_SIZE": "2"}
    command = [sys.executable, "-m", "charrnn", "train", *words]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={**os.environ, **seat}
    ) as process:
        if status:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(2)  # it waits for rank 0 to say it, and for torchrun
            process.terminate()
        out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == (b"", status)
