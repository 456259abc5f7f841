"""What an engine writes to a run's folder: metrics.jsonl, events.jsonl, engine.log. No torch here.

Until the folder exists, lines are kept. A write that fails is reported in words, once until one succeeds again, and
what could not be written is kept for the next attempt, up to a bound; a line is written as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from charrnn.engine.messages import LossPoint
from charrnn.runs.appending import Appender
from charrnn.runs.metrics import EVENTS, METRICS, as_lines, metrics_line

LOG = "engine.log"
_KEPT_LINES = 100_000
_KEPT_LOG = 1_000_000
_TAIL = 8192


class Record:
    """The run's record; `trouble` is called with a sentence when the disk refuses, with None when it is over.

    `error` is what the disk said last, None while it takes everything. `lost` counts the lines (of the log: bytes) that
    were more than could be kept since the trouble began, by file.
    """

    def __init__(self, trouble: Callable[[str | None], None]) -> None:
        self.error: OSError | None = None
        self.lost: dict[str, int] = {}
        self.heard: Callable[[str, object, int], None] = _nobody
        self._trouble = trouble
        self._folder: Path | None = None
        self._ours: Callable[[], object] = _always
        self._all_points: Callable[[], Sequence[LossPoint]] | None = None
        self._files: dict[str, Appender] = {}
        self._waiting: dict[str, list[dict[str, Any]]] = {METRICS: [], EVENTS: []}
        self._events: list[dict[str, Any]] = []
        self._log = bytearray()
        self._tail = b""

    def open(self, folder: Path, ours: Callable[[], object] | None = None) -> None:
        """Begins to write to `folder`, first what was said before it existed.

        `ours` raises OSError where something else lies in the folder's place: then nothing is written there.
        """
        if self._folder is None:
            self._events = _events_of(folder) + self._events
        self._folder, self._ours = folder, ours or _always
        self._files = {name: Appender(folder / name, lines=name != LOG) for name in (METRICS, EVENTS, LOG)}
        self.flush()

    def open_again(self, folder: Path, ours: Callable[[], object], points: Callable[[], Sequence[LossPoint]]) -> None:
        """Goes on in a folder that was made again: every loss and every event is written to it, and the log's end."""
        self._folder, self._ours, self._all_points = folder, ours, points
        self._files = {name: Appender(folder / name, lines=name != LOG) for name in (METRICS, EVENTS, LOG)}
        self.flush()

    def points(self, points: list[LossPoint]) -> None:
        self._waiting[METRICS] += map(_line, points)
        self.flush()

    def event(self, name: str, value: object, step: int) -> None:
        event = {"step": step, "event": name, "value": value, "time": round(time.time(), 3)}
        self._waiting[EVENTS].append(event)
        self._events.append(event)
        self.heard(name, value, step)
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
            self._ours()
            self._write_all()
            for name, lines in self._waiting.items():
                if lines:
                    self._files[name].append(as_lines(lines))
                    lines.clear()
            if self._log:
                self._files[LOG].append(bytes(self._log))
                self._log.clear()
        except OSError as error:
            before, self.error = self.error, error
            self._keep_to_the_bound()
            if before is None or before.errno != error.errno:
                self._trouble(f"the run's record cannot be written: {error.strerror or error} ({self._folder})")
            return
        if self.error is not None:
            self.error = None
            self._trouble(None)
            self.lost = {}

    def sync(self) -> None:
        """Has what was written reach the disk itself; may run in a thread. Raises OSError."""
        for file in self._files.values():
            file.sync()

    def _write_all(self) -> None:
        """Into a folder that was made again; what waits is then written too."""
        if self._folder is None or self._all_points is None:
            return
        points = self._all_points()
        step = points[-1].step if points else 0
        newer = [line for line in self._waiting[METRICS] if line["step"] > step]
        for name, lines in ((METRICS, [*map(_line, points), *newer]), (EVENTS, self._events)):
            new = self._folder / f"{name}.new"
            new.write_bytes(as_lines(lines))
            new.replace(self._folder / name)
        if not (self._folder / LOG).exists():
            self._log = bytearray(self._tail)
        for lines in self._waiting.values():
            lines.clear()
        self._all_points = None

    def _keep_to_the_bound(self) -> None:
        held: list[tuple[str, list[dict[str, Any]] | bytearray, int]] = [(LOG, self._log, _KEPT_LOG)]
        held += [(name, lines, _KEPT_LINES) for name, lines in self._waiting.items()]
        for name, kept, most in held:
            if len(kept) > most:
                self.lost[name] = self.lost.get(name, 0) + len(kept) - most
                del kept[:-most]


def _always() -> None:
    """Nothing else can lie in the folder's place."""


def _nobody(event: str, value: object, step: int) -> None:
    """Nobody wants to hear of events."""


def _line(point: LossPoint) -> dict[str, Any]:
    return metrics_line(
        step=point.step,
        chars=point.chars,
        seconds=point.seconds,
        train_loss=point.train_loss,
        val_loss=point.val_loss,
        learning_rate=point.learning_rate,
        diverged=point.diverged,
        partial=point.partial,
    )


def _events_of(folder: Path) -> list[dict[str, Any]]:
    """What the run's earlier engines recorded; a torn line is passed over."""
    events = []
    with contextlib.suppress(OSError):
        for line in (folder / EVENTS).read_text(encoding="utf-8", errors="replace").splitlines():
            with contextlib.suppress(ValueError):
                events.append(json.loads(line))
    return events
