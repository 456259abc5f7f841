"""A run's milestones: weights of earlier steps, kept for looking back and for nothing else. No torch here.

RUN/milestones/step-00000200/ {model.safetensors, MANIFEST.json}

They are written and verified as checkpoints are, but without a trainer's state: no run goes on from one. Early ones lie
close together, later ones ever farther apart: evenly in `scale`, the logarithm of the step. As a run grows they are
thinned, so that neither their number nor their bytes pass a limit.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from charrnn.runs.manifest import MODEL
from charrnn.runs.saved import MILESTONES, folder_name

MOST_BYTES = 200_000_000
"""Of all milestones of a run; the first and the newest are kept whatever they take."""
EARLY = 100
"""Steps: about where the scale turns from even in steps to even in their logarithm."""
CLOSEST = 0.1
"""Between two milestones on the scale: ten steps at first, a tenth more steps later."""
_NAME = re.compile(r"step-(\d{8,19})\Z")


@dataclass(frozen=True, slots=True)
class Milestone:
    """One milestone's folder, its step, and the bytes of its weights."""

    path: Path
    step: int
    size: int


def scale(step: int) -> float:
    """Where a step lies among all others: log(1 + step / EARLY)."""
    return math.log1p(step / EARLY)


def list_milestones(run: Path) -> list[Milestone]:
    """Every milestone of a run by rising step, whole or not."""
    found = []
    with contextlib.suppress(OSError), os.scandir(run / MILESTONES) as entries:
        for entry in entries:
            match = _NAME.match(entry.name)
            if match and folder_name(int(match[1])) == entry.name:
                place = Path(entry.path)
                size = 0
                with contextlib.suppress(OSError):
                    size = (place / MODEL).lstat().st_size
                found.append(Milestone(place, int(match[1]), size))
    return sorted(found, key=lambda milestone: milestone.step)


def is_due(step: int, last: int | None, most: int) -> bool:
    """Whether a milestone is to be taken after `step`; the newest is of step `last`, and there are to be `most`."""
    if most < 1 or (last is not None and step <= last):
        return False
    # Half of an even distance: thinning then finds some that lie where they ought to.
    apart = max(CLOSEST, scale(step) / max(1, most - 1) / 2)
    return last is None or scale(step) - scale(last) >= apart


def thinned(steps: Sequence[int], most: int) -> list[int]:
    """Of rising steps the `most` that are to stay: first and last, and between them those that lie most evenly."""
    kept = list(steps)
    while len(kept) > max(1, most):
        if len(kept) == 2:
            return kept[1:]
        gaps = [scale(kept[at + 1]) - scale(kept[at - 1]) for at in range(1, len(kept) - 1)]
        del kept[1 + gaps.index(min(gaps))]
    return kept


def make_room(run: Path, most: int, most_bytes: int = MOST_BYTES) -> None:
    """Removes the milestones that are too many: more than `most`, or more bytes than they may take."""
    there = list_milestones(run)
    while len(there) > 2 and sum(one.size for one in there) > most_bytes:
        stay = set(thinned([one.step for one in there], len(there) - 1))
        _remove([one for one in there if one.step not in stay])
        there = [one for one in there if one.step in stay]
    stay = set(thinned([one.step for one in there], most)) if most else set()
    _remove([one for one in there if one.step not in stay])


def put_right(run: Path, step: int) -> None:
    """Clears what writers that were cut left behind, and milestones after `step`, which has not been passed yet.

    Only for who trains the run. What cannot be removed stays.
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(run / MILESTONES):
            if name.startswith("."):
                shutil.rmtree(run / MILESTONES / name, ignore_errors=True)
    _remove([one for one in list_milestones(run) if one.step > step])


def _remove(milestones: Sequence[Milestone]) -> None:
    """Each is renamed first: a folder of a milestone's name is never half a one."""
    for one in milestones:
        gone = one.path.with_name(f".{one.path.name}.{os.getpid()}.gone")
        with contextlib.suppress(OSError):
            one.path.rename(gone)
            shutil.rmtree(gone)
