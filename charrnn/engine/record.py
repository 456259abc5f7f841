"""What an engine writes to a run's folder: metrics.jsonl, events.jsonl, engine.log. No torch here.

Until the folder exists, lines are kept. A write that fails is reported in words, once until one succeeds again, and
what could not be written is kept for the next attempt, up to a bound.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from charrnn.engine.messages import LossPoint
from charrnn.runs.metrics import EVENTS, METRICS, append, metrics_line

LOG = "engine.log"
_KEPT_LINES = 100_000
_KEPT_LOG = 1_000_000
_TAIL = 8192


class Record:
    """The run's record; `trouble` is called with a sentence when the disk refuses, with None when it is over."""

    def __init__(self, trouble: Callable[[str | None], None]) -> None:
        self._trouble = trouble
        self._folder: Path | None = None
        self._waiting: dict[str, list[dict[str, Any]]] = {METRICS: [], EVENTS: []}
        self._log = bytearray()
        self._tail = b""
        self._failing = False

    def open(self, folder: Path) -> None:
        """Begins to write to `folder`, first what was said before it existed."""
        self._folder = folder
        self.flush()

    def points(self, points: list[LossPoint]) -> None:
        self._waiting[METRICS] += [
            metrics_line(
                step=p.step,
                chars=p.chars,
                seconds=p.seconds,
                train_loss=p.train_loss,
                val_loss=p.val_loss,
                learning_rate=p.learning_rate,
                diverged=p.diverged,
                partial=p.partial,
            )
            for p in points
        ]
        self.flush()

    def event(self, name: str, value: object, step: int) -> None:
        self._waiting[EVENTS].append({"step": step, "event": name, "value": value, "time": round(time.time(), 3)})
        self.flush()

    def log(self, data: bytes | str) -> None:
        """Adds to engine.log: bytes as they are, a sentence as a line with the time."""
        if isinstance(data, str):
            data = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {data}\n".encode()
        self._log += data
        self._tail = (self._tail + data)[-_TAIL:]
        self.flush()

    def last_words(self) -> str:
        """The end of what was logged, on disk or not, for naming an exception."""
        return self._tail.decode(errors="replace")

    def flush(self) -> None:
        """Writes what waits, if there is a folder to write to."""
        if self._folder is None:
            return
        try:
            for name, lines in self._waiting.items():
                if lines:
                    append(self._folder / name, lines)
                    lines.clear()
            if self._log:
                with open(self._folder / LOG, "ab") as log:
                    log.write(self._log)
                self._log.clear()
        except OSError as error:
            del self._log[:-_KEPT_LOG]
            for lines in self._waiting.values():
                del lines[:-_KEPT_LINES]
            if not self._failing:
                self._failing = True
                self._trouble(f"the run's record cannot be written: {error.strerror or error} ({self._folder})")
            return
        if self._failing:
            self._failing = False
            self._trouble(None)
