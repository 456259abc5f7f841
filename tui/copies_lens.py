"""What of the stream is copied, as the engine tells it; and the lens that marks it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from rich.style import Style

from charrnn.engine.questions.copying import Copies, Copy
from tui import palette
from tui.lenses import UNKNOWN

LEVELS: tuple[tuple[int, Style], ...] = (
    (21, palette.WARNING + Style(underline=True)),
    (40, palette.WARNING + Style(reverse=True)),
    (80, palette.ERROR + Style(reverse=True)),
)
"""From how many characters on a copy is drawn how."""
MOST_KEPT = 3_000


class CopiesLens:
    """Marks what is copied, the longer the more. It knows what was told since somebody began to look through it."""

    name = "copies"

    def __init__(self) -> None:
        self.copies: list[Copy] = []
        self.told: Copies | None = None

    @property
    def styles(self) -> Sequence[Style]:
        return [style for _, style in LEVELS]

    @property
    def legend(self) -> Sequence[tuple[str, Style]]:
        told = self.told
        if told is None:
            return [("asking the engine", palette.QUIET)]
        if told.state != "ready":
            return [(told.words, palette.WARNING if told.state == "none" else palette.QUIET)]
        meter = (f"copied {100 * told.share:.0f} %", palette.ACCENT_STRONG)
        if not self.copies:
            return [meter, ("no 21 characters in a row", palette.QUIET)]
        longest = max(copy.length for copy in self.copies)
        steps = [(f"{least}+", style) for least, style in LEVELS]
        return [meter, (f"longest {longest:,}", palette.STRONG), *steps]

    def hear(self, told: Copies) -> int:
        """Takes what the engine tells; the stream's position from which on that is another."""
        self.told = told
        if told.state != "ready":
            return 0
        at = bisect_left(self.copies, told.first, key=lambda copy: copy.begin)
        before, self.copies = self.copies, [*self.copies[:at], *told.copies][-MOST_KEPT:]
        same = 0
        while same < min(len(before) - at, len(told.copies)) and before[at + same] == told.copies[same]:
            same += 1
        changed = [copy.begin for copy in (*before[at + same :], *told.copies[same:])]
        return min(changed, default=told.end)

    def forget(self) -> None:
        """Another engine, or nobody looks any more: what comes is told from the beginning."""
        self.copies, self.told = [], None

    def levels(self, first: int, end: int) -> Sequence[int]:
        found = [UNKNOWN] * (end - first)
        for copy in self._around(first, end):
            level = sum(copy.length >= least for least, _ in LEVELS) - 1
            for place in range(max(first, copy.begin), min(end, copy.end)):
                found[place - first] = max(found[place - first], level)
        return found

    def _around(self, first: int, end: int) -> list[Copy]:
        """The copies that reach into a piece of the stream. They begin and end in the same order."""
        begin = bisect_left(self.copies, first + 1, key=lambda copy: copy.end)
        return self.copies[begin : bisect_left(self.copies, end, key=lambda copy: copy.begin)]

    def at(self, position: int) -> Copy | None:
        """The longest copy that holds a position of the stream."""
        return max(self._around(position, position + 1), key=lambda copy: copy.length, default=None)
