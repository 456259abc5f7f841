r"""A prime on one line, which it may not be: a newline is written `\n`, a tab `\t`, a backslash `\\`, and what a
terminal cannot show `\u200d`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from tui.terminal import safe_line

_WRITTEN = {"\n": "\\n", "\t": "\\t", "\\": "\\\\"}
_READ = {"n": "\n", "t": "\t", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:([nt\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")


def escaped(character: str) -> str:
    """A character as it is written, if it is not one of the three above."""
    if safe_line(character) == character:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def written(prime: str) -> str:
    """A prime as it stands in the line."""
    return "".join(_WRITTEN.get(character) or escaped(character) for character in prime)


def read(line: str) -> str:
    """The prime that the line means; a backslash that begins no escape is a backslash."""

    def character(found: re.Match[str]) -> str:
        short, four, eight = found.groups()
        if short:
            return _READ[short]
        code = int(four or eight, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else found.group()

    return _ESCAPE.sub(character, line)


def unknown_in(prime: str, alphabet: Collection[str]) -> str:
    """The characters of `prime` that are not in `alphabet`, each once, spaced, and safe to show."""
    missing = dict.fromkeys(character for character in prime if character not in alphabet)
    return " ".join(written(character) if character.isspace() else safe_line(character) for character in missing)
