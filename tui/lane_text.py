"""One lane's text as rows of a narrow column: wrapped as it comes, the newest in sight."""

from __future__ import annotations

from rich.style import Style

from tui import palette
from tui.terminal import breaks, cut, rest_marks, safe, width

MOST_ROWS, KEPT_ROWS = 3_000, 2_000
MOST_CHARACTERS, KEPT_CHARACTERS = 120_000, 80_000


class LaneText:
    """`top` is the first row in sight of `height`.

    Text that reaches the foot of its column moves up by half the column at once: it stands still while it is read, and
    a line that carries little is spared.
    """

    def __init__(self, prime: str, columns: int, height: int) -> None:
        self.top = 0
        self._prime = prime
        self._written = ""
        self._columns, self._height = max(1, columns), max(1, height)
        self._changed = 0
        self._moved = True
        self._begin()

    @property
    def said(self) -> str:
        """The prime and what was written, as far back as it is kept."""
        return self._prime + self._written

    @property
    def characters(self) -> int:
        """How many of what was written are kept."""
        return len(self._written)

    def __len__(self) -> int:
        return len(self._rows)

    def _begin(self) -> None:
        self._rows: list[tuple[int, str]] = [(0, "")]
        self._prime_ends = 0
        self._feed(self._prime)
        begin, last = self._rows[-1]
        self._prime_ends = begin + len(last)
        self._feed(self._written)
        self.top = 0
        self._follow()
        self._changed, self._moved = 0, True

    def fit(self, columns: int, height: int) -> None:
        """Wraps anew for another width; follows the end."""
        columns, height = max(1, columns), max(1, height)
        if columns != self._columns:
            self._columns, self._height = columns, height
            self._begin()
        elif height != self._height:
            self._height = height
            self._follow(anew=True)
            self._moved = True

    def add(self, piece: str, *, follow: bool = True) -> None:
        """Takes what the lane wrote next; without `follow` what is in sight stays there."""
        if not piece:
            return
        self._written += piece
        if len(self._written) > MOST_CHARACTERS:
            self._written, self._prime = self._written[-KEPT_CHARACTERS:], ""
        self._changed = min(self._changed, len(self._rows) - 1)
        self._feed(piece)
        dropped = len(self._rows) - KEPT_ROWS if len(self._rows) > MOST_ROWS else 0
        if dropped:
            del self._rows[:dropped]
            self.top = max(0, self.top - dropped)
            self._moved = True
        if follow:
            self._follow()

    def _feed(self, text: str) -> None:
        for number, line in enumerate(text.split("\n")):
            begin, last = self._rows[-1]
            if number:
                begin, last = begin + len(last) + 1, ""
                self._rows.append((begin, last))
            whole = last + safe(line, column=width(last))
            starts = breaks(whole, self._columns)
            ends = [*starts[1:], len(whole)]
            self._rows[-1:] = [(begin + at, whole[at:end]) for at, end in zip(starts, ends, strict=True)]

    def _follow(self, *, anew: bool = False) -> None:
        if anew or len(self._rows) - self.top > self._height:
            top = 0 if len(self._rows) <= self._height else len(self._rows) - max(1, self._height // 2)
            self._moved |= top != self.top
            self.top = top

    # ---- what is in sight ------------------------------------------------------------------------------------

    def scroll(self, rows: int) -> bool:
        """Moves what is in sight by so many rows; whether that is not the end."""
        last = max(0, len(self._rows) - self._height)
        top = min(max(0, self.top + rows), max(last, self.top))
        self._moved |= top != self.top
        self.top = top
        return self.top < last

    def follow(self) -> None:
        """The newest is in sight again."""
        self._follow(anew=True)

    def take_changed(self) -> tuple[int, int]:
        """The rows in sight, from the first up to the end, that changed since the last call; (0, 0) for none."""
        first, moved = self._changed, self._moved
        self._changed, self._moved = len(self._rows), False
        if moved:
            return 0, self._height
        begin, end = max(0, first - self.top), min(self._height, len(self._rows) - self.top)
        return (begin, end) if begin < end else (0, 0)

    def row(self, y: int) -> list[tuple[str, Style]]:
        """What stands in the row `y` of those in sight."""
        number = self.top + y
        if not 0 <= number < len(self._rows):
            return []
        begin, text = self._rows[number]
        text = text[: cut(text, self._columns)]
        of_prime = min(max(0, self._prime_ends - begin), len(text))
        pieces = [(text[:of_prime], palette.PRIME), (text[of_prime:], palette.PLAIN)]
        marked = rest_marks(text)
        if marked != text and width(marked) <= self._columns:
            pieces.insert(0, (marked[: len(marked) - len(text)], palette.PLAIN))
        return [(part, style) for part, style in pieces if part]
