"""Checkpoints written in a thread of the trainer: training waits only while its state is copied."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import require_same


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A trainer's state, copied, on its way to the disk; `asked`: somebody waits for the news."""

    step: int
    model: dict[str, Tensor]
    state: dict[str, Tensor]
    val_loss: float | None
    asked: bool


class CheckpointWriter:
    """Writes what it is given, one after the other, and tells `written(snapshot, problem)` of each, in its thread.

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
        self.identity = identity
        self.problem: str | None = None
        self._best_refused: Snapshot | None = None
        self._waiting: queue.SimpleQueue[Snapshot | threading.Event | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.idle = True

    def put(self, snapshot: Snapshot) -> None:
        self.idle = False
        self._waiting.put(snapshot)

    def _work(self) -> None:
        while (taken := self._waiting.get()) is not None:
            if isinstance(taken, threading.Event):
                taken.set()
                continue
            self.problem = self._write(taken)
            if self.problem is not None:
                self._best_refused = _better(taken, self._best_refused)
            elif self._best_refused is not None and self._write(self._best_refused) is None:
                self._best_refused = None
            self._written(taken, self.problem)
            self.idle = self._waiting.empty()

    def _write(self, taken: Snapshot) -> str | None:
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
        done = threading.Event()
        self._waiting.put(done)
        done.wait()
        return self.problem

    def close(self) -> None:
        """Waits until everything is on disk."""
        self._waiting.put(None)
        self._thread.join()


def _better(one: Snapshot, other: Snapshot | None) -> Snapshot | None:
    """The one with the lower held-out loss, of those that have one."""
    measured = [s for s in (one, other) if s is not None and s.val_loss is not None]
    return min(measured, key=lambda s: s.val_loss or 0.0, default=None)


class NoWriter:
    """In its place on a rank that writes none."""

    idle = True
    problem: str | None = None
    identity: tuple[int, int] | None = None

    def put(self, snapshot: Snapshot) -> None:
        """Rank 0 writes the same."""

    def wait(self) -> str | None:
        """There is nothing to wait for, and no problem."""
        return None

    def close(self) -> None:
        """There is nothing to wait for."""
