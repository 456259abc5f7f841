"""Runs at a glance: which there are, and what can be told of one without its model. No torch here.

`places` looks at names and times only, so that hundreds of runs are listed at once; `glance` reads one run's settings
and record. A run's folder may come from somebody else: no more is read of a file than is stated here.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from charrnn.config import RunConfig
from charrnn.runs.directory import CONFIG, age_of, is_live, read_config
from charrnn.runs.metrics import METRICS
from charrnn.runs.saved import checkpoint_folders

METRICS_AT_MOST = 16 << 20
"""Bytes read of a record; of a longer one, its end."""
FILES_AT_MOST = 2_000
"""Files of a run that are looked at for its size."""
CURVE_POINTS = 160
_SETTLED = 0.2
"""The share of a run's training time after which its speed is taken to be its speed."""
_TIMED_AT_LEAST = 2.0  # seconds


class _Line(msgspec.Struct, frozen=True):
    """A line of metrics.jsonl, as far as it is wanted here."""

    step: int
    chars: int = 0
    seconds: float = 0.0
    train_loss: float | None = None
    val_loss: float | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that looks like a run; `age` is seconds since its record or its settings were last written."""

    path: Path
    age: float
    live: bool

    @property
    def name(self) -> str:
        """What the run is called."""
        return self.path.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """What can be told of a run at once. Losses are nats per character, `seconds` those of training.

    `best` is the lowest held-out loss (the lowest training loss if nothing is held out) and `best_step` its step;
    `curve` the losses in their order, thinned, by rising logarithm of the step; `speed` characters a second, None
    where too little was recorded to tell.
    """

    config: RunConfig
    step: int
    chars: int
    seconds: float
    train: float | None
    held_out: float | None
    best: float | None
    best_step: int
    curve: tuple[float, ...]
    speed: float | None


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a run has on the disk: its checkpoints' steps, its size in bytes, and whether all of it was counted."""

    checkpoints: tuple[int, ...]
    size: int
    complete: bool


def places(folder: Path) -> list[Place]:
    """Every run in `folder`: live ones first, each kind the newest first. A folder without settings is left out."""
    found: list[Place] = []
    try:
        with os.scandir(folder) as entries:
            candidates = [Path(entry.path) for entry in entries]
    except OSError:
        return found
    for path in candidates:
        written = _written(path)
        if written is not None:
            found.append(Place(path, age_of(written), is_live(path)))
    return sorted(found, key=lambda place: (not place.live, place.age, place.name))


def any_runs(folder: Path) -> bool:
    """Whether there is a run in `folder`; the first one ends the search."""
    try:
        with os.scandir(folder) as entries:
            return any(_written(Path(entry.path)) is not None for entry in entries)
    except OSError:
        return False


def glance(path: Path) -> Glance:
    """The run at `path`. Raises UsageError if its settings cannot be read; a damaged record counts while it can."""
    config = read_config(path)
    lines = _lines(path)
    held_out = [line for line in lines if _is_loss(line.val_loss)]
    measured = held_out or [line for line in lines if _is_loss(line.train_loss)]
    best = min(measured, key=_shown, default=None)
    last = lines[-1] if lines else _Line(0)
    train = next((line.train_loss for line in reversed(lines) if _is_loss(line.train_loss)), None)
    curve = held_out if len(held_out) >= 8 else [line for line in lines if _is_loss(line.train_loss)]
    return Glance(
        config=config,
        step=last.step,
        chars=last.chars,
        seconds=last.seconds if math.isfinite(last.seconds) else 0.0,
        train=train,
        held_out=held_out[-1].val_loss if held_out else None,
        best=_shown(best) if best else None,
        best_step=best.step if best else 0,
        curve=_thinned(curve, use_held_out=curve is held_out),
        speed=_speed(lines),
    )


def holdings(path: Path) -> Holdings:
    """What lies in the run's folder; nothing where it cannot be looked at."""
    steps: tuple[int, ...] = ()
    with contextlib.suppress(OSError):
        steps = tuple(step for step, _ in checkpoint_folders(path))
    size = files = 0
    for place, _, names in os.walk(path):
        for name in names:
            files += 1
            if files > FILES_AT_MOST:
                return Holdings(steps, size, complete=False)
            with contextlib.suppress(OSError):
                found = os.lstat(os.path.join(place, name))
                size += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return Holdings(steps, size, complete=True)


def _written(path: Path) -> float | None:
    """When the run's settings or record were last written; None for what is no run."""
    try:
        config = os.stat(path / CONFIG)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(config.st_mode):
        return None
    with contextlib.suppress(OSError):
        return max(config.st_mtime, os.stat(path / METRICS).st_mtime)
    return config.st_mtime


def _lines(path: Path) -> list[_Line]:
    """The lines that count, by rising step, as `charrnn.runs.metrics.read_metrics` has them."""
    kept: list[_Line] = []
    decoder = msgspec.json.Decoder(_Line)
    for text in _content(path / METRICS).splitlines():
        try:
            line = decoder.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        while kept and (kept[-1].step >= line.step or kept[-1].partial):
            kept.pop()
        kept.append(line)
    return kept


def _content(path: Path) -> bytes:
    """The file's bytes, at most `METRICS_AT_MOST` of its end; none of what is no plain file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return b""
    with os.fdopen(descriptor, "rb") as file:
        try:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                return b""
            file.seek(max(0, found.st_size - METRICS_AT_MOST))
            return file.read(METRICS_AT_MOST)
        except OSError:
            return b""


def _is_loss(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _shown(line: _Line) -> float:
    value = line.val_loss if _is_loss(line.val_loss) else line.train_loss
    return math.inf if value is None else value


def _thinned(lines: list[_Line], *, use_held_out: bool) -> tuple[float, ...]:
    """The mean loss of equal parts of the logarithm of the step, empty parts left out."""
    values = [(line.step, line.val_loss if use_held_out else line.train_loss) for line in lines if line.step > 0]
    if not values:
        return ()
    begin, end = math.log(values[0][0]), math.log(values[-1][0])
    parts: dict[int, list[float]] = {}
    for step, value in values:
        if value is not None:
            part = int((math.log(step) - begin) / ((end - begin) or 1.0) * (CURVE_POINTS - 1))
            parts.setdefault(part, []).append(value)
    return tuple(_mean(parts[part]) for part in sorted(parts))


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found)


def _speed(lines: list[_Line]) -> float | None:
    """Characters a second from the time on when training had settled."""
    timed = [line for line in lines if math.isfinite(line.seconds)]
    if not timed:
        return None
    last = timed[-1]
    first = next((line for line in timed if line.seconds >= _SETTLED * last.seconds), last)
    seconds, chars = last.seconds - first.seconds, last.chars - first.chars
    return chars / seconds if seconds >= _TIMED_AT_LEAST and chars > 0 else None
