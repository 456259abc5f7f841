"""A process that opens hostile runs, for a sample and to train on, and says how each was refused.

    python -m tests.faults.hostile_runs GOOD-RUN FOLDER TIMES

Each is opened in a fork of its own, whose address space may grow by 64 MB. A line of JSON on standard output.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sys
from contextlib import closing, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch

from charrnn.cli import main as charrnn
from charrnn.config import UsageError
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import RunRequest
from charrnn.engine.opening import open_request, read_corpus
from charrnn.engine.trainer_messages import Build
from charrnn.engine.training_loop import TrainingLoop
from charrnn.runs.directory import RunFolder
from charrnn.runs.recovery import resume_point
from tests.faults.hostile_cases import CASES, Hostile

ROOM = 64 << 20  # bytes
SECONDS = 30


class Silent:
    """The engine's end of a trainer that is to refuse."""

    orders: Any = SimpleQueue()

    def say(self, message: object) -> None:
        """Nobody listens."""

    def clock(self, seconds: float) -> float:
        return seconds


def sample(run: Path) -> int:
    return charrnn(["sample", str(run), "--length", "5", "--seed", "1"])


def train_on(run: Path) -> int:
    """What the engine and its trainer do before the first step, in one process."""
    try:
        request = RunRequest(target=str(run))
        opened = open_request(request)
        corpus = read_corpus(opened, request)
        assert opened.recorded is not None
        with closing(RunFolder.open(run)):
            found = resume_point(run)
        build = Build(
            options={},
            corpus=replace(opened.recorded.corpus, sha256=corpus.sha256),
            vocabulary=corpus.vocabulary.facts(),
            dtype=corpus.ids.dtype.name,
            ids=len(corpus.ids),
            held_out_at=corpus.held_out_at,
            recorded=opened.recorded,
            checkpoint=str(found.checkpoint.path) if found.checkpoint else None,
        )
        TrainingLoop(Silent(), build, open_memory(), open_memory(corpus.ids.data.cast("B")))
    except UsageError as error:
        print(f"charrnn train: {error}", file=sys.stderr)
        return 2
    return 0


def opened(run: Path, words: Path, way: Any) -> tuple[int, str, int]:
    """Exit status or −signal, what was said, and by how many bytes the memory in use grew.

    The address space may grow by no more than ROOM.
    """
    child = os.fork()
    if child == 0:
        status = 99
        try:
            out = os.open(words, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            signal.alarm(SECONDS)
            Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
            before = _figure("VmRSS")
            limit = _figure("VmSize") + ROOM
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
            status = way(run)
            sys.stdout.flush()
            sys.stderr.flush()
            Path(f"{words}.peak").write_text(str(_figure("VmHWM") - before))
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    peak = Path(f"{words}.peak")
    grown = int(peak.read_text()) if peak.exists() else 0
    peak.unlink(missing_ok=True)
    return status, words.read_text(), grown


def _figure(name: str) -> int:
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) * 1024


def _ordinary(good: Path, folder: Path, words: Path, way: Any) -> int:
    """By how many bytes memory grows where a checkpoint is merely cut off: code that is run is memory too."""
    run = folder / "run"
    shutil.copytree(good, run)
    model = next((run / "checkpoints").glob("step-*/model.safetensors"))
    os.truncate(model, model.stat().st_size - 1)
    _, _, grown = opened(run, words, way)
    shutil.rmtree(run)
    return grown


def main() -> int:
    good, folder, times = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    broken: list[str] = []
    words = folder / "words"
    for way in (sample, train_on):
        with open(words, "w") as out, redirect_stdout(out), redirect_stderr(out):
            if way(good):  # in this process: a library that is loaded late is no allocation of a fork's
                broken.append(f"the good run is refused: {words.read_text()}")
    ordinary = {way: _ordinary(good, folder, words, way) for way in (sample, train_on)}
    tried, peak = 0, 0
    for name in list(CASES)[:: max(1, len(CASES) // times)][:times]:
        change, by_sample = CASES[name]
        tried += 1
        for way in (sample, train_on) if by_sample else (train_on,):
            run = folder / "run"
            canary = folder / "canary"
            shutil.copytree(good, run)
            change(Hostile(run, next((run / "checkpoints").glob("step-*")), canary))
            status, said, grown = opened(run, words, way)
            grown -= ordinary[way]
            peak = max(peak, grown)
            sentence = re.fullmatch(r"charrnn (sample|train): [A-Z/].*[.]\n", said)
            if status != 2 or sentence is None or canary.exists() or grown > ROOM:
                executed = ", executed" * canary.exists()
                broken.append(f"{name}, {way.__name__}: status {status}, {grown >> 20} MB{executed}: {said[:500]!r}")
                break
            shutil.rmtree(run)
        shutil.rmtree(folder / "run", ignore_errors=True)
    print(json.dumps({"tried": tried, "peak": peak, "broken": broken}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
