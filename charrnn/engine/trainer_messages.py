"""What the engine and its trainer say to each other, framed as in `wire.py` over a socket pair. No torch here."""

from __future__ import annotations

from typing import Any

import msgspec

from charrnn.config import CorpusConfig, RunConfig
from charrnn.engine.messages import LossPoint
from charrnn.runs.events import Change

# ---- engine to trainer ---------------------------------------------------------------------------------------


class Build(msgspec.Struct, frozen=True, tag=True):
    """First: what to train. `recorded` and `checkpoint` (a folder) are given when a run goes on.

    `vocabulary` holds the vocabulary's facts. The ids lie in the shared memory that the trainer inherits, `dtype` is
    theirs, `ids` their number; from `held_out_at` on they are held out.

    `changes` are those of the record from the checkpoint's step on, by rising step: steps that are repeated are
    repeated with them. With `until`, the run is made again from its record: `changes` alone, and no clock, patience or
    order, decide how it goes, and it ends after `until` steps. `options` are what this start asks for anew: a trainer
    that takes up where another one died is given none of "lr", which would undo what was changed since.
    """

    options: dict[str, str | int | float | bool]
    corpus: CorpusConfig
    vocabulary: dict[str, Any]
    dtype: str
    ids: int
    held_out_at: int
    recorded: RunConfig | None = None
    checkpoint: str | None = None
    changes: list[Change] = []
    until: int | None = None


class Proceed(msgspec.Struct, frozen=True, tag=True):
    """The run's folder exists: train. `identity` is the folder's, as in `RunFolder`."""

    folder: str
    paused: bool = False
    identity: tuple[int, int] | None = None


class Place(msgspec.Struct, frozen=True, tag=True):
    """The run's folder had gone and was made again: another one is now this run's."""

    identity: tuple[int, int]


class Rate(msgspec.Struct, frozen=True, tag=True):
    rate: float


class CoolDown(msgspec.Struct, frozen=True, tag=True):
    """Begin a cool-down over so many steps (None: the trainer's choice), or call off the one that is on."""

    on: bool
    steps: int | None = None


class Pause(msgspec.Struct, frozen=True, tag=True):
    paused: bool


class Save(msgspec.Struct, frozen=True, tag=True):
    """Write a checkpoint. `again`: because the last one failed, so that nobody waits for the news."""

    again: bool = False


class Finish(msgspec.Struct, frozen=True, tag=True):
    """Checkpoint and exit."""


ToTrainer = Build | Proceed | Place | Rate | CoolDown | Pause | Save | Finish

# ---- trainer to engine ---------------------------------------------------------------------------------------


class Built(msgspec.Struct, frozen=True, tag=True):
    """The model stands and its first weights are in the shared memory; a checkpoint takes about so many bytes."""

    config: RunConfig
    parameters: int
    summary: str
    device: str
    step: int
    learning_rate: float
    checkpoint_bytes: int = 0


class Resumed(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The run goes on from its checkpoint of `step`.

    `again` changes that the checkpoint has not in it are made again. `settings` have changed, each from one value to
    another. `differs` says why it will not be the same bit for bit, "" if it will. `points` and `changes` are those up
    to `step` that the run knows of late: the record may lack some.
    """

    step: int
    again: int
    settings: dict[str, list[Any]]
    differs: str
    points: list[LossPoint]
    changes: list[Change]


class CannotBuild(msgspec.Struct, frozen=True, tag=True):
    text: str


class Progress(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """`rate` is characters a second of late, all overheads counted; `seconds` is training alone.

    `learning_rate` is the stable one, `current_rate` the next step's. The phase is as in `messages.Status`.
    """

    step: int
    chars: int
    seconds: float
    rate: float
    passes: float
    learning_rate: float
    current_rate: float
    best_val_loss: float | None
    best_step: int | None
    phase: str = ""
    phase_step: int = 0
    phase_steps: int = 0


class StreamsAt(msgspec.Struct, frozen=True, tag=True):
    """The tokens at which some of the streams go on reading, and how many streams there are."""

    streams: int
    tokens: list[int]


class Recorded(msgspec.Struct, frozen=True, tag=True):
    """Lines for metrics.jsonl."""

    points: list[LossPoint]


class Applied(msgspec.Struct, frozen=True, tag=True):
    """A live change took effect before the step after `step`: a line for events.jsonl.

    `event`: learning_rate, pause, cooldown (over `value` steps; 0: called off), last_cooldown (the one that ends the
    run), cooled (a cool-down of `value` steps is done, and its checkpoint is on disk).
    """

    event: str
    value: bool | int | float
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


class WentBack(msgspec.Struct, frozen=True, tag=True):
    """After `step` steps the run went back to its state after `to`; the stable learning rate is `rate` now.

    `exploded`: the loss had exploded; else there was none that is finite. `stuck`: it did so several times without
    getting anywhere, and waits.
    """

    step: int
    to: int
    rate: float
    exploded: bool
    stuck: bool


class Stalled(msgspec.Struct, frozen=True, tag=True):
    """So many evaluations up to `step` found no better held-out loss than `best` (nats per character)."""

    step: int
    evaluations: int
    best: float | None
    best_step: int | None


class Remark(msgspec.Struct, frozen=True, tag=True):
    """One sentence for the user, at a level of `messages.Notice`: why an order changed nothing."""

    level: str
    text: str


class Done(msgspec.Struct, frozen=True, tag=True):
    """Last: why it ended ("steps", "minutes", "patience", "asked") and where; the checkpoint is on disk."""

    reason: str
    step: int
    best: float | None = None
    best_step: int | None = None


FromTrainer = (
    Built
    | CannotBuild
    | Resumed
    | Progress
    | StreamsAt
    | Recorded
    | Applied
    | SavedAt
    | SampleMade
    | Skipped
    | WentBack
    | Stalled
    | Remark
    | Done
)
