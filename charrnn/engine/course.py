"""The changes that a run has still before it: those of its record, made again before the same steps."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from charrnn.engine.ending import Ending
from charrnn.engine.trainer_messages import Build
from charrnn.runs.events import Change, without
from charrnn.training.trainer import Trainer


class Course:
    """Of one run. `replays`: nothing but this decides how the run goes, and it ends after `until` steps."""

    def __init__(self, build: Build, *, known: list[Change], step: int, replanned: bool) -> None:
        """`known` are changes that the run's state has in it already; it stands after `step` steps.

        What the run is told anew takes the place of what the record has to come: a learning rate, or with `replanned`
        the last cool-down.
        """
        self.until = build.until
        anew = {"learning_rate"} if "lr" in build.options else set()
        anew |= {"last_cooldown"} if replanned else set()
        left = without(build.changes, [change for change in known if change.step == step])
        self._to_come = deque(change for change in left if change.step >= step and change.event not in anew)

    @property
    def replays(self) -> bool:
        return self.until is not None

    def __len__(self) -> int:
        return len(self._to_come)

    def over(self, step: int) -> bool:
        """Whether a replay has come to its end after `step` steps."""
        return self.until is not None and step >= self.until

    def make(self, trainer: Trainer, ending: Ending, made: Callable[[Change], None]) -> None:
        """Makes the changes that are due before the next step, and calls `made` with each."""
        while self._to_come and self._to_come[0].step <= trainer.steps_done:
            change = self._to_come.popleft()
            if change.event == "learning_rate":
                trainer.set_learning_rate(change.value)
            elif change.value:
                trainer.cool_down(int(change.value))
                ending.last = ending.last or change.event == "last_cooldown"
            else:
                trainer.end_cooldown()
                ending.last = False
            made(change)

    def forget(self, event: str) -> None:
        """Somebody has made such a change now: those that were to come are not wanted any more."""
        self._to_come = deque(change for change in self._to_come if change.event != event)
