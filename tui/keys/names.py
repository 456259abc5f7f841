"""What keys are called: by a person ("+", "esc", "ctrl+x") and by Textual ("plus", "escape", "ctrl+x")."""

from __future__ import annotations

import string
import unicodedata

_SHORT = {
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "low_line": "underscore",
}
_CALLED = {"escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "up": "↑", "down": "↓", "left": "←", "right": "→"}
_FUNCTIONS = frozenset(f"f{number}" for number in range(1, 25))
_NAMED = frozenset(
    ("space", "enter", "tab", "escape", "backspace", "insert", "delete", "home", "end", *_CALLED),
)
_MODIFIERS = ("ctrl+", "alt+", "shift+")


def _of_character(character: str) -> str:
    if character.isalnum():
        return character
    if character == " ":
        return "space"
    name = unicodedata.name(character, "").lower().replace("-", "_").replace(" ", "_")
    return _SHORT.get(name, name)


_CHARACTERS = {_of_character(character): character for character in string.punctuation}


def named(key: str) -> str | None:
    """Textual's name of the key that a person calls `key`, None if there is no such key."""
    modifiers = ""
    base = key.strip() or key
    while True:
        modifier = next((one for one in _MODIFIERS if base.lower().startswith(one) and len(base) > len(one)), None)
        if modifier is None:
            break
        modifiers, base = modifiers + modifier, base[len(modifier) :]
    if len(base) == 1:
        # Marks that join what stands before them are no keys that could be shown.
        name = _of_character(base) if base == " " or unicodedata.category(base)[0] in "LNPS" else ""
        return modifiers + name if name else None
    base = base.lower()
    base = next((name for name, called in _CALLED.items() if called == base), base)
    known = base in _NAMED or base in _FUNCTIONS or base in _CHARACTERS
    return modifiers + base if known else None


def called(name: str) -> str:
    """How a person calls the key of Textual's `name`, a character of ASCII by itself."""
    *modifiers, base = name.split("+")
    return "+".join([*modifiers, _CHARACTERS.get(base, _CALLED.get(base, base))])


def types(name: str) -> bool:
    """Whether the key of Textual's `name` types a character, where there is a line to type into."""
    return name not in (_NAMED - {"space"}) | _FUNCTIONS and not name.startswith(_MODIFIERS[:2])
