"""The last frame that the terminal was sent, cell by cell, and the fewest bytes that turn it into the next one.

Textual sends every row that it draws whole. Here rows are compared with what stands on the screen: only cells that
differ are sent, rows that moved are scrolled by the terminal itself (DECSTBM), long blanks are erased (ECH), and the
cursor and the scrolling region stay where they were last, so that text which grows costs little more than its
characters.

After a character of whose width terminals have different opinions the cursor is set anew, so that columns stay straight
whatever the terminal believes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich.color import ColorSystem
from rich.segment import Segment

from tui.cells import Row, agreed, all_agreed, blank_shows
from tui.terminal import safe_line

Span = tuple[int, int, Iterable[Segment]]
"""The row, the column at which it begins, and what stands there."""

FAR = 4
"""Unchanged cells that cost no more to send again than to jump over."""
ERASE = 10
"""Blanks that are cheaper erased than sent."""
SCROLL = 40
"""Cells that scrolling must spare to be worth its own bytes."""
FURTHEST = 4
"""Rows that a block may have moved by to be scrolled."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """Neighbouring cells of a row in one style; `blank`: blanks that look like nothing, `erased`: cheaper so."""

    begin: int
    end: int
    style: str
    blank: bool = False
    erased: bool = False


def _pieces(begin: int, end: int, row: Row) -> list[_Piece]:
    texts, styles = row.texts, row.styles
    found: list[_Piece] = []
    while begin < end:
        style, stop = styles[begin], begin + 1
        if texts[begin] == " " and not style:
            while stop < end and texts[stop] == " " and not styles[stop]:
                stop += 1
            erased = stop - begin > (ERASE if stop < end else ERASE // 2)
            found.append(_Piece(begin, stop, "", True, erased))
        else:
            while stop < end and styles[stop] == style and not (texts[stop] == " " and not style):
                stop += 1
            found.append(_Piece(begin, stop, style))
        begin = stop
    return found


class Frame:
    """What stands on the terminal. `forget` when something else may have written there, or its size has changed."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._columns = 0
        self._known = False
        self._at: tuple[int, int] | None = None
        self._style: str | None = None
        self._region: tuple[int, int] | None = None
        self._out: list[str] = []

    @property
    def known(self) -> bool:
        return self._known

    def forget(self) -> None:
        self._known = False

    def update(
        self, size: tuple[int, int], spans: Iterable[Span], colours: ColorSystem | None, cursor: tuple[int, int] | None
    ) -> str:
        """The bytes, as text, that put `spans` on a screen of `size` (columns, rows) and leave the cursor at `cursor`.

        A frame of another size, or one that was forgotten, begins with a cleared screen.
        """
        columns, height = size
        self._out = []
        if not self._known or (self._columns, len(self._rows)) != size:
            self._columns, self._rows = columns, [Row.blank(columns) for _ in range(height)]
            self._known, self._at, self._style, self._region = True, None, "", None
            self._out.append("\x1b[r\x1b[m\x1b[2J")
        new: dict[int, Row] = {}
        for y, x, segments in spans:
            if 0 <= y < height and 0 <= x < columns:
                row = new.get(y)
                if row is None:
                    row = new[y] = self._rows[y].copy()
                row.put(x, segments, colours)
        changed = sorted(y for y, row in new.items() if not row.same(self._rows[y]))
        if len(changed) > 2:
            self._scroll(changed, new)
        for y in changed:
            self._send(y, new[y])
        if cursor is not None:
            self._move(*cursor)
        return "".join(self._out)

    # ---- rows that moved -------------------------------------------------------------------------------------

    def _scroll(self, changed: list[int], new: dict[int, Row]) -> None:
        """Lets the terminal move a block of rows where that spares more than it costs.

        Rather the region that is set than a smaller one in it, which would have to be set.
        """
        top, end = changed[0], changed[-1] + 1
        there = self._region
        if there is None or not (there[0] <= top and end <= there[1]) or not self._scrolled(*there, changed, new):
            self._scrolled(top, end, changed, new)

    def _scrolled(self, top: int, end: int, changed: list[int], new: dict[int, Row]) -> bool:
        """Whether moving the rows from `top` up to `end` was worth it, and was done."""
        rows = [new.get(y, self._rows[y]) for y in range(top, end)]
        before = [len(row.differing(self._rows[y])) for y, row in enumerate(rows, top)]
        best, spared = 0, SCROLL
        for by in (*range(1, FURTHEST), *range(-1, -FURTHEST, -1)):
            if abs(by) >= len(rows):
                continue
            after = 0
            for y, row in enumerate(rows, top):
                if top <= y + by < end:
                    after += len(row.differing(self._rows[y + by]))
                else:
                    after += sum(text != " " for text in row.texts)
                if sum(before) - after < spared:
                    break
            if sum(before) - after > spared:
                best, spared = by, sum(before) - after
        if not best:
            return False
        self._paint("")
        if self._region != (top, end):
            self._out.append(f"\x1b[{top + 1};{end}r")
            self._region, self._at = (top, end), None  # it sets the cursor home, on most terminals
        edge = end - 1 if best > 0 else top
        if self._at is None or self._at[1] != edge:
            self._out.append(f"\x1b[{edge + 1};1H")
        self._out.append("\r" + ("\n" * best if best > 0 else "\x1bM" * -best))
        self._at = 0, edge
        blank = [Row.blank(self._columns) for _ in range(abs(best))]
        block = self._rows[top:end]
        self._rows[top:end] = block[best:] + blank if best > 0 else blank + block[:best]
        for y in range(top, end):
            if y not in new and not rows[y - top].same(self._rows[y]):
                new[y] = rows[y - top]
        changed[:] = [y for y in range(top, end) if y in new and not new[y].same(self._rows[y])]
        return True

    # ---- cells that changed ----------------------------------------------------------------------------------

    def _send(self, y: int, row: Row) -> None:
        old, self._rows[y] = self._rows[y], row
        texts = row.texts
        columns = row.differing(old)
        pieces: list[_Piece] = []
        at = 0
        while at < len(columns):
            begin = end = columns[at]
            while begin and not texts[begin]:
                begin -= 1
            while at < len(columns) and columns[at] - end <= FAR:
                end = columns[at] + 1
                at += 1
            while end < len(texts) and not texts[end]:
                end += 1
            pieces += _pieces(begin, end, row)
        # The two sides of a frame are drawn with one change of colour; text, which may grow, comes last.
        if len(pieces) > 2 and pieces[0].style == pieces[-1].style != "" and pieces[-1].begin > pieces[-2].end + FAR:
            pieces.insert(1, pieces.pop())
        for piece in pieces:
            self._send_piece(y, piece, texts)

    def _send_piece(self, y: int, piece: _Piece, texts: list[str]) -> None:
        if not piece.blank:
            self._paint(piece.style)
        elif self._style is None or blank_shows(self._style):
            self._paint("")
        if piece.blank and piece.erased:
            self._move(piece.begin, y)
            self._out.append(f"\x1b[{piece.end - piece.begin}X")
        else:
            self._write(piece.begin, y, texts[piece.begin : piece.end])

    def _write(self, x: int, y: int, cells: list[str]) -> None:
        """Writes cells of one style; after one whose width is not agreed on the cursor is set anew."""
        text = "".join(cells)
        self._move(x, y)
        if text.isascii() or all_agreed(text):
            self._out.append(_gate(text))
            end = x + len(cells)
            self._at = (end, y) if end < self._columns else None
            return
        for number, cell in enumerate(cells):
            if not cell:
                continue
            self._move(x + number, y)
            wide = number + 1 < len(cells) and not cells[number + 1]
            trusted = agreed(cell)
            if wide and not trusted:
                self._out.append("  ")  # a terminal that takes it for narrow would leave its right half as it was
                self._at = None
                self._move(x + number, y)
            self._out.append(_gate(cell))
            end = x + number + 1 + wide
            self._at = (end, y) if trusted and end < self._columns else None

    def _move(self, x: int, y: int) -> None:
        if self._at == (x, y):
            return
        if self._at is not None and self._at[1] == y and x > self._at[0]:
            by = x - self._at[0]
            over = "".join(self._rows[y].texts[self._at[0] : x]) if by < FAR and self._at_home(y, x) else ""
            self._out.append(over or ("\x1b[C" if by == 1 else f"\x1b[{by}C"))
        elif self._at is not None and self._at[1] == y:
            self._out.append(f"\r\x1b[{x}C" if x else "\r")
        else:
            self._out.append(f"\x1b[{y + 1};{x + 1}H")
        self._at = x, y

    def _at_home(self, y: int, x: int) -> bool:
        """Whether the cells from the cursor to column `x` can be sent again in the style that is on."""
        assert self._at is not None
        row = self._rows[y]
        for column in range(self._at[0], x):
            text, style = row.texts[column], row.styles[column]
            if not text or not text.isascii():
                return False
            if style != self._style and (text != " " or style or blank_shows(self._style or "")):
                return False
        return True

    def _paint(self, style: str) -> None:
        if style == self._style:
            return
        if not style:
            self._out.append("\x1b[m")
        else:
            self._out.append(f"\x1b[{style}m" if not self._style else f"\x1b[0;{style}m")
        self._style = style


def _gate(text: str) -> str:
    """The last door: what is no glyph does not pass, whoever wrote it."""
    return text if text.isprintable() else safe_line(text)
