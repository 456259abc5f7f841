"""Watches over a trainer's steps: when they go wrong, back to the last good state, at a lower rate.

A step whose loss or gradients are not finite never reaches the weights; that is the trainer's doing. But one such step
seldom comes alone, and a loss that explodes may stay finite. Everything here counts steps and looks at no clock, so the
same run goes the same way.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from charrnn.training.snapshot import Snapshot, part
from charrnn.training.trainer import StepResult, Trainer

EVERY = 200
"""Steps between two snapshots. Two are kept, in memory: what comes to light a little late is then not in the older."""
IN_A_ROW = 5
"""Skipped steps in a row that are too many."""
OF_LATE, OF = 20, 200
"""Skipped steps that are too many among so many."""
EXPLODED, EXPLODED_FOR = 3.0, 20
"""A loss so many times that of guessing blindly, for so many steps in a row, has exploded."""
PATIENCE = 3
"""Returns without a new snapshot between them, after which somebody has to decide."""


@dataclass(frozen=True, slots=True)
class Return:
    """The run went back: `step` steps were done, the state is the one after `to`, `rate` is the stable rate now.

    `exploded`: the loss had exploded; else it, or the gradients, were not finite. `stuck`: it did so PATIENCE times
    without getting anywhere.
    """

    step: int
    to: int
    rate: float
    exploded: bool
    stuck: bool


class Guard:
    """Takes a snapshot of the trainer now and then, while all is well, and puts the trainer back when it is not.

    It costs a copy of weights, optimiser and streams every EVERY steps, on the trainer's device.
    """

    def __init__(self, trainer: Trainer, state: dict[str, Tensor] | None = None) -> None:
        """The trainer's present state is the first to go back to, unless there is a `state()` to go on from."""
        self._trainer = trainer
        self._limit = EXPLODED * math.log(max(2, trainer.model.vocabulary_size))
        self._kept: deque[Snapshot] = deque(maxlen=2)
        self._returns = 0
        self._forget()
        if state:
            self._load_state(state)
        else:
            self._kept.append(trainer.snapshot())

    def _forget(self) -> None:
        self._since = 0  # steps since the last snapshot or return
        self._skipped: deque[bool] = deque(maxlen=OF)
        self._in_a_row = 0
        self._exploded_for = 0
        self._first_bad: int | None = None

    def state(self) -> dict[str, Tensor]:
        """Everything that decides when it acts and where it goes back to; on the CPU, and not to be changed.

        So a run that was cut and goes on goes back to the same state as one that was not, at the same step.
        """
        first_bad = -1 if self._first_bad is None else self._first_bad
        counts = [self._returns, self._since, self._in_a_row, self._exploded_for, first_bad]
        tensors = {"counts": torch.tensor(counts), "skipped": torch.tensor(list(self._skipped), dtype=torch.bool)}
        for index, kept in enumerate(self._kept):
            tensors[f"{index}/at"] = torch.tensor([kept.step, kept.rate], dtype=torch.float64)
            for kind, held in (("weights", kept.weights), ("state", kept.state)):
                tensors |= {f"{index}/{kind}/{name}": tensor.detach().cpu() for name, tensor in held.items()}
        return tensors

    def _load_state(self, state: dict[str, Tensor]) -> None:
        returns, since, in_a_row, exploded_for, first_bad = state["counts"].tolist()
        self._returns, self._since, self._in_a_row, self._exploded_for = returns, since, in_a_row, exploded_for
        self._first_bad = None if first_bad < 0 else first_bad
        self._skipped.extend(state["skipped"].tolist())
        for index in range(2):
            if f"{index}/at" in state:
                step, rate = state[f"{index}/at"].tolist()
                held = [part(state, f"{index}/{kind}/") for kind in ("weights", "state")]
                self._kept.append(Snapshot(int(step), rate, *held))

    def watch(self, result: StepResult) -> Return | None:
        """Call after every step with what came of it. If enough is enough, the trainer is put back; else None."""
        exploding = result.finite and result.loss > self._limit
        self._since += 1
        self._skipped.append(not result.finite)
        self._in_a_row = 0 if result.finite else self._in_a_row + 1
        self._exploded_for = self._exploded_for + 1 if exploding else 0
        if not any(self._skipped) and not exploding:
            self._first_bad = None
        elif self._first_bad is None:
            self._first_bad = self._trainer.steps_done
        if self._in_a_row >= IN_A_ROW or sum(self._skipped) >= OF_LATE or self._exploded_for >= EXPLODED_FOR:
            return self._go_back(exploding)
        if self._since >= EVERY and self._first_bad is None:
            self._kept.append(self._trainer.snapshot())
            self._returns = 0
            self._since = 0
        return None

    def _go_back(self, exploded: bool) -> Return:
        """To the newest snapshot that lies well before the first bad step, or to the oldest there is."""
        assert self._first_bad is not None
        if len(self._kept) > 1 and self._kept[-1].step > self._first_bad - EVERY // 2:
            self._kept.pop()
        snapshot = self._kept[-1]
        trainer = self._trainer
        trainer.go_back(snapshot)
        trainer.set_learning_rate(min(trainer.stable_rate / 2, snapshot.rate))
        self._returns += 1
        stuck = self._returns >= PATIENCE
        if stuck:
            self._returns = 0
        self._forget()
        return Return(trainer.steps_done, snapshot.step, trainer.stable_rate, exploded, stuck)
