"""What the engine and its trainer say to each other, framed as in `wire.py` over a socket pair. No torch here."""

from __future__ import annotations

from typing import Any

import msgspec

from charrnn.config import CorpusConfig, RunConfig
from charrnn.engine.messages import LossPoint

# ---- engine to trainer ---------------------------------------------------------------------------------------


class Build(msgspec.Struct, frozen=True, tag=True):
    """First: what to train. `recorded` and `checkpoint` (a folder) are given when a run goes on.

    `vocabulary` holds the vocabulary's facts. The ids lie in the shared memory that the trainer inherits, `dtype` is
    theirs, `ids` their number; from `held_out_at` on they are held out.
    """

    options: dict[str, str | int | float | bool]
    corpus: CorpusConfig
    vocabulary: dict[str, Any]
    dtype: str
    ids: int
    held_out_at: int
    recorded: RunConfig | None = None
    checkpoint: str | None = None


class Proceed(msgspec.Struct, frozen=True, tag=True):
    """The run's folder exists: train."""

    folder: str
    paused: bool = False


class Rate(msgspec.Struct, frozen=True, tag=True):
    rate: float


class Pause(msgspec.Struct, frozen=True, tag=True):
    paused: bool


class Save(msgspec.Struct, frozen=True, tag=True):
    pass


class Finish(msgspec.Struct, frozen=True, tag=True):
    """Checkpoint and exit."""


ToTrainer = Build | Proceed | Rate | Pause | Save | Finish

# ---- trainer to engine ---------------------------------------------------------------------------------------


class Built(msgspec.Struct, frozen=True, tag=True):
    """The model stands and its first weights are in the shared memory."""

    config: RunConfig
    parameters: int
    summary: str
    device: str
    step: int
    learning_rate: float


class CannotBuild(msgspec.Struct, frozen=True, tag=True):
    text: str


class Progress(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """`rate` is characters a second of late, all overheads counted; `seconds` is training alone."""

    step: int
    chars: int
    seconds: float
    rate: float
    passes: float
    learning_rate: float
    best_val_loss: float | None


class Recorded(msgspec.Struct, frozen=True, tag=True):
    """Lines for metrics.jsonl."""

    points: list[LossPoint]


class Applied(msgspec.Struct, frozen=True, tag=True):
    """A live change took effect before the step after `step`: a line for events.jsonl."""

    event: str
    value: float | bool
    step: int


class SavedAt(msgspec.Struct, frozen=True, tag=True):
    """A checkpoint is on disk, or could not be written (`problem`). `asked`: somebody waits for the news."""

    step: int
    asked: bool
    problem: str | None = None


class SampleMade(msgspec.Struct, frozen=True, tag=True):
    step: int
    text: str


class Skipped(msgspec.Struct, frozen=True, tag=True):
    """A step's loss or gradient was not finite; the weights were left as they were. `count` in all."""

    step: int
    count: int


class Done(msgspec.Struct, frozen=True, tag=True):
    """Last: why it ended ("steps", "minutes", "asked") and where; the checkpoint is on disk."""

    reason: str
    step: int


FromTrainer = Built | CannotBuild | Progress | Recorded | Applied | SavedAt | SampleMade | Skipped | Done
