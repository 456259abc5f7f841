"""How the chart shows the losses: in which unit, over what, smoothed or not. Loads nothing, so it may be remembered."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from charrnn.engine.messages import LossPoint

Unit = Literal["nats", "bits", "perplexity"]
Axis = Literal["step", "chars", "seconds"]
Smoothing = Literal["raw", "smoothed", "both"]

UNITS: tuple[Unit, ...] = ("nats", "bits", "perplexity")
AXES: tuple[Axis, ...] = ("step", "chars", "seconds")
SMOOTHINGS: tuple[Smoothing, ...] = ("raw", "smoothed", "both")
UNIT_WORDS: dict[Unit, str] = {
    "nats": "nats per character",
    "bits": "bits per character",
    "perplexity": "perplexity per character",
}
AXIS_WORDS: dict[Axis, str] = {"step": "steps", "chars": "characters read", "seconds": "time of training"}
SMOOTHING_WORDS: dict[Smoothing, str] = {
    "raw": "as recorded",
    "smoothed": "smoothed",
    "both": "smoothed, with the recorded losses as dots",
}
_LARGEST_EXPONENT = 700.0


@dataclass(frozen=True, slots=True)
class View:
    """What the chart's keys choose. `axis` is the field of a loss point that the x axis counts."""

    unit: Unit = "nats"
    axis: Axis = "step"
    smoothing: Smoothing = "raw"
    log: bool = False

    @staticmethod
    def of_settings(unit: str, axis: str, *, smoothed: bool, log: bool) -> View:
        """What the user's settings say that a chart begins with."""
        units: dict[str, Unit] = {name: name for name in UNITS}
        axes: dict[str, Axis] = {"step": "step", "characters": "chars", "time": "seconds"}
        return View(units[unit], axes[axis], "smoothed" if smoothed else "raw", log)

    def value(self, nats: float) -> float:
        """A loss in nats per character as it is shown; infinite where its perplexity is beyond numbers."""
        if self.unit == "bits":
            return nats / math.log(2)
        if self.unit == "perplexity":
            return math.exp(nats) if nats < _LARGEST_EXPONENT else math.inf
        return nats

    def place(self, point: LossPoint) -> float:
        """Where a point stands on the x axis."""
        return float(getattr(point, self.axis))

    def text(self, nats: float | None, decimals: int = 3) -> str:
        """A loss as it is shown; "" for none."""
        if nats is None:
            return ""
        value = self.value(nats)
        return f"{value:.{decimals}f}" if abs(value) < 100 else f"{value:.{max(4, decimals)}g}"

    def next_unit(self) -> View:
        return replace(self, unit=UNITS[(UNITS.index(self.unit) + 1) % len(UNITS)])

    def next_axis(self) -> View:
        return replace(self, axis=AXES[(AXES.index(self.axis) + 1) % len(AXES)])

    def next_smoothing(self) -> View:
        return replace(self, smoothing=SMOOTHINGS[(SMOOTHINGS.index(self.smoothing) + 1) % len(SMOOTHINGS)])

    @property
    def words(self) -> str:
        """The losses' unit, and what else was done to them, for the pane's lower line."""
        words = UNIT_WORDS[self.unit] + (", log scale" if self.log else "")
        return words if self.smoothing == "raw" else f"{words}, smoothed"

    @property
    def brief(self) -> str:
        """The same where there is little room."""
        words = self.unit + (", log" if self.log else "")
        return words if self.smoothing == "raw" else f"{words}, smoothed"
