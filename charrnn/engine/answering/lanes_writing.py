"""What of the lanes is done with torch: in the examiner's thread, a piece at a time."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from charrnn.config import Knobs
from charrnn.engine.examiner import Examined
from charrnn.engine.questions.lanes import LaneOpened, OpenLanes
from charrnn.insight.lanes import InStep, Track
from charrnn.sampling.saved_model import SavedModel

LONGEST_PIECE = 0.1
"""Seconds: others wait for their turn."""
UNKNOWN_TOLD = 8


class Writing:
    """The lanes that are written, each with its place among those that were wished for."""

    def __init__(self, examined: Examined, tracks: Mapping[int, Track], prime: str, wished: int) -> None:
        self._live = examined.network
        self._places = list(tracks)
        self._wished = wished
        self._running = InStep(list(tracks.values()), prime)

    def write(self, examined: Examined, knobs: Sequence[Knobs], wanted: int) -> tuple[int, int, list[str]]:
        """About so many characters of each: the live weights' step, how many there are, the pieces by their wishes."""
        if examined.network is not self._live:  # the trainer was started again
            self._running.replace(self._live, examined.network)
            self._live = examined.network
        self._running.tune([knobs[place] for place in self._places])
        begun, before = time.perf_counter(), self._running.characters
        pieces = [""] * self._wished
        while self._running.characters - before < wanted and time.perf_counter() - begun < LONGEST_PIECE:
            for place, text in zip(self._places, self._running.next(), strict=True):
                pieces[place] += text
        return examined.step, self._running.characters - before, pieces


def begin(
    question: OpenLanes,
    examined: Examined,
    loaded: Mapping[tuple[str, str], SavedModel | str],
    losses: Mapping[tuple[str, str], float | None],
) -> tuple[Writing | None, list[LaneOpened]]:
    """The lanes, nothing of them written yet, and what to tell of each wish. `loaded` has models, or what is wrong."""
    tracks: dict[int, Track] = {}
    told = []
    for place, wish in enumerate(question.lanes):
        kind = (wish.run, wish.checkpoint)
        found = examined if kind == ("", "") else loaded[kind]
        if isinstance(found, str):
            told.append(LaneOpened(problem=found))
            continue
        unknown = "".join(found.vocabulary.unknown(question.prime)[:UNKNOWN_TOLD])
        if isinstance(found, Examined):
            tracks[place] = Track(found.network, found.vocabulary, wish.knobs, wish.seed, live=True)
            told.append(LaneOpened(found.step, None, True, unknown))
        else:
            tracks[place] = Track(found.model, found.vocabulary, wish.knobs, wish.seed)
            told.append(LaneOpened(found.step, losses.get(kind), False, unknown))
    return (Writing(examined, tracks, question.prime, len(question.lanes)) if tracks else None), told
