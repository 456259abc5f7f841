"""The passages of a text that surprise a model most and least."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from charrnn.insight.reader import AT_ONCE
from charrnn.insight.surprise import by_character, spelled
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Ids, Vocabulary
from charrnn.training.predictions import expected

LENGTH = 80
"""Characters of a passage, about: it ends after a line break or a space where there is one near."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A piece of a text: where it begins among the text's characters, the piece, its mean nats per character."""

    at: int
    text: str
    nats: float


class Passages:
    """Reads a text a piece at a time and cuts it into passages that follow one another, each of some `length`.

    `found` are those so far, in the text's order; `read` is how many characters were read.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        ids: Ids,
        context: Ids | None = None,
        *,
        length: int = LENGTH,
    ) -> None:
        self.found: list[Passage] = []
        self.read = 0
        self._model, self._vocabulary, self._length = model, vocabulary, max(1, length)
        self._before = ids[:0] if context is None else context
        self._ids = ids
        self._text = ""
        self._costs: list[float] = []

    def pieces(self) -> Iterator[None]:
        """Reads; yields after each piece of work."""
        state: State | None = None
        ids = np.concatenate([self._before, self._ids])
        skipped = len(self._before)
        if not skipped and len(ids):  # nothing predicts the first token: it begins no passage
            self.read = len(self._vocabulary.decode(ids[:1]))
        at = 1
        while at < len(ids):
            end = self._vocabulary.border(ids, min(len(ids), at + AT_ONCE)) if at + AT_ONCE < len(ids) else len(ids)
            end = end if end > at else min(len(ids), at + AT_ONCE)
            nats = []
            for part in expected(self._model, ids[at - 1 : end], state=state, top=1):
                nats.append(part.nats)
                state = part.state
            first = max(at, skipped)
            if first < end:
                self._take(ids[first:end], np.concatenate(nats)[first - at :])
            at = end
            yield
        self._cut(whole=True)

    def _take(self, ids: Ids, nats: np.ndarray) -> None:
        tokens = spelled(self._vocabulary, ids)
        self._text += "".join(tokens)
        self._costs += by_character(tokens, nats)[0].tolist()
        self._cut()

    def _cut(self, *, whole: bool = False) -> None:
        """Makes passages of what was read; a shorter one only of what is left at the end, if it is not very short."""
        longest = self._length + self._length // 4
        while len(self._text) >= longest or (whole and len(self._text) > self._length // 2):
            end = _end(self._text, self._length, longest)
            costs = self._costs[:end]
            self.found.append(Passage(self.read, self._text[:end], sum(costs) / len(costs)))
            self.read += end
            self._text, self._costs = self._text[end:], self._costs[end:]
        if whole:
            self.read += len(self._text)
            self._text, self._costs = "", []

    def extremes(self, count: int) -> tuple[list[Passage], list[Passage]]:
        """The `count` most surprising ones, and the least surprising ones, each the most extreme first."""
        order = sorted(self.found, key=lambda passage: passage.nats)
        return order[: -count - 1 : -1], order[:count]


def _end(text: str, length: int, longest: int) -> int:
    """Where a passage of that text ends: after the last line break or else space that is not far before or behind."""
    if len(text) < longest:
        return len(text)
    for border in ("\n", " "):
        end = text.rfind(border, length - length // 4, longest) + 1
        if end:
            return end
    return length


def passages(
    model: LanguageModel, vocabulary: Vocabulary, ids: Ids, context: Ids | None = None, *, length: int = LENGTH
) -> list[Passage]:
    """The passages of ids (tokens,), read after the ids `context`, the most surprising first.

    They are of some `length` characters, end with lines or words where they can, do not overlap, and together are the
    text but for its first token, which nothing predicts, and a very short rest. Each one's `at` counts the text's
    characters. The model is put into evaluation mode and stays there.
    """
    found = Passages(model, vocabulary, ids, context, length=length)
    for _ in found.pieces():
        pass
    return sorted(found.found, key=lambda passage: -passage.nats)
