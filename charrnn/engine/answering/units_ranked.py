"""The ranking of a live model's units over a sample of its corpus. Torch here: import it where a question waits."""

from __future__ import annotations

import copy

import numpy as np

from charrnn.engine.corpus_desk import sendable
from charrnn.engine.examiner import Examined
from charrnn.engine.questions.units import RankedUnit, UnitsRanked
from charrnn.insight.units.following import over_characters, quantised
from charrnn.insight.units.naming import middle_and_scale
from charrnn.insight.units.properties import properties
from charrnn.insight.units.ranking import PASSAGES, WARM_UP, Ranking, in_rounds, passages_of
from charrnn.insight.units.recording import activations
from charrnn.text.corpus import Corpus

READ = 1_000
"""Tokens of each passage that count."""
SHOWN = 100
SHOWN_OF_EACH = 16
"""Units that are told: so many of the list, and so many of the best for each property."""
SAMPLE = 700
"""Characters of the sample that is shown."""
_LINE_WITHIN = 200


class Work:
    """Of a copy of the network: its weights stay as they were in the beginning."""

    def __init__(self, examined: Examined, corpus: Corpus | None) -> None:
        self._network = copy.deepcopy(examined.network)
        self._vocabulary, self._step = examined.vocabulary, examined.step
        self._ranking = Ranking(self._network, self._vocabulary, sample_of(corpus) if corpus is not None else [])
        self._pieces = self._ranking.pieces()

    def next(self) -> float:
        """Does a piece; how much is done, 1.0 once all is."""
        share = next(self._pieces, None)
        return 1.0 if share is None else min(share, 0.99)

    def result(self, number: int) -> UnitsRanked:
        """After all pieces."""
        every = self._ranking.all_scores()
        names = [one.name for one in self._ranking.properties]
        chosen = {str(scores[0].unit): scores for scores in in_rounds(every)[:SHOWN]}
        for name in names:
            told = sorted(every, key=lambda scores: -next(one.score for one in scores if one.tells == name))
            for scores in told[:SHOWN_OF_EACH]:
                chosen.setdefault(str(scores[0].unit), scores)
        context, sample = self._sample()
        seen = activations(self._network, self._vocabulary, sample, context=context)
        columns = {str(unit): column for column, unit in enumerate(seen.units)}
        units = []
        for name, scores in chosen.items():
            values = over_characters(list(seen.tokens), seen.values[:, columns[name]], len(sample))
            middle, scale = middle_and_scale(scores[0].unit, self._network.config)
            if scale is None:
                scale = float(np.percentile(np.abs(values - middle), 99)) if len(values) else 1.0
            by_name = {one.tells: one for one in scores}
            first = scores[0]
            units.append(
                RankedUnit(
                    name,
                    first.tells,
                    first.auc,
                    first.score,
                    first.correlation,
                    [(by_name[one].auc, by_name[one].score) for one in names],
                    quantised(values, middle, scale).tobytes(),
                )
            )
        return UnitsRanked(
            number, 1.0, self._step, self._ranking.characters, len(every), names, units, sendable(sample)
        )

    def _sample(self) -> tuple[str, str]:
        """A passage in which much of what can be told changes, with what comes before it."""
        best, found = -1.0, ("", "")
        for text in self._ranking.texts:
            begins = [at + 1 for at in range(WARM_UP, len(text) - SAMPLE) if text[at] == "\n"][::4]
            for begin in begins or [min(WARM_UP, len(text) // 4)]:
                part = text[begin : begin + SAMPLE]
                shares = [float(one.holds.mean()) if len(part) else 0.0 for one in properties([part])]
                worth = sum(min(0.15, share * (1 - share)) for share in shares)
                if worth > best:
                    best, found = worth, (text[max(0, begin - WARM_UP) : begin], part)
        return found


def sample_of(corpus: Corpus) -> list[str]:
    """Passages from all over the corpus, each from a line's beginning where there is one."""
    tokens, vocabulary = len(corpus.ids), corpus.vocabulary
    length = READ + WARM_UP + _LINE_WITHIN
    if tokens < 2 * PASSAGES * length:
        return passages_of(vocabulary.decode(corpus.ids[: PASSAGES * length]))
    passages = []
    for number in range(PASSAGES):
        first = vocabulary.border(corpus.ids, number * (tokens - length) // (PASSAGES - 1))
        text = vocabulary.decode(corpus.ids[first : first + length])
        line = text.find("\n", 0, _LINE_WITHIN) + 1
        passages.append(text[line : len(text) - _LINE_WITHIN + line])
    return passages
