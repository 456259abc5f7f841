"""Which pane stands where at which size. A pure function of the size and of what the user asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui.terminal import wrap

PaneName = Literal["corpus", "loss", "stream"]
PANES: tuple[PaneName, ...] = ("corpus", "loss", "stream")

LEAST = (40, 10)
COMFORTABLE = (60, 16)


@dataclass(frozen=True, slots=True)
class Arrangement:
    """What is on the screen: `upper` panes side by side in `upper_height` rows, the stream below.

    `spark` rows of a tiny loss line stand above everything in the body. `upper_height` 0 means that the upper panes
    share the body with nothing below. `too_small` means that only a message fits.
    """

    too_small: bool = False
    upper: tuple[PaneName, ...] = ()
    upper_height: int = 0
    stream: bool = True
    spark: int = 0


def arrange(columns: int, rows: int, asked: Mapping[PaneName, bool], zoomed: PaneName | None) -> Arrangement:
    """The arrangement for a terminal of `columns` by `rows`.

    `asked` holds what the user switched on or off by hand; the rest is decided by the size. One row each goes to the
    status line and the footer.
    """
    if columns < LEAST[0] or rows < LEAST[1]:
        return Arrangement(too_small=True, stream=False)
    if zoomed == "stream":
        return Arrangement()
    if zoomed is not None:
        return Arrangement(upper=(zoomed,), stream=False)
    body = rows - 2
    roomy = columns >= 100 and rows >= 30
    tiny = columns < 70 or rows < 20
    stream = asked.get("stream", True)
    corpus = asked.get("corpus", roomy or not stream)
    loss = asked.get("loss", True)
    # With no room for two panes side by side, a corpus that was asked for takes the chart's place.
    sparse = tiny or (corpus and loss and columns < 80)
    spark = (2 if body >= 16 else 1) if loss and sparse and (stream or corpus) else 0
    upper: list[PaneName] = []
    if loss and not spark:
        upper.append("loss")
    if corpus:
        upper.append("corpus")
    if not upper:
        return Arrangement(stream=stream, spark=spark)
    if not stream:
        return Arrangement(upper=tuple(upper), stream=False, spark=spark)
    height = max(5, round((body - spark) * (0.42 if roomy else 0.4)))
    return Arrangement(upper=tuple(upper), upper_height=height, spark=spark)


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
