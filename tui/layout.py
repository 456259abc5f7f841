"""Which pane stands where at which size. A pure function of the size and of what the user asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from tui.terminal import wrap

PaneName = Literal["corpus", "loss", "stream"]
PANES: tuple[PaneName, ...] = get_args(PaneName)
Kind = Literal["wide", "narrow", "small", "slip"]
"""From 100x30; from 70x20; from 40x10; less."""
KINDS: tuple[Kind, ...] = get_args(Kind)

LEAST = (10, 1)
COMFORTABLE = (60, 16)
LEAST_UPPER, LEAST_STREAM, LEAST_WIDTH = 4, 3, 20
"""Rows of the panes above and of the stream, frames included; columns of a pane beside another."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How the user divides the room, each from 0 to 1, None as it comes.

    `height` is the share of the rows that the panes above have, `width` that of the columns that the left one has.
    """

    height: float | None = None
    width: float | None = None


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is on the screen: `upper` panes side by side in `upper_height` rows, the stream below.

    `left` columns are the first of two upper panes'. `spark` rows of a tiny loss line stand above everything in the
    body. `upper_height` 0 means that the upper panes share the body with nothing below. `framed` is False where there
    is no room for frames and a footer. `too_small` means that only a message fits.
    """

    kind: Kind
    upper: tuple[PaneName, ...] = ()
    upper_height: int = 0
    left: int = 0
    stream: bool = True
    spark: int = 0
    framed: bool = True
    too_small: bool = False

    def shares(self, columns: int, rows: int) -> Shares:
        """What has to be remembered to have these very sizes again."""
        height = self.upper_height / (rows - 2 - self.spark) if self.upper_height else None
        return Shares(height, self.left / columns if self.left else None)


def kind_of(columns: int, rows: int) -> Kind:
    """Which of the designed sizes it is."""
    if columns < 40 or rows < 10:
        return "slip"
    if columns < 70 or rows < 20:
        return "small"
    return "wide" if columns >= 100 and rows >= 30 else "narrow"


def arrange(
    columns: int,
    rows: int,
    asked: Mapping[PaneName, bool],
    zoomed: PaneName | None,
    shares: Shares = Shares(),
) -> Arrangement:
    """The arrangement for a terminal of `columns` by `rows`.

    `asked` holds what the user switched on or off by hand, `shares` the sizes they gave; the rest is decided by the
    size. One row each goes to the status line and the footer; a slip has the status line and one pane, no more.
    """
    kind = kind_of(columns, rows)
    if columns < LEAST[0] or rows < LEAST[1]:
        return Arrangement(kind, stream=False, framed=False, too_small=True)
    if kind == "slip" or zoomed is not None:
        alone: tuple[PaneName, ...] = () if zoomed in (None, "stream") else (zoomed,)
        return Arrangement(kind, upper=alone, stream=not alone, framed=kind != "slip")
    roomy, tiny = kind == "wide", kind == "small"
    stream = asked.get("stream", True)
    corpus = asked.get("corpus", roomy or not stream)
    loss = asked.get("loss", True)
    body = rows - 2
    # With no room for two panes side by side, a corpus that was asked for takes the chart's place.
    sparse = tiny or (corpus and loss and columns < 80)
    spark = (2 if body >= 16 else 1) if loss and sparse and (stream or corpus) else 0
    upper: list[PaneName] = []
    if loss and not spark:
        upper.append("loss")
    if corpus:
        upper.append("corpus")
    left = _within(shares.width or 0.5, columns, LEAST_WIDTH, LEAST_WIDTH) if len(upper) == 2 else 0
    if not upper or not stream:
        return Arrangement(kind, upper=tuple(upper), left=left, stream=stream, spark=spark)
    height = _within(shares.height or (0.42 if roomy else 0.4), body - spark, LEAST_UPPER, LEAST_STREAM)
    return Arrangement(kind, upper=tuple(upper), upper_height=height, left=left, spark=spark)


def _within(share: float, whole: int, least: int, rest: int) -> int:
    """So much of `whole`, but at least `least`, and at least `rest` for the other."""
    return min(max(round(whole * share), least), whole - rest)


def too_small_text(columns: int, rows: int) -> list[str]:
    """What to say when nothing fits, in rows that do fit; the last resort is nothing at all."""
    least = f"{LEAST[0]}x{LEAST[1]}"
    for text in (
        f"Needs {least} or more; {COMFORTABLE[0]}x{COMFORTABLE[1]} shows everything. This is {columns}x{rows}.",
        f"Needs {least}; this is {columns}x{rows}.",
        f"Needs {least}",
        least,
    ):
        lines = wrap(text, columns)
        words = set(text.split())
        if len(lines) <= rows and all(set(line.split()) <= words for line in lines):
            return [line.rstrip() for line in lines]
    return []
