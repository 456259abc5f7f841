"""A text read again and again while it is typed: only what follows the first change is read anew."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from charrnn.insight.surprise import Surprise, spelled
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Ids, Vocabulary
from charrnn.training.predictions import expected

BLOCK = 256
"""Tokens between two states that are kept: what is read anew at the most before the first change."""
AT_ONCE = 1024
"""Tokens that are read in one piece of work."""


class Reader:
    """One set of weights and the text that it read last. `step` is the training step that they are from.

    The weights are copied, so that what is read in several pieces is read by the same ones, whoever goes on training.
    """

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary, step: int, *, top: int = 5) -> None:
        self.model = copy.deepcopy(model).eval()
        self.vocabulary, self.step = vocabulary, step
        self.top = min(top, len(vocabulary))
        self._ids: Ids = vocabulary.encode("")
        self._done = 0  # places of those ids whose expectations are known
        self._states: list[State] = []  # after each whole block
        self._hold(0)

    def _hold(self, tokens: int) -> None:
        self._nats, self._entropy = np.full(tokens, np.nan), np.full(tokens, np.nan)
        self._likeliest, self._chances = np.zeros((tokens, self.top), np.int64), np.zeros((tokens, self.top))

    def pieces(self, ids: Ids) -> Iterator[None]:
        """Reads ids (tokens,) from a zero state; yields between pieces of work. Then `seen` is of them.

        What they begin with as the ids before did is not read again, to the last whole block of it.
        """
        same = min(len(ids), len(self._ids))
        differs = np.flatnonzero(ids[:same] != self._ids[:same])
        same = int(differs[0]) if len(differs) else same
        blocks = min(len(self._states), max(0, min(same, self._done) - 1) // BLOCK)
        kept = blocks * BLOCK + 1 if blocks else 0  # places whose expectations stay: all that precedes them is the same
        before = self._nats, self._entropy, self._likeliest, self._chances
        self._hold(len(ids))
        for now, then in zip((self._nats, self._entropy, self._likeliest, self._chances), before, strict=True):
            now[:kept] = then[:kept]
        self._ids, self._states, self._done = ids, self._states[:blocks], kept
        first = blocks * BLOCK
        while first < len(ids) - 1:
            end = min(first + AT_ONCE, len(ids) - 1)
            self._read(first, end)
            first = end
            if first < len(ids) - 1:
                yield

    def _read(self, first: int, end: int) -> None:
        """Reads tokens `first` to `end`, a block at a time, and learns what was expected in the places after each."""
        for at in range(first, end, BLOCK):
            state = self._states[-1] if self._states else None
            stop = min(at + BLOCK, end)
            place = at + 1
            for part in expected(self.model, self._ids[at : stop + 1], state=state, top=self.top):
                places = slice(place, place + len(part.nats))
                self._nats[places], self._entropy[places] = part.nats, part.entropy
                self._likeliest[places], self._chances[places] = part.likeliest, part.chances
                state, place = part.state, places.stop
            assert state is not None
            if stop - at == BLOCK:
                self._states.append(state)
            self._done = place

    @property
    def ids(self) -> Ids:
        """What was read last."""
        return self._ids

    @property
    def seen(self) -> Surprise:
        """What was made of the ids, after all pieces of work."""
        tokens = spelled(self.vocabulary, self._ids)
        return Surprise(tokens, self._nats, self._entropy, self._likeliest, self._chances)

    def read(self, ids: Ids) -> Surprise:
        """All pieces at once."""
        for _ in self.pieces(ids):
            pass
        return self.seen


def placed(text: str, known: str, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """`numbers` of the characters of `known` as numbers of those of `text`: −1 for a character that is left out of it.

    `known` is `text` without some characters, each wherever it stands. Shapes (known,) → (text,).
    """
    if len(text) == len(known):
        return numbers
    kept = set(known)
    found = np.full(len(text), -1, np.int64)
    found[[index for index, character in enumerate(text) if character in kept]] = numbers
    return found
