"""When a run ends by itself, and when the cool-down that ends it begins. No torch here.

This is the one place where the clock of `--minutes` has a say, and all that it decides is a step and a number of steps:
the trainer is told to cool down over N steps from step S, which is recorded, so that the same events make the same run.
"""

from __future__ import annotations

from collections import deque

from charrnn.config import TrainingConfig

OVERTIME = 1.03
"""A last cool-down may end so much later than was asked for; then the run ends where it stands."""
HASTE = 0.99
"""The last cool-down is planned for so much of the time that is left: rather a little early than late."""
LEAST_MEASURED = 20
"""Steps whose pace must be known before time can be told in steps."""
_MARKS = 25
"""The pace is taken over so many hundredths of the whole time."""


class Ending:
    """Of one run. `last` says whether its last cool-down has begun; it is saved with the run."""

    def __init__(self, training: TrainingConfig) -> None:
        self.last = False
        self._steps = training.steps
        self._seconds = None if training.minutes is None else training.minutes * 60
        self._share = training.cooldown
        self._marks: deque[tuple[int, float]] = deque(maxlen=_MARKS)

    @property
    def same_as(self) -> tuple[int | None, float | None, float]:
        """What a last cool-down was planned for."""
        return self._steps, self._seconds, self._share

    def cooldown(self, step: int, seconds: float) -> int | None:
        """Over how many steps the last cool-down goes if it has to begin now, after `step` steps; else None.

        `seconds` is the time trained, without pauses. Call before every step.
        """
        if self.last or not self._share:
            return None
        self._mark(step, seconds)
        lengths, due = [], False
        if self._steps is not None:
            lengths.append(self._steps - step)
            due = lengths[0] <= round(self._share * self._steps)
        if self._seconds is not None and (pace := self._seconds_a_step(step, seconds)) is not None:
            lengths.append(int((self._seconds - seconds) / pace * HASTE))
            due = due or seconds >= (1 - self._share) * self._seconds
        if not due or min(lengths) < 1:
            return None
        self.last = True
        return min(lengths)

    def over(self, step: int, seconds: float, *, cooling: bool) -> str:
        """Why the run is over after `step` steps, "" if it is not. `cooling`: the next step belongs to a cool-down."""
        if self._steps is not None and step >= self._steps:
            return "steps"
        if self._seconds is None:
            return ""
        if self.last:
            return "minutes" if not cooling or seconds >= self._seconds * OVERTIME else ""
        return "minutes" if seconds >= self._seconds else ""

    def _mark(self, step: int, seconds: float) -> None:
        if self._seconds is not None and (not self._marks or seconds - self._marks[-1][1] >= self._seconds / 100):
            self._marks.append((step, seconds))

    def _seconds_a_step(self, step: int, seconds: float) -> float | None:
        then, since = self._marks[0]
        if step - then < LEAST_MEASURED or seconds <= since:
            return None
        return (seconds - since) / (step - then)
