"""The learning rate of every step: a warm-up, a stable rate that may change at any time, and cool-downs. No torch here.

Warm-up, stable, decay: Hu et al. 2024, arXiv:2404.06395; Hägele et al. 2024, arXiv:2405.18392, found that a linear
cool-down over the last fifth of a run reaches what a cosine over the whole of it does, without knowing the end before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from charrnn.config import UsageError

SHARE = 0.25
"""The share of a run that a cool-down takes where none was set."""
LEAST_ASKED, MOST_ASKED = 100, 10_000
"""Steps of a cool-down that somebody asks for, whatever the share says."""


@dataclass(frozen=True, slots=True)
class Cooldown:
    """From `start` steps done on, `length` steps whose share of the stable rate falls evenly from `top` to nothing."""

    start: int
    length: int
    top: float = 1.0

    @property
    def end(self) -> int:
        """The steps that are done when it is over."""
        return self.start + self.length

    def factor(self, step: int) -> float:
        """Of the stable rate, after `step` steps: `top` for the first step, top / length for the last."""
        return self.top * (1 - (step - self.start) / self.length)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A function from steps done to the next step's learning rate; nothing but its fields decides.

    `rate` is the stable one. A warm-up of `warmup` steps rises to it evenly from rate / warmup. A cool-down in force
    scales it down; after its last step the stable rate holds again, for whoever trains on.
    """

    rate: float
    warmup: int = 0
    cooldown: Cooldown | None = None

    def __post_init__(self) -> None:
        """Raises UsageError for a warm-up that is none."""
        if self.warmup < 0:
            raise UsageError(f"A warm-up of {self.warmup} steps is none; give --warmup 0 or more.")

    def learning_rate(self, step: int) -> float:
        """The rate of the step that follows `step` steps; always above 0."""
        return self.rate * self.factor(step)

    def factor(self, step: int) -> float:
        """What the stable rate is multiplied with after `step` steps, above 0 and at most 1."""
        warming = min(1.0, (step + 1) / self.warmup) if self.warmup else 1.0
        cooling = self.cooling(step)
        return warming * cooling.factor(step) if cooling else warming

    def cooling(self, step: int) -> Cooldown | None:
        """The cool-down that the step after `step` steps belongs to, if it does to one."""
        cooldown = self.cooldown
        return cooldown if cooldown is not None and cooldown.start <= step < cooldown.end else None

    def warming(self, step: int) -> bool:
        """Whether the step after `step` steps belongs to the warm-up."""
        return step < self.warmup

    def at_rate(self, rate: float) -> Schedule:
        """The same with another stable rate; what remains of a warm-up or a cool-down is in proportion."""
        return replace(self, rate=rate)

    def cooled_down(self, step: int, length: int) -> Schedule:
        """The same with a cool-down of `length` steps after `step`; it goes on from where another one has come to.

        Raises UsageError for fewer steps than one.
        """
        if length < 1:
            raise UsageError(f"A cool-down over {length} steps is none; give at least 1.")
        running = self.cooling(step)
        return replace(self, cooldown=Cooldown(step, length, running.factor(step) if running else 1.0))

    def without_cooldown(self) -> Schedule:
        """The same with no cool-down: the stable rate holds from the next step."""
        return replace(self, cooldown=None)


def asked_length(steps_done: int, share: float) -> int:
    """Over how many steps to cool down when asked to now: so many that they are `share` (0: a quarter) of all.

    From 100 to 10,000, and a round number of two digits, because it is shown.
    """
    share = min(share or SHARE, 0.9)
    length = min(max(round(steps_done * share / (1 - share)), LEAST_ASKED), MOST_ASKED)
    unit = int(10 ** (len(str(length)) - 2))
    return round(length / unit) * unit
