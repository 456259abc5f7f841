"""What stands in for the characters that a terminal cannot show, cell for cell.

`stand_ins` is for ASCII mode and for locales that are not UTF-8. Frames, bars and marks have a look-alike each; of
any other text, what the terminal's character set has is left as it is, and the rest is a question mark.
"""

from __future__ import annotations

from functools import lru_cache

from rich.cells import get_character_cell_size

UTF_8 = "utf-8"
_BRAILLE = range(0x2800, 0x2900)
_UPPER, _LOWER = 0b00011011, 0b11100100
"""The dots of a braille cell's two upper and two lower rows."""

_LOOK_ALIKES = {
    **dict.fromkeys("─━┄┅┈┉╌╍═╴╶╸╺╼╾", "-"),
    **dict.fromkeys("│┃┆┇┊┋╎╏║╵╷╹╻▏▎▍▌▕┤├┨┠", "|"),
    **dict.fromkeys("╭╮╰╯┌┐└┘┏┓┗┛╔╗╚╝┬┴┼┳┻╋╞╡╪", "+"),
    **dict(zip("▁▂▃▄▅▆▇█", "_.-=+*%#", strict=True)),
    **dict.fromkeys("▀■▪▬▰▉▊▋▐", "#"),
    **dict.fromkeys("░▱□▫", "."),
    **dict.fromkeys("▒▓", ":"),
    **dict.fromkeys("●◉◆★▶▸►", "*"),
    **dict.fromkeys("○◇☆", "o"),
    **dict.fromkeys("◌⠀", "."),
    **dict.fromkeys("✗✘✕", "x"),
    **dict.fromkeys("✓✔", "v"),
    **dict.fromkeys("·•∙‧", "."),
    **dict.fromkeys("…", "."),
    **dict.fromkeys("–—−‐‑‒―", "-"),
    **dict.fromkeys("‘’‚‛′", "'"),
    **dict.fromkeys("“”„‟″", '"'),
    **dict.fromkeys("⟨‹〈«", "<"),
    **dict.fromkeys("⟩›〉»", ">"),
    **dict(zip("↑↓←→↵⏎␣×÷", "^v<>$$_x/", strict=True)),
    "\u00a0": " ",
}


def _dots(character: str) -> str:
    dots = ord(character) - _BRAILLE.start
    if not dots:
        return " "
    return ":" if dots & _UPPER and dots & _LOWER else "'" if dots & _UPPER else "."


@lru_cache(8192)
def stand_in(character: str, charset: str, strong: bool) -> str:
    """What is shown for one character outside ASCII, in as many cells.

    `charset` is a single-byte character set by Python's name; of braille dots, `strong` ones are stars, so that two
    curves differ without colour.
    """
    if ord(character) in _BRAILLE and ord(character) != _BRAILLE.start:
        return "*" if strong else _dots(character)
    try:
        if charset != "ascii" and character.encode(charset) and character.isprintable():
            return character
    except UnicodeEncodeError:
        pass
    if 0x2400 <= ord(character) <= 0x241F:
        return "^"  # the picture of a control character
    return _LOOK_ALIKES.get(character) or "?" * get_character_cell_size(character)


def stand_ins(text: str, charset: str, *, strong: bool = False) -> str:
    """Safe text with nothing in it that `charset` ("ascii", "iso8859-1", …) does not have; as wide as before."""
    if text.isascii():
        return text
    return "".join(one if one.isascii() else stand_in(one, charset, strong) for one in text)
