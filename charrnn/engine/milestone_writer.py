"""Milestones written in a thread of the trainer: training waits only while the weights are copied.

They are for looking back and nothing depends on them: one that the disk does not take, or that comes while others still
wait for it, is left out, and training goes on as if there were none.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from charrnn.engine.trainer_messages import Remark
from charrnn.runs.checkpoint import first_unsound
from charrnn.runs.directory import require_same
from charrnn.runs.milestone_file import save_milestone
from charrnn.runs.milestones import is_due, list_milestones, make_room, put_right
from charrnn.runs.room import free_bytes, megabytes
from charrnn.training.trainer import Trainer

if TYPE_CHECKING:
    from charrnn.engine.training_loop import TrainingLoop

CHECKPOINTS_FIRST = 4
"""As many checkpoints as a run keeps must fit on the disk beside a milestone."""
WAITING_AT_MOST = 3
"""Copies of the weights in memory, beside the one that is being written."""


@dataclass(frozen=True, slots=True)
class _Taken:
    step: int
    chars: int
    model: dict[str, Tensor]
    val_loss: float | None


def milestones_of(loop: TrainingLoop, identity: tuple[int, int] | None) -> MilestoneWriter | NoMilestones:
    """Who takes the milestones of a run that is about to train; what goes wrong is said."""
    if loop.ranks.rank:
        return NoMilestones()

    def failed(words: str) -> None:
        remark = f"Milestones, for looking back, cannot be written: {words}; training goes on without them."
        loop.link.say(Remark("warning", remark))

    return MilestoneWriter(
        loop.folder,
        loop.config.training.milestones,
        loop.vocabulary.facts(),
        step=loop.trainer.steps_done,
        identity=identity,
        spare=CHECKPOINTS_FIRST * loop.checkpoint_bytes,
        failed=failed,
    )


class MilestoneWriter:
    """Of one run, in rank 0: takes the weights when that is due, and writes them.

    The last `spare` bytes of a disk are left to the checkpoints, which matter more. Only into the folder with this
    `identity` (as in `RunFolder`), if one is given. `failed(words)` is called in its thread with a clause the first
    time that a milestone could not be written, and again after one that could.
    """

    def __init__(
        self,
        run: Path,
        most: int,
        vocabulary: Mapping[str, Any],
        *,
        step: int,
        identity: tuple[int, int] | None = None,
        spare: int = 0,
        failed: Callable[[str], None] = lambda words: None,
    ) -> None:
        """The run stands after `step` steps; `most` are to be kept, 0 for none."""
        self._run, self._most, self._vocabulary, self._failed = run, most, vocabulary, failed
        self.identity, self._spare = identity, spare
        self._waiting: deque[_Taken] = deque()
        self._news = threading.Condition()
        self._closing = False
        self._failing = False
        self._last: int | None = None
        self._thread: threading.Thread | None = None
        if self._ours() is None:
            put_right(run, step)
            there = list_milestones(run)
            self._last = there[-1].step if there else None

    def look(self, trainer: Trainer, val_loss: float | None) -> None:
        """Call before the first step and after every one: copies the weights that it samples from, if that is due."""
        step = trainer.steps_done
        if not is_due(step, self._last, self._most):
            return
        with self._news:
            if len(self._waiting) >= WAITING_AT_MOST:
                return
        weights = trainer.evaluated_model.state_dict()
        model = {name: tensor.detach().to("cpu", copy=True) for name, tensor in weights.items()}
        self._last = step
        with self._news:
            self._waiting.append(_Taken(step, trainer.chars_done, model, val_loss))
            self._news.notify_all()
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="milestones", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Waits until those that wait are on disk, or could not be."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        if self._thread is not None:
            self._thread.join()

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            problem = self._save(taken)
            if problem is not None and not self._failing:
                self._failed(problem)
            self._failing = problem is not None

    def _next(self) -> _Taken | None:
        with self._news:
            while not self._waiting and not self._closing:
                self._news.wait()
            return self._waiting.popleft() if self._waiting else None

    def _save(self, taken: _Taken) -> str | None:
        """What went wrong, in words."""
        if first_unsound(taken.model, weights=True) is not None:
            return f"the weights after step {taken.step:,} are not finite"
        problem = self._ours() or self._no_room(sum(tensor.nbytes for tensor in taken.model.values()))
        if problem is not None:
            return problem
        try:
            save_milestone(
                self._run,
                step=taken.step,
                chars=taken.chars,
                model=taken.model,
                val_loss=taken.val_loss,
                vocabulary=self._vocabulary,
            )
        except OSError as error:
            return f"{error.strerror or error} ({self._run})"
        make_room(self._run, self._most)
        return None

    def _no_room(self, size: int) -> str | None:
        """Why so many bytes are too many for the disk."""
        free = free_bytes(self._run)
        if free is None or free >= size + self._spare:
            return None
        return f"{megabytes(free)} are free, and the run's checkpoints may need that much ({self._run})"

    def _ours(self) -> str | None:
        """Why nothing may be written to the run's folder now."""
        try:
            if self.identity is not None:
                require_same(self._run, self.identity)
        except OSError as error:
            return f"{error.strerror or error} ({self._run})"
        return None


class NoMilestones:
    """In its place on a rank that writes none."""

    identity: tuple[int, int] | None = None

    def look(self, trainer: Trainer, val_loss: float | None) -> None:
        """Rank 0 takes the same."""

    def close(self) -> None:
        """There is nothing to wait for."""
