"""The few windows of a long text that the corpus pane holds, wrapped into rows. No Textual here.

A row is kept as the place where it begins, four bytes, and made safe when it is drawn: so the text stands in memory
once, and a window of nothing but line breaks costs little more than one of prose. In a row tabs count from its own
beginning, or a row could not be drawn without those before it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from tui.terminal import breaks, rest_marks, safe

KEPT = 100_000
"""Characters of text that are kept, but what is in sight always is."""


def shown(text: str) -> str:
    """A row of raw text, without its line break, as it is drawn."""
    return rest_marks(safe(text))


def row_starts(text: str, columns: int) -> array[int]:
    """Where the rows of raw text begin when each of its lines is wrapped into `columns` cells after words."""
    starts = array("I")
    at = 0
    for line in text.split("\n"):
        if at < len(text) or not text:  # what follows the last line break is the next window's
            starts.extend(at + start for start in _line_starts(line, columns))
        at += len(line) + 1
    return starts


def _line_starts(line: str, columns: int) -> Iterator[int] | list[int]:
    if "\t" in line:
        return _tabbed_starts(line, columns)
    if line.isascii():
        return breaks(line, columns)
    drawn = shown(line)
    added = len(drawn) - len(line)
    return [max(0, start - added) for start in breaks(drawn, columns)]


def _tabbed_starts(line: str, columns: int) -> Iterator[int]:
    at = 0
    yield at
    while at < len(line):
        piece = line[at : at + columns + 1]
        rows = breaks(shown(piece), columns)
        step = _raw(piece, rows[1]) if len(rows) > 1 else len(piece)
        at += max(1, step)
        if at < len(line):
            yield at


def _raw(piece: str, place: int) -> int:
    """The character of raw text that stands at a place of what is shown for it, or the one after it, in a tab."""
    for index in range(len(piece)):
        if len(shown(piece[:index])) >= place:
            return index
    return len(piece)


class Page:
    """A window's text from the character `at` on. `ruled`: a row with the held-out part's title stands before it."""

    __slots__ = ("_matches", "_wanted", "at", "ruled", "starts", "text")

    def __init__(self, at: int, text: str, columns: int, *, ruled: bool = False) -> None:
        self.at, self.text, self.ruled = at, text, ruled
        self._wanted = ""
        self._matches = array("I")
        self.wrap(columns)

    def wrap(self, columns: int) -> None:
        self.starts = row_starts(self.text, columns)

    @property
    def end(self) -> int:
        return self.at + len(self.text)

    @property
    def rows(self) -> int:
        return len(self.starts) + self.ruled

    def span(self, row: int) -> tuple[int, int]:
        """The characters of a row, its line break included; of the title none."""
        row -= self.ruled
        if row < 0:
            return self.at, self.at
        end = self.starts[row + 1] if row + 1 < len(self.starts) else len(self.text)
        return self.at + self.starts[row], self.at + end

    def matches(self, wanted: str) -> array[int]:
        """Where in the text, from `at`, what is wanted begins; capitals count once there is one in it."""
        if wanted != self._wanted:
            from charrnn.text.casing import fold, minds_case

            text = self.text if minds_case(wanted) else fold(self.text)
            self._wanted, self._matches = wanted, array("I")
            found = text.find(wanted)
            while found >= 0:
                self._matches.append(found)
                found = text.find(wanted, found + 1)
        return self._matches


class Pages:
    """Windows that follow one another, of a text of `characters`; what is held out begins at `held_out_at`."""

    def __init__(self, characters: int, held_out_at: int, columns: int) -> None:
        self.characters, self.held_out_at, self._columns = characters, held_out_at, columns
        self.pages: list[Page] = []
        self.provisional = False

    @property
    def first(self) -> int:
        """The first character that is here."""
        return self.pages[0].at if self.pages else 0

    @property
    def end(self) -> int:
        """The character after the last one that is here."""
        return self.pages[-1].end if self.pages else 0

    @property
    def rows(self) -> int:
        return sum(page.rows for page in self.pages)

    def __contains__(self, character: object) -> bool:
        return isinstance(character, int) and self.first <= character < self.end

    def find(self, row: int) -> tuple[Page, int]:
        """The page of a row, and its number there."""
        for page in self.pages:
            if row < page.rows:
                return page, row
            row -= page.rows
        raise IndexError(row)

    def row_of(self, character: int) -> int:
        """The row in which a character stands, the nearest one if it is not here."""
        rows = 0
        for page in self.pages:
            if character < page.end or page is self.pages[-1]:
                inside = bisect_right(page.starts, max(0, character - page.at)) - 1
                return rows + page.ruled + max(0, inside)
            rows += page.rows
        return 0

    def wrap(self, columns: int) -> None:
        self._columns = columns
        for page in self.pages:
            page.wrap(columns)

    def put(self, at: int, text: str) -> None:
        """Takes a window in: beside those that are here if it follows or precedes them, else in their place."""
        if self.pages and not self.provisional:
            if self.first <= at and at + len(text) <= self.end:
                return
            if at < self.first <= at + len(text) <= self.end:
                self.pages[:0] = self._cut(at, text[: self.first - at])
                return
            if self.first <= at <= self.end:
                skipped = self.end - at
                self.pages += self._cut(at + skipped, text[skipped:])
                return
        self.pages, self.provisional = list(self._cut(at, text)), False

    def begin_with(self, head: str) -> None:
        """Shows the text's beginning until its windows come; they may be cut elsewhere."""
        self.put(0, head)
        self.provisional = len(head) < self.characters

    def _cut(self, at: int, text: str) -> Iterator[Page]:
        """A page, or two where the held-out part begins in the midst of it."""
        before = self.held_out_at - at
        if 0 < before < len(text):
            yield Page(at, text[:before], self._columns)
            at, text = self.held_out_at, text[before:]
        if text:
            yield Page(at, text, self._columns, ruled=at == self.held_out_at)

    def forget(self, top: int, height: int) -> None:
        """Lets go of what is farthest from the rows in sight, beyond what is kept."""
        while self.end - self.first > KEPT and len(self.pages) > 1:
            above = top - self.pages[0].rows
            below = self.rows - self.pages[-1].rows - (top + height)
            if above >= below and above >= height:
                top -= self.pages.pop(0).rows
            elif below >= 2 * height:
                self.pages.pop()
            else:
                return

    def missing(self, top: int, height: int) -> int | None:
        """A character of the window that will be needed next where rows from `top` are in sight; None for none."""
        if not self.pages or self.provisional:
            return 0
        if self.end < self.characters and self.rows - top < 2 * height:
            return self.end
        if self.first > 0 and top < height:
            return self.first - 1
        return None


def within(places: Sequence[int], first: int, end: int) -> Sequence[int]:
    """Those of the rising places that lie from `first` up to `end`."""
    return places[bisect_left(places, first) : bisect_left(places, end)]
