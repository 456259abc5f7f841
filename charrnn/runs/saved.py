"""Which checkpoints a run has, and which one is meant by `best`, `last` or a step. No torch here."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from charrnn.config import UsageError

MANIFEST = "MANIFEST.json"


@dataclass(frozen=True, slots=True)
class Saved:
    """One checkpoint on disk; `val_loss` nats per character, None if it was not measured."""

    path: Path
    step: int
    val_loss: float | None


def list_checkpoints(run: Path) -> list[Saved]:
    """Every complete checkpoint of a run, by rising step."""
    found = []
    for path in sorted((run / "checkpoints").glob("step-*")):
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
            found.append(Saved(path, int(manifest["step"]), manifest.get("val_loss")))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(found, key=lambda c: c.step)


def best_checkpoint(saved: list[Saved]) -> Saved | None:
    """The one with the lowest held-out loss; None when none was measured."""
    measured = [c for c in saved if c.val_loss is not None]
    return min(measured, key=lambda c: c.val_loss or 0.0) if measured else None


def choose_checkpoint(run: Path, which: str) -> Saved:
    """`best` (the last where nothing was held out), `last`, or a step's number. Raises UsageError."""
    saved = list_checkpoints(run)
    if not saved:
        raise UsageError(f"The run {run.name} has no checkpoint yet; let it train for a while first.")
    if which == "last":
        return saved[-1]
    if which == "best":
        return best_checkpoint(saved) or saved[-1]
    for checkpoint in saved:
        if str(checkpoint.step) == which.lstrip("0"):
            return checkpoint
    steps = ", ".join(str(c.step) for c in saved)
    raise UsageError(f"The run {run.name} has no checkpoint {which!r}; it has best, last and the steps {steps}.")
