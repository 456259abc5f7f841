"""A text of ids in windows of a bounded size, each decoded alone. No torch here.

Which windows there are depends on the text alone, not on where somebody came from. So rows that are wrapped from a
window's beginning are the same on the way up as on the way down. A window begins where a line does; only in lines of
thousands of characters it begins after a space, or anywhere.
"""

from __future__ import annotations

import numpy as np

from charrnn.text.positions import Positions
from charrnn.text.vocabulary import Ids, Vocabulary

PORTION = {"word": 2048}
"""Tokens of a window on average, and half of what it has at the most, by the kind of token."""
PORTION_OF_CHARACTERS = 8192
_SPACE_WITHIN = 256  # tokens


class Windows:
    """The windows of ids (tokens,): each token is in one of them."""

    def __init__(self, ids: Ids, vocabulary: Vocabulary, positions: Positions) -> None:
        self._ids, self._vocabulary, self._positions = ids, vocabulary, positions
        self._portion = PORTION.get(vocabulary.unit, PORTION_OF_CHARACTERS)
        self._portions = -(-len(ids) // self._portion)
        texts = vocabulary.texts
        self._breaks = np.array([text.endswith("\n") for text in texts], dtype=bool)
        self._spaces = np.array([text.endswith(" ") for text in texts], dtype=bool)

    def at(self, character: int) -> tuple[int, str]:
        """The window that holds a character (the nearest one, if there is none such): its first character's place,
        and its text.
        """
        if not len(self._ids):
            return 0, ""
        token = self._positions.token(min(max(0, character), self._positions.characters - 1))
        number = token // self._portion
        if token < self._start(number):
            number -= 1
        elif token >= self._start(number + 1):  # a character across the border of two portions
            number += 1
        start, end = self._start(number), self._start(number + 1)
        return self._positions.before(start), self._vocabulary.decode(self._ids[start:end])

    def _start(self, number: int) -> int:
        """The token at which a window begins: the first line's beginning in its portion of the tokens."""
        if number <= 0:
            return 0
        if number >= self._portions:
            return len(self._ids)
        first = number * self._portion
        before = self._ids[first - 1 : first + self._portion - 1]
        lines = self._breaks[before]
        if lines.any():
            return first + int(lines.argmax())
        spaces = self._spaces[before[:_SPACE_WITHIN]]
        return first + int(spaces.argmax()) if spaces.any() else self._vocabulary.border(self._ids, first)
