"""The one place where text becomes safe to show, and where it is measured, cut and wrapped.

A character is judged alone, never by its neighbours. Joined emoji, variation selectors and flags are therefore taken
apart and their invisible members shown: for a model of characters that is what the text consists of, terminals
disagree about the joined widths, and a stream can be made safe piece by piece.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

TAB = 4
FOREIGN = "�"
"""Stands for what has no agreed glyph: C1 controls, lone surrogates, private use, unassigned code points."""
INVISIBLE = "◌"
"""Stands for what shows nothing but acts on its neighbours: bidirectional controls, joiners, selectors, fillers."""
ELLIPSIS = "…"

# Default-ignorable code points that Unicode files under letters and marks instead of "format".
_IGNORABLE = (
    (0x034F, 0x034F),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2028, 0x2029),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFFA0, 0xFFA0),
    (0xE0000, 0xE0FFF),
)
_FLAG_LETTERS = range(0x1F1E6, 0x1F200)
_SKIN_TONES = range(0x1F3FB, 0x1F400)


def _shown(code: int) -> int | str:
    """The glyph for one code point; itself when it is harmless."""
    category = unicodedata.category(chr(code))
    if category == "Cc":
        return chr(0x2400 + code) if code < 0x20 else "␡" if code == 0x7F else FOREIGN
    if category in {"Cs", "Co", "Cn"}:
        return FOREIGN
    if category == "Cf" or any(first <= code <= last for first, last in _IGNORABLE):
        return INVISIBLE
    if code in _FLAG_LETTERS:
        # Half a flag is one cell to Rich and two to most terminals; its squared letter is one to both.
        return chr(code - _FLAG_LETTERS.start + 0x1F130)
    if code in _SKIN_TONES:
        return INVISIBLE
    return code


class _Glyphs(dict[int, int | str]):
    """A table for str.translate that fills itself: a million code points are too many to list at start-up."""

    def __missing__(self, code: int) -> int | str:
        self[code] = glyph = _shown(code)
        return glyph


_LINES = _Glyphs({0x0A: 0x0A, 0x09: 0x09})
_ONE_LINE = _Glyphs()


def safe(text: str, *, column: int = 0) -> str:
    """`text` with everything that a terminal could act on made visible; newlines stay, tabs become spaces.

    `column` is the cell at which the text begins, for its first line's tab stops.
    """
    text = text.translate(_LINES)
    return _expand(text, column) if "\t" in text else text


def _expand(text: str, column: int) -> str:
    done: list[str] = []
    for line in text.split("\n"):
        parts = line.split("\t")
        at = column
        for index, part in enumerate(parts):
            at += cell_len(part)
            if index < len(parts) - 1:
                gap = TAB - at % TAB
                part += " " * gap
                at += gap
            parts[index] = part
        done.append("".join(parts))
        column = 0
    return "\n".join(done)


def safe_line(text: str) -> str:
    """`text` made safe on one line: newlines and tabs are shown as ␊ and ␉ too."""
    return text.translate(_ONE_LINE)


def width(text: str) -> int:
    """How many cells safe text takes, as Textual measures it."""
    return cell_len(text)


@lru_cache(4096)
def _cells(character: str) -> int:
    return get_character_cell_size(character)


def rest_marks(line: str) -> str:
    """`line` with a dotted circle under a combining mark that begins it, or it would change the cell before."""
    return "◌" + line if line and not line[0].isascii() and _cells(line[0]) == 0 else line


def cut(text: str, columns: int) -> int:
    """How many characters of a safe line go into `columns` cells, never parting a mark from its letter."""
    if text.isascii():
        return min(len(text), max(0, columns))
    used = 0
    for index, character in enumerate(text):
        used += _cells(character)
        if used > columns:
            return index
    return len(text)


def fit(text: str, columns: int) -> str:
    """A safe line in at most `columns` cells; what was cut off is an ellipsis."""
    if columns <= 0:
        return ""
    if cell_len(text) <= columns:
        return text
    return text[: cut(text, columns - 1)].rstrip() + ELLIPSIS


def pad(text: str, columns: int) -> str:
    """A safe line in exactly `columns` cells."""
    text = fit(text, columns)
    return text + " " * (columns - cell_len(text))


def breaks(text: str, columns: int, start: int = 0) -> list[int]:
    """Where the rows of one safe line begin when it is wrapped after words, from the row that begins at `start`.

    The first entry is `start` itself. A word longer than a row is cut between characters; spaces that end a row may
    hang over its edge by one.
    """
    columns = max(1, columns)
    rows = [start]
    end = len(text)
    if text.isascii():
        while end - start > columns:
            space = text.rfind(" ", start, start + columns + 1)
            start = space + 1 if space > start else start + columns
            if start >= end:
                break
            rows.append(start)
        return rows
    while start < end:
        piece = text[start : start + columns + 1]
        stop = start + max(1, cut(piece, columns))
        while stop < end and _cells(text[stop]) == 0:
            stop += 1
        if stop >= end:
            break
        space = text.rfind(" ", start, stop + 1)
        if space > start and (space + 1 >= end or _cells(text[space + 1]) > 0):
            stop = space + 1
        if stop >= end:
            break
        rows.append(stop)
        start = stop
    return rows


def wrap(text: str, columns: int) -> list[str]:
    """Safe text as rows of at most `columns` cells, wrapped after words; every newline begins a row.

    A character wider than `columns` is left out.
    """
    rows: list[str] = []
    for line in text.split("\n"):
        line = rest_marks(line)
        starts = breaks(line, columns)
        for begin, end in zip(starts, [*starts[1:], len(line)], strict=True):
            row = line[begin:end]
            rows.append(row if cell_len(row) <= columns else row[: cut(row, columns)])
    return rows
