"""A run made again from its record: its settings as they were at the beginning, and the changes at their steps.

No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from charrnn.config import RunConfig, TrainingConfig, UsageError
from charrnn.runs.directory import read_config
from charrnn.runs.events import Change, Event, changes_of, read_events
from charrnn.runs.saved import list_checkpoints

_ONCE_FOR_ALL = ("average", "precision")
"""Settings that a run may be given anew, but that a trainer has from its beginning to its end."""


@dataclass(frozen=True, slots=True)
class Replay:
    """What to do to make the run at `source` again: begin with `config`, make the changes, end after `until` steps."""

    source: Path
    config: RunConfig
    changes: list[Change]
    until: int


def read_replay(run: Path, options: Mapping[str, Any]) -> Replay:
    """The replay of a run up to its newest checkpoint, or the one after the option `steps`. Raises UsageError.

    That is where the record does not say all, or where one trainer could not do what it says.
    """
    others = sorted(set(options) - {"steps"})
    if others:
        raise UsageError(
            f"A replay takes its settings from the record; leave --{others[0].replace('_', '-')} out (--steps says how "
            "far to go)."
        )
    events, steps = read_events(run), [checkpoint.step for checkpoint in list_checkpoints(run)]
    if not steps or not events:
        missing = "checkpoint" if events else "events.jsonl"
        raise UsageError(f"The run {run.name} has no {missing}, so there is no record to make it again from.")
    until = int(options.get("steps", steps[-1]))
    if until not in steps:
        there = ", ".join(map(str, steps))
        raise UsageError(
            f"The run {run.name} has no checkpoint of step {until} to compare with; it has those of {there}."
        )
    _check_one_piece(run, [event for event in events if event.step < until])
    changes = [change for change in changes_of(events) if change.step < until]
    return Replay(run, _as_begun(run, events), changes, until)


def replay_name(run: Path, folder: Path) -> str:
    """The first free name for a replay of the run in the folder of runs."""
    number = 1
    while (folder / f"{run.name}-replay-{number}").exists():
        number += 1
    return f"{run.name}-replay-{number}"


def _check_one_piece(run: Path, events: list[Event]) -> None:
    for event in events:
        if event.event == "corpus":
            what = "another text"
        elif event.event == "settings" and (names := [name for name in _ONCE_FOR_ALL if name in event.value]):
            what = f"another --{names[0]}"
        else:
            continue
        raise UsageError(
            f"The run {run.name} went on with {what} at step {event.step:,}, so it cannot be made again in one piece; "
            "give --steps with a checkpoint of before."
        )


def _as_begun(run: Path, events: list[Event]) -> RunConfig:
    """The settings that the run was begun with: those of config.toml, less what was changed when it went on."""
    config = read_config(run)
    first: dict[str, Any] = {}
    for event in events:
        if event.event == "settings" and isinstance(event.value, dict):
            for name, (before, _) in event.value.items():
                first.setdefault(name, before)
    try:
        training = msgspec.convert(asdict(config.training) | first, TrainingConfig)
    except msgspec.ValidationError as error:
        raise UsageError(f"The record of the run {run.name} has settings that are none: {error}.") from None
    return replace(config, training=training)
