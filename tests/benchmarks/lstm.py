"""Whole training steps of ours and of a bare `nn.LSTM` loop: the same shapes, batch, optimiser, threads and text.

    python -m tests.benchmarks.lstm [--threads 2] [--rounds 9] [--burst 0.5] [--cpu-time]

The bare loop is what a user of PyTorch would write: embedding, `nn.LSTM`, linear, `cross_entropy`, fused Adam, the
state carried on. Ours is `Trainer.step`. They take turns in short bursts, each in a process of its own, so that other
load meets both.
Prints characters a second of each and the ratio: its median over the rounds, and the lowest and the highest. Beside
other load, `--threads 1 --cpu-time` counts only the time that the process was given.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from charrnn.config import ModelConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.native.library import kernels
from charrnn.text.batches import make_batches
from charrnn.text.vocabulary import Ids
from charrnn.training.trainer import Trainer

SYMBOLS, EMBEDDING, LENGTH = 65, 64, 64


class Bare(nn.Module):
    """The network without anything of ours."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(SYMBOLS, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, hidden)
        self.output = nn.Linear(hidden, SYMBOLS)


def bare_step(ids: Ids, hidden: int, config: TrainingConfig) -> Callable[[], float]:
    """One step of a plain loop."""
    torch.manual_seed(1)
    model = Bare(hidden)
    optimiser = torch.optim.Adam(model.parameters(), lr=config.lr, fused=True)
    batches = make_batches(ids, config)
    state: tuple[torch.Tensor, torch.Tensor] | None = None

    def step() -> float:
        nonlocal state
        batch = batches.next()
        outputs, after = model.lstm(model.embedding(batch.inputs), None if batch.fresh else state)
        loss = functional.cross_entropy(model.output(outputs).flatten(0, 1), batch.targets.flatten())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        state = (after[0].detach(), after[1].detach())
        return loss.item()

    return step


def our_step(ids: Ids, hidden: int, config: TrainingConfig) -> Callable[[], float]:
    """One step of the trainer."""
    torch.manual_seed(1)
    model = LanguageModel(SYMBOLS, ModelConfig(cell="lstm", hidden=hidden, layers=1, embedding=EMBEDDING))
    trainer = Trainer(model, ids, ids[:0], config)
    return lambda: trainer.step().loss


def rate(step: Callable[[], float], seconds: float, clock: Callable[[], float]) -> float:
    """Steps a second over a burst."""
    done, begun = 0, clock()
    while (spent := clock() - begun) < seconds:
        step()
        done += 1
    return done / spent


class Side:
    """One of the two, in a process of its own: threads that one leaves spinning would take the other's cores."""

    def __init__(self, name: str, threads: int, cpu_time: bool) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.lstm", "--side", name, "--threads", str(threads)]
        environment = dict(os.environ)
        if name == "ours":
            environment["OMP_WAIT_POLICY"] = "PASSIVE"  # as the trainer's process has it
        self._process = subprocess.Popen(
            command + ["--cpu-time"] * cpu_time,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def ask(self, *what: float) -> float:
        """Characters a second of (hidden, batch, seconds)."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(" ".join(map(str, what)) + "\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def end(self) -> None:
        self._process.communicate()


def serve(name: str, threads: int, clock: Callable[[], float]) -> None:
    """A side's process: a line in, a figure out."""
    torch.set_num_threads(threads)
    ids = np.random.default_rng(0).integers(0, SYMBOLS, 500_000).astype(np.uint8)
    steps: dict[tuple[int, int], Callable[[], float]] = {}
    for line in sys.stdin:
        hidden, batch, seconds = line.split()
        case = int(hidden), int(batch)
        if case not in steps:
            config = TrainingConfig(batch=case[1], length=LENGTH, lr=0.003, clip=0.0, threads=threads)
            steps[case] = {"bare": bare_step, "ours": our_step}[name](ids, case[0], config)
            if name == "ours" and min(threads, case[1]) > 1:
                torch.set_num_threads(1)  # as the trainer's process does where threads share out the streams
        print(rate(steps[case], float(seconds), clock) * case[1] * LENGTH, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--burst", type=float, default=0.5)
    parser.add_argument("--cpu-time", action="store_true")
    parser.add_argument("--side", choices=["bare", "ours"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        clock = time.process_time if arguments.cpu_time else time.perf_counter
        serve(arguments.side, arguments.threads, clock)
        return
    sides = [Side(name, arguments.threads, arguments.cpu_time) for name in ("bare", "ours")]
    print(f"kernels: {kernels()}; {arguments.threads} threads; characters a second")
    print(f"{'hidden':>6} {'batch':>5} {'bare nn.LSTM':>13} {'ours':>10} {'ratio':>6}  lowest – highest")
    for hidden in (128, 256):
        for batch in (1, 8, 32):
            for side in sides:
                side.ask(hidden, batch, 0.3)
            rounds = [[side.ask(hidden, batch, arguments.burst) for side in sides] for _ in range(arguments.rounds)]
            bare, ours = (statistics.median(column) for column in zip(*rounds, strict=True))
            ratios = sorted(ours / bare for bare, ours in rounds)
            spread = f"{ratios[0]:.2f} – {ratios[-1]:.2f}"
            print(f"{hidden:6} {batch:5} {bare:13,.0f} {ours:10,.0f} {statistics.median(ratios):6.2f}  {spread}")
    for side in sides:
        side.end()


if __name__ == "__main__":
    main()
