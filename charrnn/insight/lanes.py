"""One prime, several streams side by side and in step: other temperatures, seeds, checkpoints, or runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from charrnn.config import Knobs, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.many import ManyStreams
from charrnn.sampling.saved_model import SavedModel
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Vocabulary

Each = TypeVar("Each")


@dataclass(frozen=True, slots=True)
class Lane:
    """What one stream wrote: `text` follows the prime, `step` is the training step of the weights that wrote it."""

    name: str
    knobs: Knobs
    seed: int
    step: int
    text: str


@dataclass(frozen=True, slots=True)
class Track:
    """What writes a lane: a network (it is put into evaluation mode), the tokens that it knows, knobs, a seed.

    `live`: another network may take this one's place (`InStep.replace`).
    """

    model: LanguageModel
    vocabulary: Vocabulary
    knobs: Knobs
    seed: int
    live: bool = False


class _Lone:
    """The lane of a network that has no other: a single stream is several times as fast as a batch of one."""

    def __init__(self, track: Track, prime: str) -> None:
        self._stream = TextStream(track.model, track.vocabulary, prime=prime, seed=track.seed, knobs=track.knobs)

    def tune(self, knobs: Sequence[Knobs]) -> None:
        (self._stream.knobs,) = knobs

    def replace(self, model: LanguageModel, other: LanguageModel) -> None:
        """Nothing: it is not live."""

    def next(self, rows: Sequence[int]) -> list[str]:
        return [self._stream.next() for _ in rows]


class _Batch:
    """Lanes of one network."""

    def __init__(self, tracks: Sequence[Track], prime: str) -> None:
        self._streams = ManyStreams(
            tracks[0].model,
            tracks[0].vocabulary,
            prime=prime,
            seeds=[track.seed for track in tracks],
            knobs=[track.knobs for track in tracks],
        )

    def tune(self, knobs: Sequence[Knobs]) -> None:
        self._streams.knobs = knobs

    def replace(self, model: LanguageModel, other: LanguageModel) -> None:
        if self._streams.model is model:
            self._streams.model = other.eval()

    def next(self, rows: Sequence[int]) -> list[str]:
        return self._streams.next(rows)


class InStep:
    """Lanes that follow one prime and keep in step by characters, however many of these a token of theirs spells.

    Those of the same network are one batch, so that one forward pass makes the next token of each. Lane i is what
    `TextStream` writes with its model, knobs and seed, as far as `ManyStreams` promises it. The weights of a network
    may be overwritten in place between two calls of `next`.
    """

    def __init__(self, tracks: Sequence[Track], prime: str) -> None:
        """Nothing is computed before the first `next`. What a vocabulary lacks is left out of its lanes' prime."""
        self._tracks = list(tracks)
        self._made = [0] * len(self._tracks)
        alike: dict[int, list[int]] = {}
        for place, track in enumerate(self._tracks):
            alike.setdefault(id(track.model), []).append(place)
        self._batches: list[tuple[list[int], _Lone | _Batch]] = []
        for places in alike.values():
            together = [self._tracks[place] for place in places]
            lone = len(together) == 1 and not together[0].live
            self._batches.append((places, _Lone(together[0], prime) if lone else _Batch(together, prime)))

    @property
    def characters(self) -> int:
        """How many characters every lane has written at least."""
        return min(self._made, default=0)

    @property
    def batches(self) -> int:
        """How many forward passes the next token of all lanes takes."""
        return len(self._batches)

    def tune(self, knobs: Sequence[Knobs]) -> None:
        """The knobs of each lane from its very next character on."""
        for places, streams in self._batches:
            streams.tune([knobs[place] for place in places])

    def replace(self, model: LanguageModel, other: LanguageModel) -> None:
        """The live lanes of a network go on with another of the same shape, from the state that they have."""
        for _, streams in self._batches:
            streams.replace(model, other)

    def next(self) -> list[str]:
        """What each lane's next token spells, for those that have written the fewest characters; "" for the others.

        The first call reads the prime.
        """
        said = [""] * len(self._tracks)
        least = self.characters
        for places, streams in self._batches:
            rows = [row for row, place in enumerate(places) if self._made[place] == least]
            if not rows:
                continue
            for row, text in zip(rows, streams.next(rows), strict=True):
                said[places[row]] = text
                self._made[places[row]] += len(text)
        return said


def lanes(
    models: SavedModel | Sequence[SavedModel],
    *,
    prime: str,
    knobs: Knobs | Sequence[Knobs] | None = None,
    seeds: int | Sequence[int] = 1,
    length: int = 200,
) -> list[Lane]:
    """`length` characters of each of several streams that follow the same prime.

    Each of `models`, `knobs` and `seeds` is one for all lanes, or a sequence with one for each. Lanes with the same
    model are made in one forward pass. A lane's name says what tells it from the others. Raises UsageError where the
    sequences are not equally long.
    """
    given = [one for one in (models, knobs, seeds) if isinstance(one, Sequence)]
    count = len(given[0]) if given else 1
    if any(len(one) != count for one in given):
        raise UsageError("Give as many models, knobs and seeds as there are lanes, or one for all of them.")
    of_models = _each(models, count)
    of_knobs = _each(Knobs() if knobs is None else knobs, count)
    of_seeds = _each(seeds, count)
    given_to = zip(of_models, of_knobs, of_seeds, strict=True)
    running = InStep([Track(saved.model, saved.vocabulary, one, seed) for saved, one, seed in given_to], prime)
    texts = [""] * count
    while count and min(map(len, texts)) < length:
        texts = [text + more for text, more in zip(texts, running.next(), strict=True)]
    names = _names(of_models, of_knobs, of_seeds)
    return [
        Lane(name, one, seed, saved.step, text[:length])
        for name, one, seed, saved, text in zip(names, of_knobs, of_seeds, of_models, texts, strict=True)
    ]


def _each(given: Each | Sequence[Each], count: int) -> list[Each]:
    return list(given) if isinstance(given, Sequence) else [given] * count


def _names(models: Sequence[SavedModel], knobs: Sequence[Knobs], seeds: Sequence[int]) -> list[str]:
    """What differs, with the knobs where nothing does."""
    parts: list[list[str]] = [[] for _ in models]
    told = (
        [one.in_brief for one in knobs],
        [saved.config.corpus.name for saved in models],
        [f"step {saved.step:,}" for saved in models],
        [f"seed {seed}" for seed in seeds],
    )
    for number, words in enumerate(told):
        if len(set(words)) > 1 or (not number and len({*map(tuple, zip(*told, strict=True))}) == 1):
            for part, word in zip(parts, words, strict=True):
                part.append(word)
    return [" · ".join(part) for part in parts]
