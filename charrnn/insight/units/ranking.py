"""The units of a model in the order of how much they know of a text that its last character alone does not tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from charrnn.insight.units.naming import KINDS, Unit
from charrnn.insight.units.properties import Property, properties
from charrnn.insight.units.recording import Inside, look_inside
from charrnn.insight.units.scoring import PERCENTILE, Chance, Strata, against_chance, areas, correlation
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Vocabulary

PASSAGES = 20
WARM_UP = 100
"""Characters that a network reads before those that count, so that its state is that of somebody in the middle."""
MOST_NUMBERS = 12_000_000
"""Numbers of one kind that are held at once; of a network with more, less text is read."""
_NUMBERS_A_PIECE = 400_000  # activations that are ranked in one piece: some tenth of a second
_WORK_A_PIECE = 1e9  # multiplications of the reading in one piece


@dataclass(frozen=True, slots=True)
class UnitScore:
    """What one unit tells best.

    `auc` is the chance that its activation is larger where the property that it `tells` holds than where it does not;
    below 0.5 it is the other way round. `among_same` is the same chance among places after the same character, where
    what this character tells by itself is worth nothing; `score` says how far that is beyond chance: from 0, no farther
    than the best unit comes by labels that were moved along the text (their 99th percentile), to 1, perfect.
    `correlation` is the rank correlation with the property's amount (position, depth, width), None where it has none.
    """

    unit: Unit
    tells: str
    auc: float
    among_same: float
    score: float
    correlation: float | None

    @property
    def name(self) -> str:
        """The unit's, such as "c 1·37"."""
        return str(self.unit)


def rank_units(model: LanguageModel, vocabulary: Vocabulary, text: str) -> list[UnitScore]:
    """Every unit of a model with a property that it tells, in turns: the best unit for each property, the second best…

    The properties are those of `charrnn.insight.units.properties`. That the last character was a capital or a digit is
    in the input itself, and almost any unit tells it; and much of the rest is half told by that character, too. So a
    unit's score is its AUC among places after the same character, against chance: real memory comes first, and where
    the character tells all, the score is 0. Units without a score, for any property, come last. 5,000 characters are
    little, 20,000 enough; what the vocabulary lacks is passed over. The model is put into evaluation mode and stays
    there.
    """
    ranking = Ranking(model, vocabulary, passages_of(text))
    for _ in ranking.pieces():
        pass
    return ranking.scores()


