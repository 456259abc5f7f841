"""A passage of the corpus in the light of a unit: a strip of its activation, the text, and what this view is about."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import cut, safe, width, wrap
from tui.unit_lens import STYLES, level_of, spark_pieces

HELP = (
    "AUC is how often a unit, one number inside the network, is higher (or lower) where the property holds than "
    "elsewhere: 0.5 is a coin, 1 is always. The score counts only what it remembers beyond the last character, and "
    "against chance."
)
BRIEF = (
    "AUC: how often a unit is higher (or lower) where the property holds than elsewhere. The score: what it remembers "
    "beyond the last character, against chance."
)
MOST_HELP = 3
"""Rows that the help may take."""

Row = list[tuple[str, Style]]


def passage_rows(text: str, values: bytes, columns: int) -> list[Row]:
    """The text in rows of so many cells, each character in its level's style; a line break ends a row."""
    rows: list[Row] = [[]]
    used = 0
    for at, character in enumerate(text):
        if character == "\n":
            rows.append([])
            used = 0
            continue
        shown = safe(character, column=used)
        if used + width(shown) > columns:
            rows.append([])
            used = 0
            shown = safe(character)
        level = level_of(values[at]) if at < len(values) else -1
        style = STYLES[level] if level >= 0 else palette.PLAIN
        row = rows[-1]
        if row and row[-1][1] is style:
            row[-1] = (row[-1][0] + shown, style)
        else:
            row.append((shown, style))
        used += width(shown)
    return rows


class UnitSample(Widget):
    """Draws anew only where there is another unit or another passage."""

    def __init__(self) -> None:
        super().__init__()
        self._text = ""
        self._values = b""
        self._rows: list[Row] = []
        self._made_for = (0, 0)

    def show(self, text: str, values: bytes) -> None:
        """The passage, and a byte a character; without bytes it is shown as it is."""
        if (text, values) != (self._text, self._values):
            self._text, self._values = text, values
            self._made_for = (0, 0)
            self.refresh()

    def _make(self) -> None:
        columns, height = max(1, self.size.width - 2), self.size.height
        words = wrap(HELP, columns)
        help_rows: list[Row] = [
            [(row, palette.QUIET)] for row in (words if len(words) <= MOST_HELP else wrap(BRIEF, columns))
        ]
        room = max(0, height - 1 - len(help_rows))
        text = passage_rows(self._text, self._values, columns) if self._text else []
        rows: list[Row] = [spark_pieces(self._values[:columns])]
        rows += text[:room]
        rows += [[] for _ in range(height - len(help_rows) - len(rows))]
        self._rows = rows + help_rows
        self._made_for = (self.size.width, self.size.height)

    def render_line(self, y: int) -> Strip:
        if self._made_for != (self.size.width, self.size.height):
            self._make()
        room = max(0, self.size.width - 2)
        segments = [Segment(" ")]
        for text, style in self._rows[y] if y < len(self._rows) else []:
            text = text[: cut(text, room)]
            room -= width(text)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width)
