"""Other runs to lay over the chart: which there are, and their losses. Reads files: call it in a thread."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

from charrnn.engine.history import point_of
from charrnn.engine.messages import LossPoint
from charrnn.runs.directory import RunSummary, list_runs
from charrnn.runs.durable import read_plain
from charrnn.runs.metrics import METRICS

RECORD_AT_MOST = 64 << 20
"""Bytes of another run's record; a run's folder may come from somebody else."""
MOST_POINTS = 20_000


@dataclass(frozen=True, slots=True)
class Record:
    """A run's losses as they were when its file had so many bytes."""

    points: tuple[LossPoint, ...]
    size: int


def candidates(own: Path) -> list[RunSummary]:
    """The runs beside the one at `own`, the newest first."""
    return [run for run in list_runs(own.parent) if Path(run.path) != own]


def read_record(run: Path, known: Record | None = None) -> Record:
    """The losses of the run at `run`; `known` again where its file has not grown. Raises OSError.

    Lines that are none, or that a healthy run cannot have written, are passed over.
    """
    size = (run / METRICS).stat().st_size
    if known is not None and known.size == size:
        return known
    points: list[LossPoint] = []
    for text in read_plain(run / METRICS, RECORD_AT_MOST).splitlines():
        point = _point(text)
        if point is None:
            continue
        while points and (points[-1].step >= point.step or points[-1].partial):
            points.pop()
        if not points or (point.chars >= points[-1].chars and point.seconds >= points[-1].seconds):
            points.append(point)
    while len(points) > MOST_POINTS:
        points[: len(points) - 1] = points[: len(points) - 1 : 2]
    return Record(tuple(points), size)


def _point(text: bytes) -> LossPoint | None:
    try:
        line = json.loads(text)
        point = point_of(line) if isinstance(line, dict) else None
    except (ValueError, OverflowError, RecursionError):
        return None
    if point is None or point.step < 1 or point.chars < 0 or not 0 <= point.seconds < math.inf:
        return None
    return point if point.step < 1e15 and point.chars < 1e18 else None
