"""What there is inside each kind of cell, and how it is called. No torch here."""

from __future__ import annotations

import re
from dataclasses import dataclass

from charrnn.config import Cell, ModelConfig, UsageError

KINDS: dict[Cell, tuple[str, ...]] = {
    "rnn": ("h",),
    "gru": ("h", "r", "z", "n"),
    "lstm": ("c", "h", "i", "f", "g", "o"),
    "lstmcell": ("c", "h", "i", "f", "g", "o"),
    "mingru": ("h", "z", "c", "o"),
}
"""What each cell has inside. Of `mingru`, c is the candidate and o the gate SiLU(W_g u + b_g) on the way out."""
GATES: dict[Cell, str] = {"rnn": "", "gru": "rz", "lstm": "ifo", "lstmcell": "ifo", "mingru": "z"}
"""Those that go from 0, shut, to 1, open; the others have a sign."""

_NAME = re.compile(r"\s*([a-z])\s*(\d+)\s*[·.:]\s*(\d+)\s*")


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """One number inside a network. Layers and units count from 1; its name is such as "c 1·37"."""

    kind: str
    layer: int
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.layer}·{self.number}"


def unit_named(name: str, config: ModelConfig) -> Unit:
    """The unit of that name, "c 1·37" or "c1.37". Raises UsageError where such a network has none."""
    found = _NAME.fullmatch(name.lower())
    kinds = KINDS[config.cell]
    if found:
        unit = Unit(found[1], int(found[2]), int(found[3]))
        if unit.kind in kinds and 1 <= unit.layer <= config.layers and 1 <= unit.number <= config.hidden:
            return unit
    others = f", and {', '.join(kinds[1:])} likewise" if kinds[1:] else ""
    raise UsageError(
        f"There is no unit {name.strip()!r}; this network has {kinds[0]} 1·1 to {kinds[0]} {config.layers}·"
        f"{config.hidden}{others}."
    )


def middle_and_scale(unit: Unit, config: ModelConfig) -> tuple[float, float | None]:
    """Where a unit says neither yes nor no, and how far it goes from there; None where there is no such bound."""
    if unit.kind in GATES[config.cell]:
        return 0.5, 0.5
    bounded = {"rnn": "h", "gru": "hn", "lstm": "hg", "lstmcell": "hg", "mingru": ""}[config.cell]
    return 0.0, 1.0 if unit.kind in bounded else None
