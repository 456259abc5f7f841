"""What the held-out losses of a run say: which is the best, and for how long there was no better one."""

from __future__ import annotations

import math

import torch
from torch import Tensor

TOLD_AFTER = 10
"""Evaluations without a new best after which it is told; then after twice as many, and so on."""


class HeldOut:
    """Of one run, over restarts. Losses are nats per character."""

    def __init__(self, patience: int) -> None:
        """After `patience` evaluations without a new best, enough is enough; 0 for never."""
        self._patience = patience
        self.best: float | None = None
        self.best_step: int | None = None
        self.since_best = 0
        self._newest: tuple[int, float | None] = (-1, None)

    def take(self, step: int, loss: float | None) -> bool:
        """Takes in an evaluation at `step`; whether it is the best so far. A loss that is not finite never is."""
        self._newest = (step, loss if loss is not None and math.isfinite(loss) else None)
        if loss is None:
            return False
        if math.isfinite(loss) and (self.best is None or loss < self.best):
            self.best, self.best_step, self.since_best = loss, step, 0
            return True
        self.since_best += 1
        return False

    def forget(self) -> None:
        """The held-out text is another one from now on: no loss of before compares."""
        self.best = self.best_step = None
        self.since_best = 0
        self._newest = (-1, None)

    def at(self, step: int) -> float | None:
        """The loss that was measured at exactly this step, if one was, and it was finite."""
        return self._newest[1] if self._newest[0] == step else None

    @property
    def exhausted(self) -> bool:
        """Whether the patience is at its end."""
        return bool(self._patience) and self.since_best >= self._patience

    @property
    def worth_telling(self) -> bool:
        """Whether this evaluation is one after which to say that the loss has not fallen for long."""
        times, rest = divmod(self.since_best, TOLD_AFTER)
        return self.since_best > 0 and rest == 0 and times & (times - 1) == 0

    def state(self) -> dict[str, Tensor]:
        """For state.safetensors."""
        numbers = [math.inf if self.best is None else self.best, -1 if self.best_step is None else self.best_step]
        best, step = (torch.tensor(number, dtype=torch.float64) for number in numbers)
        known = {"run.best": best, "run.best_step": step, "run.since_best": torch.tensor(self.since_best)}
        at, loss = self._newest
        if loss is not None:
            known["run.newest"] = torch.tensor([at, loss], dtype=torch.float64)
        return known

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Takes what is its own out of `state`; older checkpoints know the best loss alone."""
        best = float(state.pop("run.best"))
        step = int(state.pop("run.best_step", torch.tensor(-1)))
        self.since_best = int(state.pop("run.since_best", torch.tensor(0)))
        self._newest = (-1, None)
        if "run.newest" in state:
            at, loss = state.pop("run.newest").tolist()
            self._newest = (int(at), loss)
        self.best = None if best == math.inf else best
        self.best_step = None if step < 0 else step
