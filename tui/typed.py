"""A text that is typed: its cursor, its rows, and the way back. No Textual here."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from tui.pages import row_starts, shown
from tui.terminal import width

UNDONE = 200
"""Changes that can be undone."""
_WORD = re.compile(r"\w+|[^\w\s]+")


@dataclass(frozen=True, slots=True)
class Change:
    """At `at` stood `removed`, and `added` is there now; `cursor` is where the cursor was."""

    at: int
    removed: str
    added: str
    cursor: int


class Typed:
    """`limit` is how many characters it may have. `told` hears of each change: where, how many went and came."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.text = ""
        self.cursor = 0
        self.columns = 80
        self.starts: list[int] = [0]
        self.told: Callable[[int, int, int], None] = lambda at, removed, added: None
        self._undo: list[Change] = []
        self._redo: list[Change] = []
        self._goal: int | None = None

    # ---- rows ------------------------------------------------------------------------------------------------

    def wrap(self, columns: int) -> None:
        self.columns = max(1, columns)
        self.starts = list(row_starts(self.text, self.columns))
        if self.text.endswith("\n"):
            self.starts.append(len(self.text))

    def span(self, row: int) -> tuple[int, int]:
        """The characters of a row, its line break included."""
        return self.starts[row], self.starts[row + 1] if row + 1 < len(self.starts) else len(self.text)

    def row_of(self, character: int) -> int:
        return bisect_right(self.starts, character) - 1

    def line(self, row: int) -> str:
        """A row's own characters without its line break."""
        first, end = self.span(row)
        return self.text[first:end].removesuffix("\n")

    @property
    def place(self) -> tuple[int, int]:
        """The cursor's row, and its cell in it."""
        row = self.row_of(self.cursor)
        return row, width(shown(self.text[self.starts[row] : self.cursor])) if self.cursor > self.starts[row] else 0

    def at(self, row: int, cell: int) -> int:
        """The character at a cell of a row, or the nearest."""
        row = min(max(0, row), len(self.starts) - 1)
        first, line = self.starts[row], self.line(row)
        if line.isascii() and "\t" not in line:
            inside = min(max(0, cell), len(line))
        else:
            inside = next((index for index in range(len(line)) if width(shown(line[: index + 1])) > cell), len(line))
        if inside == len(line) and row + 1 < len(self.starts) and first + inside == self.starts[row + 1]:
            inside = max(0, inside - 1)  # that place is the next row's
        return first + inside

    # ---- changing --------------------------------------------------------------------------------------------

    def insert(self, text: str) -> int:
        """Puts a text in at the cursor; how many of its characters there was no room for."""
        fits = text[: max(0, self.limit - len(self.text))]
        if fits:
            self._change(self.cursor, self.cursor, fits)
        return len(text) - len(fits)

    def remove(self, first: int, end: int) -> None:
        first, end = max(0, min(first, end)), min(len(self.text), max(first, end))
        if first < end:
            self._change(first, end, "")

    def _change(self, first: int, end: int, added: str) -> None:
        change = Change(first, self.text[first:end], added, self.cursor)
        last = self._undo[-1] if self._undo else None
        typing = len(added) == 1 and not change.removed and not added.isspace()
        follows = last is not None and not last.removed and last.at + len(last.added) == first
        if last is not None and typing and follows and not last.added[-1].isspace():
            self._undo[-1] = Change(last.at, "", last.added + added, last.cursor)  # a word is undone at once
        else:
            self._undo = [*self._undo[1 - UNDONE :], change]
        self._redo.clear()
        self._put(first, end, added, first + len(added))

    def _put(self, first: int, end: int, added: str, cursor: int) -> None:
        self.text = self.text[:first] + added + self.text[end:]
        self.cursor, self._goal = cursor, None
        self.wrap(self.columns)
        self.told(first, end - first, len(added))

    def undo(self) -> bool:
        if not self._undo:
            return False
        change = self._undo.pop()
        self._redo.append(change)
        self._put(change.at, change.at + len(change.added), change.removed, change.cursor)
        return True

    def redo(self) -> bool:
        if not self._redo:
            return False
        change = self._redo.pop()
        self._undo.append(change)
        self._put(change.at, change.at + len(change.removed), change.added, change.at + len(change.added))
        return True

    # ---- moving ----------------------------------------------------------------------------------------------

    def go(self, character: int) -> None:
        self.cursor, self._goal = min(max(0, character), len(self.text)), None

    def move_rows(self, rows: int) -> None:
        """Up or down, in the cell that the cursor set out from."""
        row, cell = self.place
        goal = cell if self._goal is None else self._goal
        self.cursor = self.at(row + rows, goal)
        self._goal = goal

    def word(self, direction: int) -> int:
        """Where the next word begins, or this one or the one before."""
        places = [0, *(found.start() for found in _WORD.finditer(self.text)), len(self.text)]
        if direction > 0:
            return next(place for place in places if place > self.cursor or place == len(self.text))
        return max((place for place in places if place < self.cursor), default=0)
