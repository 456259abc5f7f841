"""Runs that are cut at random moments and go on, against one that was not: weights, optimiser, text, record.

Real `charrnn train` processes. The uncut run of each cell is changed live by a client; a run that is to be cut has its
settings and those changes before it, as one that crashed before its first checkpoint. It is then cut several times (all
of it killed, the engine alone killed, told to end), opened again every time, and at last let go on to its end.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.config import Knobs
from charrnn.engine import wire
from charrnn.engine.client import attach
from charrnn.engine.messages import Hello, SetCooldown, SetLearningRate
from charrnn.runs.directory import CONFIG, socket_path
from charrnn.runs.events import changes_of, read_events
from charrnn.runs.metrics import EVENTS, append, read_metrics
from charrnn.runs.saved import list_checkpoints
from tests.engine.driving import children
from tests.faults.promise import Outcome, Promise

ROOT = Path(__file__).parents[2]
STEPS, CUTS_A_RUN, LONGEST, ROUNDS = 800, 4, 300.0, 20
COMMON = "--embedding 8 --batch 4 --length 16 --evaluate-every 25 --cooldown 0.2 --seed 3"
CELLS = {
    "lstm": "--hidden 16 --layers 2 --dropout 0.2 --average 0.95 --weight-decay 0.01 --threads 1",
    "gru": "--hidden 16 --noise 0.1 --average 0.9 --warmup 30 --threads 1",
    "rnn": "--hidden 16 --layers 2 --dropout 0.3 --lr 0.01 --sampling-of-text random --threads 1",
    "lstmcell": "--hidden 12 --dropout 0.1 --sampling-of-text line --threads 1",
    "mingru": "--hidden 32 --layers 2 --dropout 0.1 --optimiser muon --average 0.9 --threads 2",
}
KINDS = ("all of it killed", "the engine killed", "told to end")


@dataclass(frozen=True)
class End:
    """What a run has come to: digests of weights, state and text, and the record without its seconds."""

    step: int
    weights: str
    state: str
    text: str
    lines: list[dict[str, Any]]
    changes: list[Any]

    def differs(self, other: End) -> str:
        return ", ".join(name for name in vars(self) if getattr(self, name) != getattr(other, name))


@contextmanager
def training(*words: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`charrnn train` in a process group of its own; none of it is left at the end."""
    environment = {**os.environ, "CHARRNN_CACHE": str(folder / "cache"), "CHARRNN_RUNS": str(folder)}
    command = [sys.executable, "-m", "charrnn", "train", *words]
    with open(folder / "said", "ab") as said:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=said, stdout=said, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def waited(condition: Callable[[], Any], process: subprocess.Popen[bytes] | None = None) -> Any:
    """The condition's value once it is true, or None if the process ends before."""
    end = time.monotonic() + LONGEST
    while not (value := condition()):
        if process is not None and process.poll() is not None:
            return None
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)
    return value


def begun(run: Path) -> int:
    """How often training has begun."""
    with contextlib.suppress(FileNotFoundError):
        return (run / EVENTS).read_bytes().count(b'"begin"')
    return 0


def uncut(cell: str, folder: Path, seed: int) -> Path:
    """A run from its beginning to its end, whose learning rate is changed and which is cooled down for a while."""
    chance, run = random.Random(f"{seed} {cell}"), folder / f"{cell}-uncut"
    words = [*COMMON.split(), *CELLS[cell].split(), "--cell", cell, "--steps", str(STEPS), "--run", str(run)]
    with training(str(folder / "text"), *words, folder=folder) as process:
        if waited(lambda: begun(run) and socket_path(run).exists(), process):
            with contextlib.suppress(OSError), attach(str(socket_path(run)), Hello(stream=False)) as client:
                for message in (SetLearningRate(0.004), SetCooldown(True, STEPS), SetCooldown(False)):
                    time.sleep(chance.uniform(0.05, 0.3))
                    client.sendall(wire.frame(message))
                waited(lambda: False, process)  # the engine must not find its client gone before it has heard it
        assert process.wait() == 0, (folder / "said").read_text()
    return run


@dataclass
class Plan:
    """One run that is to be cut at `moments`: seconds after training has begun, and how. `cuts` is how often it was."""

    cell: str
    run: Path
    moments: list[tuple[float, str]]
    cuts: int = 0


