"""`charrnn export`: a run's loss plot, its metrics, or its model as one file."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from typing import Any

from charrnn.commands.checkpoints import tell_damaged
from charrnn.config import UsageError
from charrnn.runs.manifest import MODEL
from charrnn.runs.metrics import read_metrics
from charrnn.runs.recovery import open_checkpoint

PLOTS = (".png", ".svg", ".pdf")
COLUMNS = ("step", "chars", "seconds", "train_loss", "val_loss", "learning_rate")


def export(run: Path, out: Path, which: str = "best") -> str:
    """Writes `out` by its ending, and says what was written. Raises UsageError."""
    ending = out.suffix.lower()
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to; make it first.")
    try:
        if ending in PLOTS:
            plot_losses(run, out)
        elif ending == ".csv":
            _write_csv(run, out)
        elif ending == ".safetensors":
            _copy_model(run, out, which)
        else:
            raise UsageError(f"{out.name} has no ending that is known; give {', '.join(PLOTS)}, .csv or .safetensors.")
    except ImportError:
        raise UsageError("The loss plot needs matplotlib; install it with pip install 'charrnn[plot]'.") from None
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}.") from None
    return f"wrote {out}"


def plot_losses(run: Path, out: Path) -> None:
    """The run's training and held-out losses against its steps, in nats per character, as a picture or PDF.

    Raises ImportError without matplotlib, UsageError if nothing was recorded yet, OSError.
    """
    from matplotlib.figure import Figure

    lines = read_metrics(run)
    if not lines:
        raise UsageError(f"The run {run.name} has no losses yet; let it train for a while first.")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for name, label, style in (
        ("train_loss", "training", {"color": "0.6", "linewidth": 0.8}),
        ("val_loss", "held out", {"color": "tab:orange", "linewidth": 1.6}),
    ):
        points = [(line["step"], line[name]) for line in lines if name in line]
        if points:
            xs, ys = zip(*[(x, float("nan") if y is None else y) for x, y in points], strict=True)
            _draw(axes, xs, ys, label, style)
    axes.set_xlabel("step")
    axes.set_ylabel("loss (nats per character)")
    axes.set_title(run.name, parse_math=False)
    axes.legend(frameon=False)
    figure.savefig(out)


def _draw(axes: Any, xs: tuple[float, ...], ys: tuple[float, ...], label: str, style: dict[str, Any]) -> None:
    axes.plot(xs, ys, label=label, **style)


def _write_csv(run: Path, out: Path) -> None:
    with open(out, "w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
        table.writeheader()
        table.writerows(read_metrics(run))


def _copy_model(run: Path, out: Path, which: str) -> None:
    found = open_checkpoint(run, which)
    tell_damaged(found.remarks)
    assert found.checkpoint is not None
    shutil.copyfile(found.checkpoint.path / MODEL, out)
