"""How much of a run's text was copied, as it learnt: RUN/copying.jsonl, a line for each sample. No torch here.

A run that went on from an older checkpoint repeats steps: the later line of a step counts, and takes the place of every
line before it with a step as high.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from charrnn.runs.appending import Appender
from charrnn.runs.metrics import as_lines

FILE = "copying.jsonl"


def append(run: Path, *, step: int, share: float, longest: int, characters: int) -> None:
    """Adds a line: of `characters` that the weights of a step wrote, the share (0 to 1) that stands in copies, and how
    many characters the longest copy has. Raises OSError, and then nothing was added.
    """
    line = {"step": step, "copied_share": round(share, 6), "longest_copy": longest, "characters": characters}
    Appender(run / FILE).append(as_lines([line]))


def read(run: Path) -> list[tuple[int, float, int]]:
    """The lines that count as (step, share, longest), by rising step; what cannot be read is passed over."""
    kept: list[tuple[int, float, int]] = []
    try:
        lines = (run / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return kept
    for text in lines:
        try:
            line: dict[str, Any] = json.loads(text)
            found = int(line["step"]), float(line["copied_share"]), int(line["longest_copy"])
        except (ValueError, KeyError, TypeError):
            continue
        if not 0 <= found[1] <= 1:
            continue
        while kept and kept[-1][0] >= found[0]:
            kept.pop()
        kept.append(found)
    return kept
