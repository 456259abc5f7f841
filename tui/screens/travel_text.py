"""What a state wrote: rows of text, of which only those that differ from the state before are drawn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import BindingType

from tui import keys, palette
from tui.panes.rows import Rows
from tui.terminal import breaks, rest_marks, safe, wrap

Row = Sequence[tuple[str, Style]]


class EraText(Rows):
    """The keys of time travel are bound here: it has the focus."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("travel")

    def __init__(self) -> None:
        super().__init__(id="travel-text")
        self._shown: tuple[str, str, Style] = ("", "", palette.PLAIN)
        self._rows: list[Row] = []

    def show(self, prime: str, text: str, style: Style = palette.PLAIN) -> None:
        """A text after its prime, or words without one, in a style."""
        if (prime, text, style) != self._shown:
            self._shown = (prime, text, style)
            self._make()

    def _make(self) -> None:
        before, self._rows = self._rows, text_rows(*self._shown, self.text_columns)
        self.select(None)
        if self.top > self.last_top:
            self.top = self.last_top
            self.refresh()
            return
        for number in range(max(len(before), len(self._rows))):
            if before[number : number + 1] != self._rows[number : number + 1]:
                self.refresh_rows(number, number + 1)

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Row:
        return self._rows[number]

    def on_resize(self, event: events.Resize) -> None:
        self._make()
        self.refresh()


def text_rows(prime: str, text: str, style: Style, columns: int) -> list[Row]:
    """Both wrapped as one text, the prime in its own style."""
    if not prime:
        return [[(row, style)] for row in wrap(safe(text), columns)]
    begins = safe(prime)
    whole = safe(prime + text)
    left = len(begins) if whole.startswith(begins) else 0
    rows: list[Row] = []
    for line in whole.split("\n"):
        marked = rest_marks(line)
        here = max(0, left) + (len(marked) - len(line) if left > 0 else 0)
        starts = breaks(marked, columns)
        for begin, end in zip(starts, [*starts[1:], len(marked)], strict=True):
            row, of_prime = marked[begin:end], max(0, min(end, here) - begin)
            rows.append([(row[:of_prime], palette.PRIME), (row[of_prime:], style)])
        left -= len(line) + 1
    return rows
