"""Simple properties of every place of a text: what a hidden unit may have found out about it. No torch here.

A place is after its character was read, as a recurrent network's state is: an opening quote is inside its quotes
already, a closing one is no longer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

QUOTES, BRACKETS, POSITION = "inside quotes", "inside brackets", "position in line"
WORD_START, CAPITAL, DIGIT, INDENTATION = "word start", "capital", "digit", "indentation"
NAMES = (QUOTES, BRACKETS, POSITION, WORD_START, CAPITAL, DIGIT, INDENTATION)

_PREFIXES = frozenset("rbfuRBFU")
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Property:
    """One property of all places of a text: `holds` (characters,) bool; `amount` (characters,) float64 is what can be
    counted of it, in characters or brackets, None where there is nothing to count.
    """

    name: str
    holds: NDArray[np.bool_]
    amount: NDArray[np.float64] | None = None


def properties(passages: Sequence[str]) -> tuple[Property, ...]:
    """The properties in the order of NAMES, of texts that follow one another but are each read by themselves.

    Inside quotes: from a double quote, straight or typographic, to its end, or the end of the line where it has none;
    from a single one, too, if it is no apostrophe and has its end in the line. Inside brackets: of any kind and depth,
    given up at an empty line. Position in line: beyond the median of all places. Indentation: among the blanks before
    a line's first other character. Word start: a letter or digit after something else.
    """
    quotes = np.concatenate([inside_quotes(text) for text in passages] or [np.zeros(0, bool)])
    depth, position, blanks = (
        np.concatenate([measure(text) for text in passages] or [np.zeros(0)])
        for measure in (bracket_depth, line_position, indentation)
    )
    starts = [one for text in passages for one in _word_starts(text)]
    text = "".join(passages)
    middle = float(np.median(position)) if len(position) else 0.0

    def of(flags: list[bool]) -> NDArray[np.bool_]:
        return np.array(flags, dtype=bool)

    return (
        Property(QUOTES, quotes),
        Property(BRACKETS, depth > 0, depth),
        Property(POSITION, position > middle, position),
        Property(WORD_START, of(starts)),
        Property(CAPITAL, of([character.isupper() for character in text])),
        Property(DIGIT, of([character.isdigit() for character in text])),
        Property(INDENTATION, blanks > 0, blanks),
    )


def inside_quotes(text: str) -> NDArray[np.bool_]:
    """Of each character, whether quotes are open after it. A backslash in them takes what follows for no quote."""
    inside = np.zeros(len(text), dtype=bool)
    closing = ""
    at = 0
    while at < len(text):
        character, size = text[at], 1
        if character == "\n":
            closing = ""
        elif closing:
            if character == "\\" and closing != "”" and text[at + 1 : at + 2] not in ("", "\n"):
                size = 2
            elif text.startswith(closing, at):
                size = len(closing)
                inside[at : at + size - 1] = True
                closing = ""
                at += size
                continue
        elif character in "\"'“":
            triple = character * 3
            if character != "“" and text.startswith(triple, at):
                closing, size = triple, 3
            elif character == "“":
                closing = "”"
            elif character == '"' or _opens(text, at):
                closing = character
        inside[at : at + size] = bool(closing)
        at += size
    return inside


def _opens(text: str, at: int) -> bool:
    """Whether a single quote opens a string: not an apostrophe, nor one that stands before a word for a letter."""
    before = text[at - 1 : at] if at else ""
    if before in _PREFIXES and before:
        before = text[at - 2 : at - 1] if at > 1 else ""
    if before.isalnum() or before == "_":
        return False
    end = at + 1
    while end < len(text) and text[end] != "\n":
        if text[end] == "\\":
            end += 1
        elif text[end] == "'" and not text[end + 1 : end + 2].isalnum():
            return True
        end += 1
    return False


def bracket_depth(text: str) -> NDArray[np.float64]:
    """How many brackets are open after each character."""
    depths = np.zeros(len(text))
    depth, before = 0, ""
    for at, character in enumerate(text):
        if character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth = max(0, depth - 1)
        elif character == "\n" and before == "\n":
            depth = 0
        depths[at] = depth
        before = character
    return depths


def line_position(text: str) -> NDArray[np.float64]:
    """How many characters of its line were read with each character; 0 for a line break."""
    places = np.arange(1, len(text) + 1, dtype=np.float64)
    breaks = np.where(np.array([character == "\n" for character in text], dtype=bool), places, 0.0)
    return places - np.maximum.accumulate(breaks) if len(text) else places


def indentation(text: str) -> NDArray[np.float64]:
    """How many blanks stand before each place, where nothing but blanks stands before it in its line; else 0."""
    widths = np.zeros(len(text))
    width, leading = 0, True
    for at, character in enumerate(text):
        if character == "\n":
            width, leading = 0, True
        elif leading and character in " \t":
            width += 1
            widths[at] = width
        else:
            leading = False
    return widths


def _word_starts(text: str) -> list[bool]:
    return [
        character.isalnum() and not (at and (text[at - 1].isalnum() or text[at - 1] == "'"))
        for at, character in enumerate(text)
    ]