def passages_of(text: str) -> list[str]:
    """A text cut into at most PASSAGES passages of as many characters, each but the first with what comes before it."""
    count = max(1, min(PASSAGES, len(text) // (4 * WARM_UP)))
    size = len(text) // count
    return [text[max(0, number * size - WARM_UP) : (number + 1) * size] for number in range(count)]


class Ranking:
    """The work of `rank_units`, in pieces that take a fraction of a second each.

    All passages are read side by side; the first WARM_UP characters of each do not count. `characters` is how many do.
    """

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary, passages: Sequence[str]) -> None:
        self._model = model.eval()
        self._vocabulary = vocabulary
        texts = [known for passage in passages if (known := vocabulary.known(passage))]
        ids = [vocabulary.encode(text).astype(np.int64) for text in texts]
        length = min((len(one) for one in ids), default=0)
        length = min(length, MOST_NUMBERS // max(1, len(ids) * model.config.hidden) + WARM_UP)
        skipped = WARM_UP if length >= 2 * WARM_UP else 0
        self._ids = np.stack([one[:length] for one in ids], 1) if length else np.zeros((0, 0), np.int64)
        self._skipped = skipped
        read = [_last_characters(vocabulary, one[:length]) for one in ids] if length else []
        self.texts = [text[: ends[-1] + 1] for text, ends in zip(texts, read, strict=True)]
        chosen, offset = [], 0
        for text, ends in zip(self.texts, read, strict=True):
            chosen.append(ends[skipped:] + offset)
            offset += len(text)
        places = np.concatenate(chosen or [np.zeros(0, np.int64)])
        self.properties: tuple[Property, ...] = tuple(
            Property(one.name, one.holds[places], None if one.amount is None else one.amount[places])
            for one in properties(self.texts)
        )
        self.characters = len(places)
        self._groups = self._ids[skipped:].T.reshape(-1)
        self._found: list[tuple[Unit, NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]] = []
        self._level = np.zeros((0, len(self.properties)))

    def pieces(self) -> Iterator[float]:
        """Does a piece of the work at each step, and gives the share of it that is done."""
        if not self.characters:
            yield 1.0
            return
        seen = []
        for share, layers in self._read():
            seen = layers
            yield 0.3 * share
        _, groups = np.unique(self._groups, return_inverse=True)
        strata, whole = Strata(groups), Strata(np.zeros(self.characters, np.int64))
        labels = np.stack([one.holds for one in self.properties])
        pairs, all_pairs = strata.pairs(labels), whole.pairs(labels)
        chance = Chance.of(labels, strata)
        levels = []
        hidden = self._model.config.hidden
        width = max(1, _NUMBERS_A_PIECE // self.characters)
        kinds = KINDS[self._model.config.cell]
        parts = -(-hidden // width)
        total, done = len(seen) * len(kinds) * parts, 0
        for layer, inside in enumerate(seen, 1):
            for kind in kinds:
                values = self._flat(inside.kind(kind))
                for first in range(0, hidden, width):
                    some = values[first : first + width]
                    ranks, plain = strata.ranks(some), whole.ranks(some)
                    among, over = areas(ranks, labels, pairs), areas(plain, labels, all_pairs)
                    together = np.stack(
                        [
                            np.zeros(len(some)) if one.amount is None else correlation(plain, one.amount)
                            for one in self.properties
                        ]
                    )
                    levels.append(chance.best(ranks, len(self.properties)))
                    for column in range(len(some)):
                        unit = Unit(kind, layer, first + column + 1)
                        self._found.append((unit, over[:, column], among[:, column], together[:, column]))
                    done += 1
                    yield 0.3 + 0.7 * done / total
        self._level = np.max(levels, axis=0)

    def _read(self) -> Iterator[tuple[float, list[Inside]]]:
        """The passages read side by side, a portion at a time: how much is, and what each layer had inside so far."""
        config = self._model.config
        weights = sum(parameter.numel() for parameter in self._model.layers.parameters())
        portion = max(16, int(_WORK_A_PIECE / (3 * weights * self._ids.shape[1] or 1)))
        ids = torch.from_numpy(self._ids).to(self._model.output.weight.device)
        state: State | None = None
        portions: list[list[Inside]] = [[] for _ in range(config.layers)]
        for first in range(0, len(ids), portion):
            seen, state = look_inside(self._model, ids[first : first + portion], state)
            for kept, inside in zip(portions, seen, strict=True):
                kept.append(inside)
            share = min(1.0, (first + portion) / len(ids))
            yield share, [] if share < 1 else [_joined(kept) for kept in portions]

    def _flat(self, values: torch.Tensor) -> NDArray[np.float32]:
        """(time, batch, hidden) → (hidden, places), passage after passage, without what was read to warm up."""
        kept = values[self._skipped :].float().permute(2, 1, 0)
        found: NDArray[np.float32] = kept.reshape(values.shape[-1], -1).cpu().numpy()
        return found

    def levels(self) -> NDArray[np.float64]:
        """How far from 0.5 the best unit's AUC comes by chance, for each property."""
        if not len(self._level):
            return np.zeros(len(self.properties))
        found: NDArray[np.float64] = np.percentile(self._level, PERCENTILE, axis=0)
        return found

    def scores(self) -> list[UnitScore]:
        """The units in order, after all pieces."""
        return [every[0] for every in in_rounds(self.all_scores())]

    def all_scores(self) -> list[tuple[UnitScore, ...]]:
        """Each unit with all properties, the one that it tells best first; the units in no particular order."""
        level = self.levels()
        made = []
        for unit, over, among, together in self._found:
            gained = against_chance(among, level)
            order = np.lexsort((-np.abs(over - 0.5), -gained))
            made.append(
                tuple(
                    UnitScore(
                        unit,
                        self.properties[at].name,
                        float(over[at]),
                        float(among[at]),
                        float(gained[at]),
                        None if self.properties[at].amount is None else float(together[at]),
                    )
                    for at in order
                )
            )
        return made


def in_rounds(every: Sequence[tuple[UnitScore, ...]]) -> list[tuple[UnitScore, ...]]:
    """The units in the order of their scores, property by property in turns: the best of each, the second best of each…

    Each unit comes once, its property of that turn first. Of a cell that came for a property by one kind already (c is
    high, so h is), the others come later. At last those without a score.
    """
    queues: dict[str, list[tuple[UnitScore, ...]]] = {}
    for name in sorted({score.tells for scores in every for score in scores}):
        told = [_first(scores, name) for scores in every]
        told = sorted((scores for scores in told if scores[0].score > 0), key=_order)
        cells: set[tuple[int, int]] = set()
        first: list[tuple[UnitScore, ...]] = []
        again: list[tuple[UnitScore, ...]] = []
        for scores in told:
            cell = scores[0].unit.layer, scores[0].unit.number
            (again if cell in cells else first).append(scores)
            cells.add(cell)
        queues[name] = [*first, *again][::-1]
    ordered: list[tuple[UnitScore, ...]] = []
    taken: set[Unit] = set()
    while queues:
        turn = []
        for name, queue in list(queues.items()):
            while queue and queue[-1][0].unit in taken:
                queue.pop()
            if queue:
                turn.append(queue.pop())
                taken.add(turn[-1][0].unit)
            else:
                del queues[name]
        ordered += sorted(turn, key=_order)
    return ordered + sorted((scores for scores in every if scores[0].unit not in taken), key=_order)


def _first(scores: tuple[UnitScore, ...], name: str) -> tuple[UnitScore, ...]:
    return tuple(sorted(scores, key=lambda score: score.tells != name))


def _order(scores: tuple[UnitScore, ...]) -> tuple[float, float, Unit]:
    return -round(scores[0].score, 3), -abs(scores[0].auc - 0.5), scores[0].unit


def _joined(portions: Sequence[Inside]) -> Inside:
    first = portions[0]
    if len(portions) == 1:
        return first
    memory = None if first.memory is None else torch.cat([one.memory for one in portions if one.memory is not None])
    inputs, before, states = (
        torch.cat([getattr(one, name) for one in portions]) for name in ("inputs", "before", "states")
    )
    return Inside(first.layer, inputs, before, states, memory)


def _last_characters(vocabulary: Vocabulary, ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each token, which character of the text is the last that was whole with it; the first at least."""
    if vocabulary.one_each:
        return np.arange(len(ids))
    decoder = vocabulary.decoder()
    ends = np.cumsum([len(decoder.feed(token)) for token in ids.tolist()]) - 1
    found: NDArray[np.int64] = np.maximum(ends, 0)
    return found
