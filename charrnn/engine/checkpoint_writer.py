"""Checkpoints written in a thread of the trainer: training waits only while its state is copied.

They are written every so many seconds, at each new best held-out loss, on request, before a cool-down that was asked
for and after a return from a divergence (what follows either may have to be undone), when a cool-down is done, and at
every orderly end. A run that goes on, with whatever new settings or text, does so from a checkpoint that is on disk
already.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from torch import Tensor

from charrnn.runs.checkpoint import first_unsound, save_checkpoint
from charrnn.runs.directory import require_same

Purpose = Literal["newest", "best", "cooled"]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A trainer's state, copied, on its way to the disk; `asked`: somebody waits for the news."""

    step: int
    model: dict[str, Tensor]
    state: dict[str, Tensor]
    val_loss: float | None
    asked: bool


class CheckpointWriter:
    """Writes what it is given, and tells `written(snapshot, problem)` of each, in its thread.

    However long the disk takes, at most one snapshot of each purpose waits beside the one being written: a newer one
    takes its place, and who waited for news of the older hears of the newer.

    Only into the folder with this `identity` (as in `RunFolder`), if one is given. `problem` is that of the last one.
    What the disk refused of the best held-out loss is written after the next one that it takes.
    """

    def __init__(
        self,
        run: Path,
        facts: dict[str, Any],
        written: Callable[[Snapshot, str | None], None],
        identity: tuple[int, int] | None = None,
    ) -> None:
        self._run, self._facts, self._written = run, facts, written
        self._waiting: dict[Purpose, Snapshot] = {}
        self._closing = False
        self._writing = False
        self._news = threading.Condition()
        self.identity = identity
        self.problem: str | None = None
        self._best_refused: Snapshot | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, snapshot: Snapshot, purpose: Purpose = "newest") -> None:
        """On its way to the disk; returns at once. A snapshot of a step that waits already takes that one's place."""
        with self._news:
            same = [p for p, other in self._waiting.items() if p == purpose or other.step == snapshot.step]
            asked = any([snapshot.asked, *(self._waiting.pop(p).asked for p in same)])
            self._waiting[next((p for p in same if p != "newest"), purpose)] = replace(snapshot, asked=asked)
            self._news.notify_all()

    def _next(self) -> Snapshot | None:
        """The one of the lowest step, as soon as there is one; None when there will be no more."""
        with self._news:
            self._writing = False
            self._news.notify_all()
            while not self._waiting and not self._closing:
                self._news.wait()
            if not self._waiting:
                return None
            self._writing = True
            return self._waiting.pop(min(self._waiting, key=lambda purpose: self._waiting[purpose].step))

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            self.problem = self._save(taken)
            if self.problem is not None:
                self._best_refused = _better(taken, self._best_refused)
            elif self._best_refused is not None and self._save(self._best_refused) is None:
                self._best_refused = None
            self._written(taken, self.problem)

    def _save(self, taken: Snapshot) -> str | None:
        """What went wrong, in words."""
        unsound = first_unsound(taken.model, weights=True) or first_unsound(taken.state, weights=False)
        if unsound is not None:
            return f"the numbers of {unsound} are not finite, so the older checkpoints stay as they are ({self._run})"
        try:
            if self.identity is not None:
                require_same(self._run, self.identity)
            save_checkpoint(
                self._run,
                step=taken.step,
                model=taken.model,
                state=taken.state,
                val_loss=taken.val_loss,
                facts=self._facts,
            )
        except OSError as error:
            return f"{error.strerror or error} ({self._run})"
        return None

    def wait(self) -> str | None:
        """Waits until all that it was given is written, or could not be: the `problem` of the last one."""
        with self._news:
            while self._waiting or self._writing:
                self._news.wait()
            return self.problem

    def close(self) -> None:
        """Waits until everything is on disk."""
        with self._news:
            self._closing = True
            self._news.notify_all()
        self._thread.join()


def _better(one: Snapshot, other: Snapshot | None) -> Snapshot | None:
    """The one with the lower held-out loss, of those that have one."""
    measured = [s for s in (one, other) if s is not None and s.val_loss is not None]
    return min(measured, key=lambda s: s.val_loss or 0.0, default=None)


class NoWriter:
    """In its place on a rank that writes none."""

    problem: str | None = None
    identity: tuple[int, int] | None = None

    def put(self, snapshot: Snapshot, purpose: Purpose = "newest") -> None:
        """Rank 0 writes the same."""

    def wait(self) -> str | None:
        """There is nothing to wait for, and no problem."""
        return None

    def close(self) -> None:
        """There is nothing to wait for."""
