"""How often each token stands in a text of ids, a portion at a time. No torch here."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary import Ids, Vocabulary

PORTION = 1 << 20  # ids


class Counting:
    """Counts the tokens of ids (tokens,); `count_next` is called until it says that all are counted."""

    def __init__(self, ids: Ids, vocabulary: Vocabulary) -> None:
        self._ids, self._vocabulary = ids, vocabulary
        self._at = 0
        self.counts: NDArray[np.int64] = np.zeros(len(vocabulary), dtype=np.int64)
        """How often each id was met so far, shape (tokens of the vocabulary,)."""

    @property
    def share(self) -> float:
        """How much of the text is counted, 0 to 1."""
        return self._at / len(self._ids) if len(self._ids) else 1.0

    def count_next(self) -> bool:
        """Counts another portion; whether there is more."""
        portion = self._ids[self._at : self._at + PORTION]
        self.counts += np.bincount(portion, minlength=len(self.counts))
        self._at += len(portion)
        return self._at < len(self._ids)

    def commonest(self, most: int) -> list[tuple[str, int, int]]:
        """What each of the commonest tokens spells, its id and its count; of those as common, the lowest id first.

        Tokens that were never met come last.
        """
        order = np.argsort(-self.counts, kind="stable")[:most]
        texts = self._vocabulary.texts
        return [(texts[number], int(number), int(self.counts[number])) for number in order]