def cut(plan: Plan, like: Path) -> Plan:
    """Makes the uncut run again with the plan's cuts, as many of them as find it training."""
    run = plan.run
    (run / "checkpoints").mkdir(parents=True)
    shutil.copy(like / CONFIG, run / CONFIG)
    changes = changes_of(read_events(like))
    append(run / EVENTS, [{"step": c.step, "event": c.event, "value": c.written} for c in changes])
    for seconds, kind in plan.moments:
        before = begun(run)
        with training(str(run), folder=run.parent) as process:
            if waited(lambda before=before: begun(run) > before, process):
                time.sleep(seconds)
            if process.poll() is not None:
                break
            trainers = children(process.pid)
            if kind == "told to end":
                process.send_signal(signal.SIGTERM)
            elif kind == "the engine killed":
                process.kill()
                waited(lambda trainers=trainers: not any(map(alive, trainers)))
            else:
                os.killpg(process.pid, signal.SIGKILL)
            plan.cuts += process.wait() != 0
    with training(str(run), folder=run.parent) as process:
        assert process.wait() == 0, (run.parent / "said").read_text()
    return plan


def alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def digest(tensors: dict[str, Any]) -> str:
    found = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        found.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        found.update(tensor.contiguous().numpy().tobytes())
    return found.hexdigest()


def end_of(run: Path) -> End:
    from charrnn.commands.measure import sample  # only this row needs torch here
    from charrnn.engine.run_state import SECONDS
    from charrnn.runs.checkpoint import MODEL, STATE, load_tensors

    last = list_checkpoints(run)[-1]
    state = load_tensors(last, STATE)
    del state[SECONDS]
    text = io.StringIO()
    with contextlib.redirect_stdout(text), contextlib.redirect_stderr(io.StringIO()):
        sample(run, which="last", prime="The ", length=1000, knobs=Knobs(), seed=7)
    lines = [{name: value for name, value in line.items() if name != "seconds"} for line in read_metrics(run)]
    return End(
        last.step,
        digest(load_tensors(last, MODEL)),
        digest(state),
        text.getvalue(),
        lines,
        changes_of(read_events(run)),
    )


def planned(cells: dict[str, int], folder: Path, chance: random.Random) -> Iterator[Plan]:
    """Runs with so many cuts of each cell, CUTS_A_RUN of them at most in each run."""
    for cell, cuts in cells.items():
        for first in range(0, cuts, CUTS_A_RUN):
            many = min(CUTS_A_RUN, cuts - first)
            moments = [(chance.uniform(0, 0.6), chance.choice(KINDS)) for _ in range(many)]
            yield Plan(cell, folder / f"{cell}-{chance.randrange(10**9)}", moments)


def keep(times: int, folder: Path, seed: int) -> Outcome:
    """So many cuts, dealt out to as many cells as get two at least; two processes at a time."""
    chance, words = random.Random(seed), random.Random(2)
    spoken = [
        " ".join(words.choices(["the sea", "was", "calm", "and", "nobody", "left", "home"], k=9)) for _ in range(600)
    ]
    (folder / "text").write_text(".\n".join(spoken).capitalize())
    cells = list(CELLS)[: max(1, min(len(CELLS), times // 2))]
    left = {cell: times // len(cells) + (index < times % len(cells)) for index, cell in enumerate(cells)}
    broken: list[str] = []
    kinds = Counter[str]()
    with ThreadPoolExecutor(2) as pool:
        uncuts = dict(zip(cells, pool.map(lambda cell: uncut(cell, folder, seed), cells), strict=True))
        ends = {cell: end_of(run) for cell, run in uncuts.items()}
        for _ in range(ROUNDS):  # a run may end before the moment of its cut
            for plan in pool.map(lambda plan: cut(plan, uncuts[plan.cell]), list(planned(left, folder, chance))):
                left[plan.cell] -= plan.cuts
                kinds.update(kind for _, kind in plan.moments[: plan.cuts])
                if differing := end_of(plan.run).differs(ends[plan.cell]):
                    words_of = f"{plan.cell}, cut {plan.cuts} times: {differing} not as in the uncut run"
                    broken += [words_of] * max(1, plan.cuts)
                shutil.rmtree(plan.run)
    seen = ", ".join(f"{count} × {kind}" for kind, count in sorted(kinds.items()))
    changes = sum(len(end.changes) for end in ends.values())
    measured = f"{', '.join(cells)}: {seen}; {changes} changes of the uncut runs made again in each"
    return Outcome(kinds.total(), measured, tuple(broken))


PROMISES = (
    Promise(
        7,
        "cut and resumed runs against uncut ones, on a CPU",
        "20 random cuts for each cell: sha256 equal",
        often=20 * len(CELLS),
        few=2,
        keep=keep,
    ),
)
