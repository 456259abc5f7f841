"""How often each token stands in a text of ids, a portion at a time, and kept for the next time. No torch here."""

from __future__ import annotations

import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from charrnn.config import UsageError
from charrnn.text import cache
from charrnn.text.vocabulary import Ids, Vocabulary

FORMAT = 1
WORTH_KEEPING = 1 << 24
"""Tokens from which on counts are kept in the cache; fewer are counted in a moment."""
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

    def recall(self, sha256: str) -> bool:
        """Takes the counts of a text with that digest from the cache, if it has them."""
        if len(self._ids) < WORTH_KEEPING:
            return False
        with contextlib.suppress(UsageError, OSError, ValueError, TypeError, OverflowError):
            kept = (cache.read_json(self._place(sha256)) or {}).get("counts")
            counts = np.array(kept, dtype=np.int64)
            if counts.shape == self.counts.shape and counts.min() >= 0 and int(counts.sum()) == len(self._ids):
                self.counts, self._at = counts, len(self._ids)
                return True
        return False

    def keep(self, sha256: str) -> None:
        """Keeps the counts of the whole text; a cache that takes none is done without."""
        if len(self._ids) >= WORTH_KEEPING:
            with contextlib.suppress(UsageError, OSError):
                cache.write_json(self._place(sha256), {"counts": self.counts.tolist()})

    def _place(self, sha256: str) -> Path:
        what = json.dumps([FORMAT, sha256, len(self._ids), self._vocabulary.facts()], sort_keys=True)
        return cache.part(cache.cache_folder(), "counts") / f"{hashlib.sha256(what.encode()).hexdigest()}.json"

    def commonest(self, most: int) -> list[tuple[str, int, int]]:
        """What each of the commonest tokens spells, its id and its count; of those as common, the lowest id first.

        Tokens that were never met come last.
        """
        order = np.argsort(-self.counts, kind="stable")[:most]
        texts = self._vocabulary.texts
        return [(texts[number], int(number), int(self.counts[number])) for number in order]
