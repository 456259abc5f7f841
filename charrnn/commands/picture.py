"""A loss chart as a file: what is to be drawn, in plain data, and drawing it.

SVG is written by `svg.py` and needs nothing; PNG and PDF are matplotlib's, the extra `charrnn[plot]`. As a program
(`python -m charrnn.commands.picture .png`) it reads the JSON of a Picture from standard input and writes the file's
bytes to standard output, so that a workbench draws without loading any of that.
"""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any, Literal

import msgspec

from charrnn.commands.ticks import log_ticks

NEEDS_MATPLOTLIB = (".png", ".pdf")
PICTURES = (".svg", *NEEDS_MATPLOTLIB)
WITHOUT_MATPLOTLIB = 3
"""The program's exit status where matplotlib is missing."""
MISSING = "needs matplotlib; install it with pip install 'charrnn[plot]'"

Scale = Literal["step", "chars", "seconds"]


class Line(msgspec.Struct, frozen=True):
    """One loss over the axis; a None among `ys` is a gap. `kind`: train, held-out, dots (recorded losses), other."""

    name: str
    kind: str
    xs: list[float]
    ys: list[float | None]


class Rule(msgspec.Struct, frozen=True):
    """A loss to compare with, as a line across."""

    name: str
    value: float


class Happening(msgspec.Struct, frozen=True):
    """Something that happened at a place of the axis. `kind` is that of an engine's mark."""

    kind: str
    at: float
    words: str


class Picture(msgspec.Struct, frozen=True):
    """A whole chart: values as they are shown, places in `scale`'s unit (steps, characters, seconds).

    `copied` is a share in per cent, on an axis of its own at the right.
    """

    title: str
    y_label: str
    low: float
    high: float
    lines: list[Line]
    scale: Scale = "step"
    log: bool = False
    rules: list[Rule] = []
    happenings: list[Happening] = []
    copied: Line | None = None

    @property
    def x_label(self) -> str:
        return {"step": "step", "chars": "characters read", "seconds": "seconds of training"}[self.scale]


def write_new(folder: Path, stem: str, ending: str, data: bytes) -> Path:
    """Writes `data` to a file of that name, or with a number where there is such a file already. Raises OSError."""
    number = 1
    while True:
        place = folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            with open(place, "xb") as file:
                file.write(data)
        except FileExistsError:
            number += 1
            continue
        return place


def drawn(picture: Picture, ending: str) -> bytes:
    """The picture as a file's bytes, by the file's ending, one of PICTURES. Raises ImportError without matplotlib."""
    if ending == ".svg":
        from charrnn.commands.svg import svg

        return svg(picture).encode()
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for rule in picture.rules:
        axes.axhline(rule.value, color="0.55", linewidth=0.8, linestyle=(0, (2, 2)))
        place = axes.get_yaxis_transform()
        axes.text(0.995, rule.value, rule.name, transform=place, ha="right", va="bottom", fontsize=8, color="0.4")
    others = 0
    for line in sorted(picture.lines, key=lambda line: line.kind == "other"):
        style: dict[str, Any] = _STYLES.get(line.kind) or {}
        if line.kind == "other":
            style = {"color": f"C{others + 2}", "linewidth": 1.1, "linestyle": _DASHES[others % len(_DASHES)]}
            others += 1
        ys = [float("nan") if y is None else y for y in line.ys]
        axes.plot(line.xs, ys, label=line.name if line.kind != "dots" else "_", **style)
    for one in picture.happenings:
        if one.kind != "checkpoint":
            axes.axvline(one.at, color="0.75", linewidth=0.7, zorder=0)
        axes.annotate(
            _SIGNS.get(one.kind, "•") if one.kind == "checkpoint" else one.words,
            (one.at, 0.0 if one.kind == "checkpoint" else 1.0),
            xycoords=axes.get_xaxis_transform(),
            rotation=0 if one.kind == "checkpoint" else 90,
            ha="center" if one.kind == "checkpoint" else "right",
            va="bottom" if one.kind == "checkpoint" else "top",
            fontsize=6,
            color="0.45",
            parse_math=False,
        )
    if picture.copied is not None:
        share = axes.twinx()
        share.plot(
            picture.copied.xs, [y or 0.0 for y in picture.copied.ys], color="tab:purple", linewidth=1.1, linestyle=":"
        )
        share.set_ylim(0, 100)
        share.set_ylabel(picture.copied.name, color="tab:purple")
    if picture.log:
        from matplotlib.ticker import NullLocator

        axes.set_yscale("log")
        axes.yaxis.set_minor_locator(NullLocator())
        low, high = axes.get_ylim()
        found = log_ticks(math.log10(low), math.log10(high), 6)
        axes.set_yticks(found, [f"{value:.6g}" for value in found])
    axes.set_xlim(picture.low, picture.high)
    axes.set_xlabel(picture.x_label)
    axes.set_ylabel(picture.y_label)
    axes.set_title(picture.title, parse_math=False)
    if any(line.kind != "dots" for line in picture.lines):
        for text in axes.legend(frameon=False).get_texts():
            text.set_parse_math(False)
    file = io.BytesIO()
    figure.savefig(file, format=ending[1:], dpi=150)
    return file.getvalue()


_STYLES: dict[str, dict[str, Any]] = {
    "train": {"color": "0.5", "linewidth": 0.9},
    "held-out": {"color": "tab:orange", "linewidth": 1.8},
    "dots": {"color": "0.75", "linewidth": 0, "marker": ".", "markersize": 2, "zorder": 1},
}
_DASHES: list[Any] = ["--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 3))]
_SIGNS = {"checkpoint": "■"}


def main() -> int:
    picture = msgspec.json.decode(sys.stdin.buffer.read(), type=Picture)
    try:
        data = drawn(picture, sys.argv[1])
    except ImportError:
        return WITHOUT_MATPLOTLIB
    sys.stdout.buffer.write(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
