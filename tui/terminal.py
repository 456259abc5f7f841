"""The one place where text becomes safe to show, and where it is measured, cut and wrapped.

A character is judged alone, never by its neighbours. Joined emoji, variation selectors and flags are therefore taken
apart and their invisible members shown: for a model of characters that is what the text consists of, terminals
disagree about the joined widths, and a stream can be made safe piece by piece.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from charrnn.text.visible import FOREIGN, INVISIBLE, visible, visible_line

__all__ = ["FOREIGN", "INVISIBLE", "breaks", "cut", "fit", "pad", "rest_marks", "safe", "safe_line", "width", "wrap"]

TAB = 4
ELLIPSIS = "…"


def safe(text: str, *, column: int = 0) -> str:
    """`text` with everything that a terminal could act on made visible; newlines stay, tabs become spaces.

    `column` is the cell at which the text begins, for its first line's tab stops.
    """
    text = visible(text)
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
    return visible_line(text)


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
    """A safe line in at most `columns` cells; what was cut off is an ellipsis. In no cells, nothing."""
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
