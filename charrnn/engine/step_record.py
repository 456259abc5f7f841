"""What a training loop tells of its steps: a loss point now and then, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque

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

    def point(self, seconds: float, val_loss: float | None) -> Skipped | None:
        """Makes a point at this step, and returns what is to be told of skipped steps since the last one."""
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
        )
        self._points.append(point)
        skipped, self._losses, self._skipped = self._skipped, [], 0
        return Skipped(point.step, skipped) if skipped else None

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
