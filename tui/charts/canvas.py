"""Cells to draw a chart into: lines of braille dots over each other, words and rules where there is room."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.segment import Segment
from rich.style import Style

Row = list[Segment]

_BLANK = 0x2800


class Canvas:
    """`columns` by `rows` cells. Words stand over dots, dots over rules."""

    def __init__(self, columns: int, rows: int, plain: Style) -> None:
        self.columns, self.rows = columns, rows
        self._dots = [[0] * columns for _ in range(rows)]
        self._styles = [[plain] * columns for _ in range(rows)]
        self._rules: list[list[tuple[str, Style] | None]] = [[None] * columns for _ in range(rows)]
        self._words: list[list[tuple[str, Style] | None]] = [[None] * columns for _ in range(rows)]

    def dots(self, drawn: Sequence[str], style: Style, gaps: Iterable[int] = (), period: int = 1) -> None:
        """Lays rows of braille over what is there; columns that are in `gaps` modulo `period` are left out."""
        left_out = frozenset(gaps)
        for dots, styles, row in zip(self._dots, self._styles, drawn, strict=False):
            for column, character in enumerate(row):
                if character > "⠀" and column % period not in left_out:
                    dots[column] |= ord(character) - _BLANK
                    styles[column] = style

    def rule(self, row: int, glyph: str, style: Style) -> None:
        """A line across, behind everything."""
        self._rules[row] = [(glyph, style)] * self.columns

    def column(self, column: int, glyph: str, style: Style) -> None:
        """A line down, behind the dots."""
        for rules in self._rules:
            rules[column] = (glyph, style)

    def free(self, row: int, column: int, cells: int) -> bool:
        """Whether so many cells from there on hold neither dots nor words."""
        if not (0 <= row < self.rows and column >= 0 and column + cells <= self.columns):
            return False
        end = column + cells
        return not any(self._dots[row][column:end]) and not any(self._words[row][column:end])

    def write(self, row: int, column: int, text: str, style: Style) -> None:
        """Puts text of single-cell characters over what is there."""
        for at, character in enumerate(text, column):
            if 0 <= at < self.columns:
                self._words[row][at] = (character, style)

    def highest(self, drawn: Sequence[str], column: int) -> int | None:
        """The uppermost row in which the rows of braille have a dot in a column."""
        return next((row for row, cells in enumerate(drawn) if cells[column : column + 1] > "⠀"), None)

    def strips(self) -> list[Row]:
        """The cells as rows of segments."""
        rows: list[Row] = []
        for dots, styles, rules, words in zip(self._dots, self._styles, self._rules, self._words, strict=True):
            cells: list[tuple[str, Style]] = []
            for column, dot in enumerate(dots):
                rule = rules[column]
                if (word := words[column]) is not None:
                    cells.append(word)
                elif dot or rule is None:
                    cells.append((chr(_BLANK + dot) if dot else " ", styles[column]))
                else:
                    cells.append(rule)
            rows.append(segments_of(cells))
        return rows


def segments_of(cells: Iterable[tuple[str, Style]]) -> Row:
    """Cells with their styles as segments: neighbours of the same style become one."""
    row: Row = []
    for text, style in cells:
        if row and row[-1].style is style:
            row[-1] = Segment(row[-1].text + text, style)
        else:
            row.append(Segment(text, style))
    return row


def heavier(drawn: Sequence[str]) -> list[str]:
    """Rows of braille with every dot two dots high, so that a line is told from a thin one without colour."""
    rows: list[str] = []
    falling = [0] * max((len(row) for row in drawn), default=0)
    for row in drawn:
        made = []
        for column, character in enumerate(row):
            dots = ord(character) - _BLANK if character > "⠀" else 0
            lower = (dots & 0x09) << 1 | (dots & 0x12) << 1 | (dots & 0x04) << 4 | (dots & 0x20) << 2
            made.append(chr(_BLANK + (dots | lower | falling[column])))
            falling[column] = (0x01 if dots & 0x40 else 0) | (0x08 if dots & 0x80 else 0)
        rows.append("".join(made))
    return rows
