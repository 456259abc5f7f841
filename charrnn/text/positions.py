"""Tokens counted in characters, and back, for a text of any length. No torch here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary import Ids, Vocabulary

STEP = 1 << 16
"""Tokens between two places whose character is written down: 8 bytes each, so 120 KB for a gigabyte."""


class Positions:
    """Where the tokens of ids (tokens,) stand among the characters that they spell.

    A character that several tokens spell begins at the first of them. Where each token is a character there is nothing
    to count; else all ids are read once, here.
    """

    def __init__(self, ids: Ids, vocabulary: Vocabulary) -> None:
        self._ids, self._vocabulary = ids, vocabulary
        self._before: NDArray[np.int64] | None = None
        if not vocabulary.one_each:
            counts = [vocabulary.characters_in(ids[at : at + STEP]) for at in range(0, len(ids), STEP)]
            self._before = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])

    @property
    def characters(self) -> int:
        """How many there are in all."""
        return len(self._ids) if self._before is None else int(self._before[-1])

    def before(self, token: int) -> int:
        """How many characters begin before that token, 0 … tokens."""
        if self._before is None:
            return token
        part = token // STEP
        return int(self._before[part]) + self._vocabulary.characters_in(self._ids[part * STEP : token])

    def token(self, character: int) -> int:
        """The token in which that character begins; for one past the last, the number of tokens."""
        if self._before is None:
            return min(character, len(self._ids))
        if character >= self.characters:
            return len(self._ids)
        part = int(np.searchsorted(self._before, character, side="right")) - 1
        spelled = self._vocabulary.spelled(self._ids[part * STEP : (part + 1) * STEP])
        ends = np.cumsum(spelled, dtype=np.int64) + self._before[part]
        return part * STEP + int(np.searchsorted(ends, character, side="right"))
