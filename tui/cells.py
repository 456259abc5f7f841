"""A row of the screen as cells: what stands in each and how it looks, and which widths every terminal agrees on."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from itertools import compress, count
from operator import ne

from rich.cells import get_character_cell_size
from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style

_TWO_IN_ONE = (0x0E33, 0x0EB3)
"""A vowel before and a mark above in one character (Thai and Lao am): one cell, or none."""


@lru_cache(1024)
def sgr(style: Style | None, colours: ColorSystem | None) -> str:
    """The numbers of a style's escape sequence, without those that mean the terminal's own colours."""
    if style is None or colours is None or not style:
        return ""
    numbers = style.update_link(None).render("x", color_system=colours).partition("x")[0][2:-1].split(";")
    kept: list[str] = []
    rest = iter(numbers)
    for number in rest:
        if number in {"38", "48"}:
            kind = next(rest)
            kept += [number, kind, *(next(rest) for _ in range(3 if kind == "2" else 1))]
        elif number not in {"", "39", "49"}:
            kept.append(number)
    return ";".join(kept)


@lru_cache(1024)
def blank_shows(numbers: str) -> bool:
    """Whether a blank in this style looks other than one without any: background, underline, reverse and the like."""
    rest = iter(numbers.split(";") if numbers else ())
    for number in rest:
        if number == "38":
            for _ in range(3 if next(rest) == "2" else 1):
                next(rest)
        elif number not in {"1", "2", "3"} and not (30 <= int(number) <= 37 or 90 <= int(number) <= 97):
            return True
    return False


@lru_cache(4096)
def _single(text: str) -> bool:
    return all(get_character_cell_size(character) == 1 for character in text)


def agreed(cell: str) -> bool:
    """Whether every terminal gives this cell's text the same width."""
    if len(cell) > 1 or unicodedata.category(cell)[0] == "M":
        return False
    code, size = ord(cell), get_character_cell_size(cell)
    if size == 1:
        return code < 0x2E80 and code not in _TWO_IN_ONE
    return size == 2 and (0x2E80 <= code < 0xA4D0 or 0xAC00 <= code < 0xD7A4 or 0xFF00 <= code < 0xFFE7)


@lru_cache(2048)
def all_agreed(text: str) -> bool:
    """Whether that is so for each of these characters."""
    return all(map(agreed, text))


class Row:
    """The cells of a row: what stands in each ("" in the right half of a wide character) and its style's numbers."""

    __slots__ = ("styles", "texts")

    def __init__(self, texts: list[str], styles: list[str]) -> None:
        self.texts, self.styles = texts, styles

    @classmethod
    def blank(cls, columns: int) -> Row:
        return cls([" "] * columns, [""] * columns)

    def copy(self) -> Row:
        return Row(self.texts.copy(), self.styles.copy())

    def same(self, other: Row) -> bool:
        return self.texts == other.texts and self.styles == other.styles

    def differing(self, other: Row) -> list[int]:
        """The columns that differ from `other`."""
        texts = set(compress(count(), map(ne, self.texts, other.texts)))
        texts.update(compress(count(), map(ne, self.styles, other.styles)))
        return sorted(texts)

    def put(self, x: int, segments: Iterable[Segment], colours: ColorSystem | None) -> None:
        """Writes segments from column `x` on; what goes beyond the row's end is left out."""
        texts: list[str] = []
        styles: list[str] = []
        for text, style, control in segments:
            if control or not text:
                continue
            numbers = sgr(style, colours)
            if text.isascii() or _single(text):
                texts.extend(text)
                styles += [numbers] * len(text)
            else:
                for character in text:
                    size = get_character_cell_size(character)
                    if size:
                        texts += [character, ""][:size]
                        styles += [numbers] * size
                    elif texts:
                        at = -1 if texts[-1] or len(texts) < 2 else -2
                        texts[at] += character
            if numbers and " " in text and not blank_shows(numbers):
                for column in range(len(texts) - 1, len(texts) - 1 - len(text), -1):
                    if texts[column] == " ":
                        styles[column] = ""
        room = len(self.texts) - x
        if len(texts) > room:
            del texts[room:], styles[room:]
        end = x + len(texts)
        self.texts[x:end], self.styles[x:end] = texts, styles
