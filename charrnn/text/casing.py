"""What counts as the same letter when a text is searched. No torch here, and no numpy."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(4096)
def _folded(character: str) -> str:
    lower = character.lower()
    return lower if len(lower) == 1 else character


def fold(text: str) -> str:
    """The text in small letters, character by character: it stays as long as it was."""
    return text.lower() if text.isascii() else "".join(map(_folded, text))


def minds_case(wanted: str) -> bool:
    """Whether capitals count in a search for this: they do once one is typed."""
    return fold(wanted) != wanted


def variants(character: str) -> set[str]:
    """All that folds to the same letter, as far as it is one character."""
    forms = {character, character.lower(), character.upper(), character.title(), fold(character).upper()}
    return {form for form in forms if len(form) == 1 and fold(form) == fold(character)}
