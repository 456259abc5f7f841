"""What a training loop tells of its steps: a loss point now and then, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque

import torch
from torch import Tensor

from charrnn.engine.messages import LossPoint
from charrnn.engine.trainer_messages import Recorded, Skipped
from charrnn.training.trainer import StepResult, Trainer


class StepRecord:
    """Gathers steps into loss points: each holds the mean over the steps since the one before."""

    def __init__(self, trainer: Trainer) -> None:
        self._trainer = trainer
        self._losses: list[float] = []
        self._mean_loss: float | None = None
        self._skipped = 0
        self._rate = trainer.learning_rate
        self._points: list[LossPoint] = []
        self._recent: deque[tuple[float, int]] = deque(maxlen=6)

    @property
    def has_new_losses(self) -> bool:
        """Whether there were steps with a loss since the last point."""
        return bool(self._losses)

    def add(self, result: StepResult, rate: float) -> None:
        """Takes in one step and the learning rate it was taken with."""
        self._rate = rate
        if result.finite:
            self._losses.append(result.loss)
        else:
            self._skipped += 1

    def point(self, seconds: float, val_loss: float | None, *, partial: bool = False) -> Skipped | None:
        """Makes a point at this step, and returns what is to be told of skipped steps since the last one.

        `partial`: before its time, because training ends here.
        """
        if self._losses:
            self._mean_loss = sum(self._losses) / len(self._losses)
        elif self._skipped:
            self._mean_loss = None  # else the step is recorded a second time, with its held-out loss
        trainer = self._trainer
        point = LossPoint(
            step=trainer.steps_done,
            chars=trainer.chars_done,
            seconds=seconds,
            train_loss=self._mean_loss,
            val_loss=val_loss,
            learning_rate=self._rate,
            diverged=self._mean_loss is None,
            partial=partial,
        )
        self._points.append(point)
        skipped, self._losses, self._skipped = self._skipped, [], 0
        return Skipped(point.step, skipped) if skipped else None

    @property
    def points(self) -> list[LossPoint]:
        """Those that `take` has not yielded yet."""
        return self._points

    def state(self) -> dict[str, Tensor]:
        """What the next point is made of so far."""
        tensors = {
            "losses": torch.tensor(self._losses, dtype=torch.float64),
            "skipped": torch.tensor(self._skipped),
            "rate": torch.tensor(self._rate, dtype=torch.float64),
        }
        if self._mean_loss is not None:
            tensors["mean"] = torch.tensor(self._mean_loss, dtype=torch.float64)
        return tensors

    def load_state(self, state: dict[str, Tensor]) -> None:
        """Go on as the one whose `state()` this was; nothing is known of checkpoints from before there was one."""
        if "losses" in state:
            self._losses = state["losses"].tolist()
            self._skipped = int(state["skipped"])
            self._rate = float(state["rate"])
            self._mean_loss = float(state["mean"]) if "mean" in state else None

    def take(self) -> Recorded | None:
        """The points since the last call, None if there are none."""
        points, self._points = self._points, []
        return Recorded(points) if points else None

    def rest(self) -> None:
        """Training pauses: the rate is measured anew when it goes on."""
        self._recent.clear()

    def rate(self) -> float:
        """Characters a second over the last few calls, all overheads counted; 0 at the first call."""
        now = time.perf_counter()
        self._recent.append((now, self._trainer.chars_done))
        then, chars = self._recent[0]
        return (self._trainer.chars_done - chars) / (now - then) if now > then else 0.0
