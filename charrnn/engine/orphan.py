"""What a trainer whose engine has gone leaves in the run's folder itself, so that nothing of the run is lost.

No torch here.
"""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

from charrnn.engine.messages import LossPoint
from charrnn.engine.record import Record
from charrnn.engine.trainer_messages import Applied, Done, FromTrainer, Recorded, SavedAt
from charrnn.runs.metrics import METRICS, read_metrics

KEPT = 1200
"""Lots of loss points that are kept, for an engine may have gone before it read them: those of ten minutes."""


class LastWords:
    """Of what a trainer says, all that an engine would have written; `write` does so in its place."""

    def __init__(self) -> None:
        self._points: deque[list[LossPoint]] = deque(maxlen=KEPT)
        self._unheard: list[FromTrainer] = []

    def add(self, message: FromTrainer, *, unheard: bool) -> None:
        """`unheard`: the engine had gone when it was said."""
        if isinstance(message, Recorded):
            self._points.append(message.points)
        elif unheard:
            self._unheard.append(message)

    def write(self, folder: Path) -> None:
        """Once nothing more will be said. Where the disk refuses, that is how it is: there is nobody to tell."""
        record = Record(lambda _: None)
        try:
            points = self._unrecorded(folder)
            _end_line(folder / METRICS)
        except OSError:
            return
        record.open(folder)
        if points:
            record.points(points)
        for message in self._unheard:
            match message:
                case Applied(event, value, step):
                    record.event(event, value, step)
                case SavedAt(step, _, problem) if problem is not None:
                    record.log(f"the checkpoint of step {step:,} could not be written: {problem}")
                case Done(reason, step):
                    record.event("end", reason, step)
                    record.log(f"the engine has gone; the trainer ended after step {step:,}")
                case _:
                    pass

    def _unrecorded(self, folder: Path) -> list[LossPoint]:
        """The points from the first that is not in the record on."""
        recorded = {line["step"]: line.get("train_loss") for line in read_metrics(folder)}
        points = [point for lot in self._points for point in lot]
        for number, point in enumerate(points):
            if point.step not in recorded or recorded[point.step] != point.train_loss:
                return points[number:]
        return []


def _end_line(path: Path) -> None:
    """An engine that was killed while it wrote has left half a line: what follows begins a new one."""
    if path.exists() and path.stat().st_size:
        with open(path, "r+b") as file:
            file.seek(-1, os.SEEK_END)
            if file.read() != b"\n":
                file.write(b"\n")
