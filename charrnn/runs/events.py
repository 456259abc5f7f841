"""What was done to a run while it trained, as events.jsonl tells it. No torch here.

A run that goes on from a checkpoint writes {"event": "begin", "step": S}: lines before it with a step above S are of
steps that were lost, and void. Not so the changes that somebody made (CHANGES): those are wishes, and are made again
at their steps, until a later line of the same event with a lower step takes their place.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from charrnn.runs.metrics import EVENTS

CHANGES = ("learning_rate", "cooldown", "last_cooldown")
"""The events that decide how the steps after them go."""
_PLAN = ("steps", "minutes", "cooldown")


class Change(msgspec.Struct, frozen=True, array_like=True):
    """One of CHANGES, made before the step that follows `step` steps."""

    event: str
    value: float
    step: int

    @property
    def written(self) -> int | float:
        """The value as it stands in the record: a rate, or a number of steps."""
        return self.value if self.event == "learning_rate" else int(self.value)


class Event(msgspec.Struct, frozen=True):
    """A line of events.jsonl; `value` is as JSON has it."""

    event: str
    value: Any
    step: int


def read_events(run: Path) -> list[Event]:
    """The lines of events.jsonl that count, in the order they were written; a torn one is passed over."""
    try:
        lines = (run / EVENTS).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    kept: list[Event] = []
    highest = 0
    for text in lines:
        try:
            line = json.loads(text)
            event = Event(str(line["event"]), line["value"], int(line["step"]))
        except (ValueError, KeyError, TypeError):
            continue
        if event.step < highest:
            kept = [earlier for earlier in kept if not _void(earlier, event)]
        if not _follows_from(kept[-1] if kept else None, event):
            kept.append(event)
        highest = max(highest, event.step)
    return kept


def changes_of(events: Iterable[Event]) -> list[Change]:
    """The changes among them, by rising step."""
    found = [Change(e.event, float(e.value), e.step) for e in events if e.event in CHANGES and _is_number(e.value)]
    return sorted(found, key=lambda change: change.step)


def without(changes: Iterable[Change], others: Iterable[Change]) -> list[Change]:
    """The changes less those that are among the others as well; what is there twice must be there twice."""
    there = Counter(others)
    left = []
    for change in changes:
        if there[change]:
            there[change] -= 1
        else:
            left.append(change)
    return left


def _void(earlier: Event, later: Event) -> bool:
    """Whether the later line says that the earlier one counts no more."""
    if earlier.step <= later.step:
        return False
    if later.event == "begin":
        return earlier.event not in CHANGES
    if later.event == "settings" and isinstance(later.value, dict) and any(name in later.value for name in _PLAN):
        return earlier.event == "last_cooldown"
    return later.event in CHANGES and earlier.event == later.event


def _follows_from(before: Event | None, event: Event) -> bool:
    """Whether the event is the lower rate of a run that went back, which it takes by itself."""
    went_back = before is not None and before.event == "went_back" and before.step == event.step
    return went_back and event.event == "learning_rate"


def _is_number(value: object) -> bool:
    return isinstance(value, int | float)
