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


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A trainer's state, copied, on its way to the disk; `asked`: somebody waits for the news."""

    step: int
    model: dict[str, Tensor]
    state: dict[str, Tensor]
    val_loss: float | None
    asked: bool


class CheckpointWriter:
    """Writes what it is given, one after the other, and tells `written(snapshot, problem)` of each, in its thread."""

    def __init__(self, run: Path, facts: dict[str, Any], written: Callable[[Snapshot, str | None], None]) -> None:
        self._run, self._facts, self._written = run, facts, written
        self._waiting: queue.SimpleQueue[Snapshot | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()
        self.idle = True

    def put(self, snapshot: Snapshot) -> None:
        self.idle = False
        self._waiting.put(snapshot)

    def _work(self) -> None:
        while (taken := self._waiting.get()) is not None:
            problem = None
            try:
                save_checkpoint(
                    self._run,
                    step=taken.step,
                    model=taken.model,
                    state=taken.state,
                    val_loss=taken.val_loss,
                    facts=self._facts,
                )
            except OSError as error:
                problem = f"{error.strerror or error} ({self._run})"
            self._written(taken, problem)
            self.idle = self._waiting.empty()

    def close(self) -> None:
        """Waits until everything is on disk."""
        self._waiting.put(None)
        self._thread.join()


class NoWriter:
    """In its place on a rank that writes none."""

    idle = True

    def put(self, snapshot: Snapshot) -> None:
        """Rank 0 writes the same."""

    def close(self) -> None:
        """There is nothing to wait for."""
