"""A piece of rows of text, from a cell of one to a cell of another. Pure: no widget, no terminal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

from tui.terminal import cut, width

Place = tuple[int, int]
"""A row and a column in cells."""


@dataclass(frozen=True, slots=True)
class Selection:
    """From `begin` up to, and without, `end`."""

    begin: Place
    end: Place

    @classmethod
    def between(cls, anchor: Place, head: Place) -> Selection:
        """Both cells are part of it, whichever comes first."""
        first, last = min(anchor, head), max(anchor, head)
        return cls(first, (last[0], last[1] + 1))

    def moved(self, rows: int) -> Selection:
        """The same text after `rows` rows were put before it; fewer than none: that many were dropped there."""
        return Selection((self.begin[0] + rows, self.begin[1]), (self.end[0] + rows, self.end[1]))

    def columns(self, row: int, text: str) -> tuple[int, int] | None:
        """The cells of a row with this text that are part of it; a row without text has one to be seen by."""
        if not self.begin[0] <= row <= self.end[0]:
            return None
        begin = self.begin[1] if row == self.begin[0] else 0
        end = self.end[1] if row == self.end[0] else max(1, width(text))
        return (begin, end) if begin < end else None

    def of(self, row: int, text: str) -> str:
        """What of a row's text is part of it."""
        columns = self.columns(row, text)
        return text[cut(text, columns[0]) : _ceil(text, columns[1])] if columns else ""


def _ceil(text: str, columns: int) -> int:
    """As `cut`, but a wide character that is cut in two is taken whole."""
    at = cut(text, columns)
    return at + 1 if at < len(text) and width(text[:at]) < columns else at


def word_at(row: int, text: str, column: int) -> Selection:
    """The word, the space or the sign at that cell of a row."""
    at = cut(text, column)
    begin = 0
    for _, letters in groupby(enumerate(text), key=_kinds(text)):
        end = begin + len(list(letters))
        if begin <= at < end:
            return Selection((row, width(text[:begin])), (row, width(text[:end])))
        begin = end
    return Selection((row, column), (row, column))


def _kinds(text: str) -> Callable[[tuple[int, str]], object]:
    """What tells neighbours of one word from others; a mark belongs to its letter, a sign stands alone."""
    kinds: list[object] = []
    for at, letter in enumerate(text):
        mark = kinds and not letter.isascii() and not width(letter)
        kinds.append(kinds[-1] if mark else "word" if letter.isalnum() or letter == "_" else letter.isspace() or at)
    return lambda place: kinds[place[0]]
