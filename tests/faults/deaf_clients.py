"""Clients that never read, and a terminal that stalls for a minute: training and the engine's memory do not notice.

One run streams at full pace, with a client that has the engine say something all the time. Windows without anybody else
take turns with windows in which four clients that read nothing and a real workbench whose terminal takes nothing are
attached.

The step rate of a window with them is set against those of the two windows beside it, and told. It is the machine's
doing too, though, which may be slower for a while; what is judged is therefore what the clients can do to it: hold
training up by making it wait, which shows as sleep of the training loop, or take the cores from it, which shows as work
of the engine. Neither may cost it 2 %, whatever the rate.

What the sampler's thread computes does not count as that work: it makes the same characters a second whoever is there,
and on a machine that is slower for a while, because its neighbours are busy, it needs longer for them just as the
trainer needs longer for its steps. What is left is what the clients cost.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from charrnn.engine import wire
from charrnn.engine.client import attach
from charrnn.engine.messages import Hello, SetPace
from charrnn.runs.directory import socket_path
from tests.faults.at_work import Run, Samples, end, private_bytes, spread, thread_seconds, training_run
from tests.faults.promise import Outcome, Promise

DEAF = 4
PACE = 2000.0
STALL, SHORT_STALL = 60.0, 4.0
WITHIN = 0.02
MOST_MEMORY = 16e6
OFTEN, FEW = 3, 1


@dataclass(frozen=True, slots=True)
class Window:
    """What was seen for a while: steps a second, the loop's sleep, the engine's work without its sampler, its memory.

    Sleep and work are in seconds per second.
    """

    rate: float
    slept: float
    engine: float
    memory: int


def keep(times: int, folder: Path, seed: int) -> Outcome:
    stall = STALL if times >= OFTEN else SHORT_STALL
    with training_run(folder, "heard", cell="lstmcell", hidden=48, embedding=16, batch=4, length=32) as run:
        run.say(SetPace(PACE))
        with _talker(run):
            time.sleep(2.0)
            quiet = [_window(run, stall / 2)]
            loud, grown = [], []
            for _ in range(times):
                before = private_bytes(run.engine)
                with _deaf_clients(run), _stalled_terminal(run):
                    loud.append(_window(run, stall))
                grown.append(loud[-1].memory - before)
                quiet.append(_window(run, stall / 2))
    broken = []
    ratios = []
    cores = os.cpu_count() or 1
    for number, window in enumerate(loud):
        beside = quiet[number : number + 2]
        ratios.append(2 * window.rate / sum(one.rate for one in beside))
        slept = window.slept - max(one.slept for one in beside)
        worked = (window.engine - max(one.engine for one in beside)) / cores
        if max(slept, worked) > WITHIN:
            broken.append(f"step rate {ratios[-1]:.3f}, slept {slept:.3f} s/s, the engine worked {worked:.3f} s/s")
        elif grown[number] > MOST_MEMORY:
            broken.append(f"the engine's memory grew by {grown[number] / 1e6:.1f} MB")
    measured = (
        f"{stall:.0f} s each; step rate {spread(ratios, '×', 3)}, engine memory + {max(grown) / 1e6:.1f} MB at most"
    )
    return Outcome(times, measured, tuple(broken))


def _window(run: Run, seconds: float) -> Window:
    memory = 0
    with Samples(run) as samples:
        first, worked, begun = run.lines()[-1], thread_seconds(run.engine), time.monotonic()
        while time.monotonic() < begun + seconds:
            time.sleep(min(0.5, seconds / 8))
            memory = max(memory, private_bytes(run.engine))
        last, ended = run.lines()[-1], time.monotonic()
    steps, trained = last["step"] - first["step"], last["seconds"] - first["seconds"]
    share = (ended - begun - samples.waited(begun, ended)) / (ended - begun)
    return Window(
        rate=steps / (trained * share) if trained else 0.0,
        slept=samples.slept(begun, ended) / (ended - begun),
        engine=_without_sampler(run, worked) / (ended - begun),
        memory=memory,
    )


def _without_sampler(run: Run, before: dict[int, float]) -> float:
    """Seconds that the engine has computed since then, all its threads but the sampler's: at this pace the busiest."""
    worked = {thread: now - before.get(thread, 0.0) for thread, now in thread_seconds(run.engine).items()}
    return sum(worked.values()) - max(seconds for thread, seconds in worked.items() if thread != run.engine)


@contextlib.contextmanager
def _talker(run: Run) -> Iterator[None]:
    """A client that reads, and has the engine complain thirty times a second."""
    done = threading.Event()
    connection = attach(str(socket_path(run.folder)), Hello())

    def talk() -> None:
        connection.settimeout(0.01)
        while not done.wait(0.03):
            with contextlib.suppress(TimeoutError):
                connection.sendall(wire.frame(SetPace(math.nan)))
                while connection.recv(262_144):
                    pass

    thread = threading.Thread(target=talk)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        connection.close()


@contextlib.contextmanager
def _deaf_clients(run: Run) -> Iterator[None]:
    with contextlib.ExitStack() as stack:
        for _ in range(DEAF):
            connection = stack.enter_context(attach(str(socket_path(run.folder)), Hello()))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        yield


@contextlib.contextmanager
def _stalled_terminal(run: Run) -> Iterator[None]:
    """A workbench that has drawn the stream, and whose terminal then takes nothing any more."""
    terminal = run.workbench()
    try:
        terminal.shows("seed", seconds=60)
        yield
    finally:
        end(terminal)


PROMISES = (
    Promise(
        row=10,
        name="a client that never reads; a terminal that stalls for a minute",
        figure="step rate within 2 %, engine memory + ≤ 16 MB",
        often=OFTEN,
        few=FEW,
        keep=keep,
    ),
)
