"""The append-only record of a run: metrics.jsonl (losses) and events.jsonl (live changes). No torch here.

A run that went on from an older checkpoint repeats steps: the later line of a step counts, and takes the place of
every line before it with a step as high. A line that is `partial` was written because training ended there, before its
time: the next one takes its place, and has the mean over its steps too.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from charrnn.runs.appending import Appender

METRICS = "metrics.jsonl"
EVENTS = "events.jsonl"


def record_interval(step: int) -> int:
    """Steps between lines of the record: every step to 1,000, every tenth to 10,000, and so on.

    Counted in steps, never in time, so that the same run makes the same lines; a line's train_loss is the mean
    over the steps since the line before, so nothing is left out.
    """
    return int(10 ** max(0, len(str(step)) - 3))


def metrics_line(
    *,
    step: int,
    chars: int,
    seconds: float,
    train_loss: float | None,
    val_loss: float | None,
    learning_rate: float,
    diverged: bool = False,
    partial: bool = False,
) -> dict[str, Any]:
    """One line of metrics.jsonl as an object: nats per character, seconds of training. val_loss only if measured."""
    line: dict[str, Any] = {"step": step, "chars": chars, "seconds": round(seconds, 3), "train_loss": train_loss}
    if val_loss is not None:
        line["val_loss"] = val_loss
    line["learning_rate"] = learning_rate
    if diverged:
        line["diverged"] = True
    if partial:
        line["partial"] = True
    return line


def append(path: Path, objects: Iterable[dict[str, Any]]) -> None:
    """Appends one JSON object a line: all of them or, raising OSError, none."""
    Appender(path).append(as_lines(objects))


def as_lines(objects: Iterable[dict[str, Any]]) -> bytes:
    """One JSON object a line, as the files hold them."""
    return "".join(json.dumps(o, allow_nan=False) + "\n" for o in objects).encode()


def read_metrics(run: Path) -> list[dict[str, Any]]:
    """Every line of metrics.jsonl that counts, by rising step; a torn last line is passed over."""
    kept: list[dict[str, Any]] = []
    try:
        lines = (run / METRICS).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return kept
    for text in lines:
        try:
            line = json.loads(text)
            step = int(line["step"])
        except (ValueError, KeyError, TypeError):
            continue
        while kept and (kept[-1]["step"] >= step or kept[-1].get("partial")):
            kept.pop()
        kept.append(line)
    return kept


def last_point(run: Path) -> tuple[int, float | None]:
    """The newest recorded step and the best held-out loss so far (the best training loss if nothing is held out)."""
    lines = read_metrics(run)
    held_out = [line["val_loss"] for line in lines if line.get("val_loss") is not None]
    losses = held_out or [line["train_loss"] for line in lines if line.get("train_loss") is not None]
    return (lines[-1]["step"] if lines else 0), min(losses, default=None)
