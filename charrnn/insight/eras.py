"""The states that a run has kept of itself, and what a model wrote in each: plain data. No torch here."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from charrnn.runs.metrics import read_metrics
from charrnn.runs.milestones import list_milestones, scale
from charrnn.runs.saved import checkpoint_folders


@dataclass(frozen=True, slots=True)
class Era:
    """What a model wrote after `step` steps: `text` follows `prime`.

    `chars` is how many characters it had learnt from, `train_loss` and `val_loss` (held out) are in nats per character
    as last measured by then; each None where that is not known.
    """

    step: int
    chars: int | None
    train_loss: float | None
    val_loss: float | None
    prime: str
    text: str


@dataclass(frozen=True, slots=True)
class KeptState:
    """Weights on the disk, whole or not: a milestone's folder or a checkpoint's; the rest as in `Era`."""

    path: Path
    step: int
    chars: int | None
    train_loss: float | None
    val_loss: float | None


def kept_states(run: Path, lines: Sequence[Any] | None = None) -> list[KeptState]:
    """The milestones and checkpoints of a run by rising step, one for each step. Raises OSError.

    `lines` are its losses by rising step, with `step`, `chars`, `train_loss` and `val_loss`; else its record is read.
    """
    found = dict(checkpoint_folders(run))
    found |= {one.step: one.path for one in list_milestones(run)}
    known = _record(run) if lines is None else [(p.step, p.chars, p.train_loss, p.val_loss) for p in lines]
    steps = [line[0] for line in known]
    held_out = [(step, val_loss) for step, _, _, val_loss in known if val_loss is not None]
    measured = [step for step, _ in held_out]
    states = []
    for step, path in sorted(found.items()):
        at, val = bisect_right(steps, step) - 1, bisect_right(measured, step) - 1
        chars = known[at][1] if at >= 0 and steps[at] == step else 0 if step == 0 else None
        if chars is None and at >= 0 and steps[at]:
            chars = round(known[at][1] * step / steps[at])  # steps are as long as each other, but for the corpus's end
        train_loss = known[at][2] if at >= 0 else None
        states.append(KeptState(path, step, chars, train_loss, held_out[val][1] if val >= 0 else None))
    return states


def _record(run: Path) -> list[tuple[int, int, float | None, float | None]]:
    """Of each line of the record: step, chars, train_loss, val_loss."""
    found = []
    for line in read_metrics(run):
        chars = line.get("chars")
        known = chars if isinstance(chars, int) else 0
        found.append((int(line["step"]), known, _number(line.get("train_loss")), _number(line.get("val_loss"))))
    return found


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def nearest_first(states: Sequence[KeptState], step: int) -> list[KeptState]:
    """Those nearest to a step come first, counted in states."""
    if not states:
        return []
    at = min(range(len(states)), key=lambda number: abs(states[number].step - step))
    return [states[number] for number in sorted(range(len(states)), key=lambda number: (abs(number - at), -number))]


def places(steps: Sequence[int], columns: int) -> list[int]:
    """The column of each of rising steps, from 0 for the first to `columns` − 1 for the last: even in `scale`."""
    if not steps:
        return []
    low = scale(steps[0])
    span = scale(steps[-1]) - low
    if not span:
        return [0] * len(steps)
    return [round((scale(step) - low) / span * (columns - 1)) for step in steps]
