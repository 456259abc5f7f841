"""What a trainer is to begin with: a new run, one that goes on, or one whose trainer died. No torch here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from msgspec import structs

from charrnn.config import UsageError
from charrnn.engine.history import point_of
from charrnn.engine.messages import LossPoint, RunRequest
from charrnn.engine.opening import Opened
from charrnn.engine.trainer_messages import Build, Built
from charrnn.presets import corpus_config
from charrnn.runs.events import Change
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import Saved
from charrnn.runs.trainer_lock import TrainerLock, holder
from charrnn.text.corpus import Corpus

LAST_SAVE_TAKES = 30.0
"""Seconds that a trainer whose engine has gone is waited for."""
_LOOK_EVERY = 0.1


def first_build(
    opened: Opened, request: RunRequest, corpus: Corpus, checkpoint: Saved | None, changes: list[Change]
) -> Build:
    """For the first trainer that this engine starts; `changes` of the record are to be made again at their steps."""
    recorded, replayed = opened.recorded, opened.replayed
    config = recorded.corpus if recorded else corpus_config(request.options, source=opened.source, name=opened.name)
    return Build(
        options=request.options if replayed is None else {},
        corpus=replace(config, sha256=corpus.sha256),
        vocabulary=corpus.vocabulary.facts(),
        dtype=corpus.ids.dtype.name,
        ids=len(corpus.ids),
        held_out_at=corpus.held_out_at,
        recorded=recorded,
        checkpoint=str(checkpoint.path) if checkpoint else None,
        changes=changes,
        until=None if replayed is None else replayed.until,
    )


def next_build(first: Build, built: Built | None, checkpoint: Saved | None, changes: list[Change]) -> Build:
    """For one that goes on where another died, and makes the same changes at the same steps.

    The options of this start are applied again unless a checkpoint was written under them, or they chose the run.
    """
    place = str(checkpoint.path) if checkpoint else None
    if built is None or (first.recorded is not None and first.checkpoint == place):
        return structs.replace(first, changes=changes)
    options: dict[str, str | int | float | bool] = {"device": built.config.training.device}
    return structs.replace(first, options=options, recorded=built.config, checkpoint=place, changes=changes)


def recorded_points(run: Path, checkpoint: Saved | None) -> list[LossPoint]:
    """The losses up to the checkpoint."""
    until = checkpoint.step if checkpoint else 0
    return [point_of(line) for line in read_metrics(run) if line["step"] <= until]


async def trainer_lock(run: Path, tell: Callable[[str | None], None]) -> TrainerLock:
    """The run's trainer lock, which a trainer that has lost its engine holds until it has saved; `tell` says so.

    Raises UsageError if that takes too long.
    """
    waited = 0.0
    try:
        while (lock := TrainerLock.take(run)) is None:
            if waited >= LAST_SAVE_TAKES:
                pid = holder(run)
                raise UsageError(
                    f"The run {run.name} is still written to by a trainer that has lost its engine"
                    f"{f' (process {pid})' if pid else ''}; wait until it has ended, or end it with kill."
                )
            tell("The trainer that has lost its engine still saves; the run opens when it has.")
            await asyncio.sleep(_LOOK_EVERY)
            waited += _LOOK_EVERY
    except OSError as error:
        raise UsageError(f"The run {run.name} cannot be locked: {error.strerror}.") from None
    tell(None)
    return lock
