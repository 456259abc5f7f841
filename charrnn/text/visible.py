"""Every character that a terminal could act on as a glyph that only shows. No torch here.

What reaches a terminal from the workbench passes `tui.terminal`, which also measures and wraps; what the `charrnn`
command prints on one passes `visible`. A character is judged alone, never by its neighbours.
"""

from __future__ import annotations

import unicodedata
from typing import TextIO

FOREIGN = "�"
"""Stands for what has no agreed glyph: C1 controls, lone surrogates, private use, unassigned code points."""
INVISIBLE = "◌"
"""Stands for what shows nothing but acts on its neighbours: bidirectional controls, joiners, selectors, fillers."""

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


def visible(text: str) -> str:
    """`text` with every control, format, private and unassigned character as a glyph; newlines and tabs stay."""
    return text.translate(_LINES)


def visible_line(text: str) -> str:
    """The same on one line: newlines and tabs are shown as ␊ and ␉ too."""
    return text.translate(_ONE_LINE)


def for_reader(text: str, out: TextIO) -> str:
    """`text` as it may be written to `out`: made visible where that is a terminal, as it is where it is a file."""
    return visible(text) if out.isatty() else text
