"""`charrnn export`: a run's loss plot, its metrics, or its model as one file."""

from __future__ import annotations

import csv
import shutil
from bisect import bisect_left
from pathlib import Path

from charrnn.commands.checkpoints import tell_damaged
from charrnn.commands.picture import MISSING, PICTURES, Line, Picture, drawn
from charrnn.config import UsageError
from charrnn.runs import copied
from charrnn.runs.manifest import MODEL
from charrnn.runs.metrics import read_metrics
from charrnn.runs.recovery import open_checkpoint

COLUMNS = ("step", "chars", "seconds", "train_loss", "val_loss", "learning_rate")
COPIED_COLUMNS = ("copied_share", "longest_copy")
"""Where it was measured how much of what the run writes is copied."""


def export(run: Path, out: Path, which: str = "best") -> str:
    """Writes `out` by its ending, and says what was written. Raises UsageError."""
    ending = out.suffix.lower()
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to; make it first.")
    try:
        if ending in PICTURES:
            plot_losses(run, out)
        elif ending == ".csv":
            _write_csv(run, out)
        elif ending == ".safetensors":
            _copy_model(run, out, which)
        else:
            raise UsageError(
                f"{out.name} has no ending that is known; give {', '.join(PICTURES)}, .csv or .safetensors."
            )
    except ImportError:
        raise UsageError(f"A loss plot as {ending} {MISSING}; .svg and .csv need nothing.") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}.") from None
    return f"wrote {out}"


def plot_losses(run: Path, out: Path) -> None:
    """The run's training and held-out losses against its steps, in nats per character, as a picture or PDF.

    Raises ImportError where matplotlib is needed and missing, UsageError if nothing was recorded yet, OSError.
    """
    lines = read_metrics(run)
    if not lines:
        raise UsageError(f"The run {run.name} has no losses yet; let it train for a while first.")
    losses = []
    for field, name, kind in (("train_loss", "training", "train"), ("val_loss", "held out", "held-out")):
        points = [(float(line["step"]), line[field]) for line in lines if field in line]
        if points:
            losses.append(Line(name, kind, [x for x, _ in points], [y for _, y in points]))
    first, last = float(lines[0]["step"]), float(lines[-1]["step"])
    picture = Picture(run.name, "loss (nats per character)", first, max(last, first + 1), losses, copied=_copied(run))
    out.write_bytes(drawn(picture, out.suffix.lower()))


def _write_csv(run: Path, out: Path) -> None:
    lines, samples = read_metrics(run), copied.read(run)
    steps = [line["step"] for line in lines]
    for step, share, longest in samples:  # with the first line that was written by then
        at = bisect_left(steps, step)
        if at < len(lines):
            lines[at] |= {"copied_share": share, "longest_copy": longest}
    columns = (*COLUMNS, *COPIED_COLUMNS) if samples else COLUMNS
    with open(out, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, columns, restval="", extrasaction="ignore")
        table.writeheader()
        table.writerows(lines)


def _copied(run: Path) -> Line | None:
    """The share of copies in per cent, where it was measured."""
    samples = copied.read(run)
    if not samples:
        return None
    steps, shares = [float(step) for step, _, _ in samples], [100 * share for _, share, _ in samples]
    return Line("copied (%)", "copied", steps, list(shares))


def _copy_model(run: Path, out: Path, which: str) -> None:
    found = open_checkpoint(run, which)
    tell_damaged(found.remarks)
    assert found.checkpoint is not None
    shutil.copyfile(found.checkpoint.path / MODEL, out)
