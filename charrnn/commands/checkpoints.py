"""`charrnn checkpoints` and `charrnn keep`: what a run has saved, and what of it stays. No torch here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.recovery import verify
from charrnn.runs.saved import (
    DamagedError,
    Saved,
    best_checkpoint,
    checkpoint_folders,
    choose_checkpoint,
    damaged_folders,
    mark,
)
from charrnn.text.visible import visible_line


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One checkpoint: `val_loss` in nats per character, `size` in bytes; `problem` is "" if every byte verifies.

    `marks` are last, best, kept.
    """

    folder: str
    step: int | None
    val_loss: float | None
    size: int
    marks: tuple[str, ...]
    problem: str


def tell_damaged(remarks: Iterable[str]) -> None:
    """What was found on the way to a checkpoint, on standard error."""
    for words in remarks:
        print(visible_line(words), file=sys.stderr)


def print_checkpoints(run: Path, *, as_json: bool) -> None:
    """A table of the run's checkpoints, the newest last, or one JSON object a line; each is verified meanwhile."""
    rows = list(_rows(run))
    if as_json:
        for row in rows:
            print(json.dumps(asdict(row)))
        return
    if not rows:
        print(f"the run {visible_line(run.name)} has no checkpoint yet", file=sys.stderr)
        return
    cells = [("step", "held-out", "size", "marks", "state")]
    cells += [
        (
            "–" if row.step is None else f"{row.step:,}",
            "–" if row.val_loss is None else f"{row.val_loss:.4f}",
            f"{row.size / 1e6:.1f} MB",
            " ".join(row.marks),
            row.problem or "whole",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    for step, loss, size, marks, state in cells:
        left = f"{step:>{widths[0]}}  {loss:>{widths[1]}}  {size:>{widths[2]}}  {marks:{widths[3]}}  {state}"
        print(visible_line(left.rstrip()))


def _rows(run: Path) -> Iterator[Row]:
    for path in damaged_folders(run):
        problem = "damaged, set aside"
        yield Row(folder=path.name, step=None, val_loss=None, size=_size(path), marks=(), problem=problem)
    found: list[tuple[Saved, str]] = []
    for step, path in checkpoint_folders(run):
        try:
            found.append((Saved(path, step, verify(path).val_loss), ""))
        except DamagedError as error:
            found.append((Saved(path, step, None), f"damaged: {error.why}"))
        except UsageError as error:
            found.append((Saved(path, step, None), str(error)))
    whole = [saved for saved, problem in found if not problem]
    best = best_checkpoint(whole)
    for saved, problem in found:
        wanted = {"last": whole and saved == whole[-1], "best": saved == best, "kept": saved.kept}
        yield Row(
            folder=saved.path.name,
            step=saved.step,
            val_loss=saved.val_loss,
            size=_size(saved.path),
            marks=tuple(name for name, so in wanted.items() if so),
            problem=problem,
        )


def _size(path: Path) -> int:
    total = 0
    for name in (MODEL, STATE, "MANIFEST.json"):
        try:
            total += (path / name).lstat().st_size
        except OSError:
            continue
    return total


def keep_checkpoint(run: Path, which: str, *, off: bool) -> str:
    """Puts the keep mark on a checkpoint, or takes it away; what was done, in words. Raises UsageError."""
    checkpoint = choose_checkpoint(run, which)
    try:
        mark(checkpoint, keep=not off)
    except OSError as error:
        raise UsageError(
            f"The checkpoint {checkpoint.path} cannot be marked: {error.strerror}; make its folder writable."
        ) from None
    if off:
        return f"the checkpoint of step {checkpoint.step:,} may be removed again to make room"
    return f"the checkpoint of step {checkpoint.step:,} stays"
