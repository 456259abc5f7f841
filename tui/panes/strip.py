"""The whole corpus in one row: what is in sight, where the streams read, what is held out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui import palette

HERE, HELD_OUT, TRACK = "●", "═", "·"
READERS = "▁▃▅█"
"""One stream in a cell, two, three, more."""


def strip_cells(
    columns: int, characters: int, held_out_at: int, here: tuple[int, int], places: Sequence[int]
) -> tuple[str, range]:
    """The glyph of each cell, and the cells that are in sight; `here` is the first character in sight and the last."""
    if columns <= 0 or characters <= 0:
        return "", range(0)

    def cell(character: int) -> int:
        return min(columns - 1, max(0, character) * columns // characters)

    border = -(-held_out_at * columns // characters)
    readers = Counter(map(cell, places))
    glyphs = [
        READERS[min(readers[number], len(READERS)) - 1] if readers[number] else TRACK if number < border else HELD_OUT
        for number in range(columns)
    ]
    sight = range(cell(here[0]), cell(here[1]) + 1)
    for number in sight:
        glyphs[number] = HERE
    return "".join(glyphs), sight


class PositionStrip(Widget):
    """A click goes to that place of the text."""

    DEFAULT_CSS = """
    PositionStrip { height: 1; width: 1fr; border-left: round $quiet; border-right: round $quiet; }
    CorpusPane:focus-within PositionStrip { border-left: round $accent; border-right: round $accent; }
    """

    class Clicked(Message):
        def __init__(self, character: int) -> None:
            super().__init__()
            self.character = character

    def __init__(self) -> None:
        super().__init__()
        self._told: tuple[int, int, tuple[int, int], tuple[int, ...]] = (0, 0, (0, 0), ())
        self._drawn: tuple[str, range] = ("", range(0))

    def show(self, characters: int, held_out_at: int, here: tuple[int, int], places: Sequence[int]) -> None:
        """Draws only the cells that have changed."""
        self._told = (characters, held_out_at, here, tuple(places))
        before, (old, sight) = self._cells(), self._drawn
        if before == self._drawn:
            return
        now = before[0]
        if len(old) != len(now):
            self.refresh()
            return
        changed = [at for at in range(len(now)) if old[at] != now[at] or (at in sight) != (at in before[1])]
        self.refresh(Region(1 + changed[0], 0, changed[-1] - changed[0] + 1, 1))

    def _cells(self) -> tuple[str, range]:
        return strip_cells(self.size.width - 2, *self._told)

    def render_line(self, y: int) -> Strip:
        glyphs, sight = self._drawn = self._cells()
        border = glyphs.find(HELD_OUT) if HELD_OUT in glyphs else len(glyphs)
        segments = [Segment(" ")]
        for first, end, style in (
            (0, sight.start, None),
            (sight.start, sight.stop, palette.ACCENT_STRONG),
            (sight.stop, len(glyphs), None),
        ):
            for begin, stop, other in _halves(first, end, border):
                segments.append(Segment(glyphs[begin:stop], style or other))
        return Strip(segments).adjust_cell_length(self.size.width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        columns, characters = self.size.width - 2, self._told[0]
        if columns > 0 and characters:
            self.post_message(self.Clicked(min(max(0, event.x - 2), columns - 1) * characters // columns))


def _halves(first: int, end: int, border: int) -> list[tuple[int, int, Style]]:
    """What is learnt from and what is held out of the cells from `first` up to `end`."""
    middle = min(max(first, border), end)
    return [(first, middle, palette.QUIET), (middle, end, palette.ACCENT)]
