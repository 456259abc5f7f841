"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine.answering.choice import hold_stream, tell_choice, watch_surprise
from charrnn.engine.answering.copying import tell_copies, watch_copies
from charrnn.engine.answering.corpus_reading import rate_passages, watch_corpus
from charrnn.engine.answering.lanes import close_lanes, list_for_lanes, open_lanes, tune_lanes
from charrnn.engine.answering.reading import read_text, watch_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.answering.travel import travel_run
from charrnn.engine.answering.units import rank_units, unit_of_corpus, unit_of_text, watch_unit
from charrnn.engine.questions import choice, copying, lanes, reading, travel, units

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    reading.ReadText: read_text,
    travel.TravelRun: travel_run,
    copying.WatchCopies: watch_copies,
    copying.TellCopies: tell_copies,
    lanes.OpenLanes: open_lanes,
    lanes.TuneLanes: tune_lanes,
    lanes.CloseLanes: close_lanes,
    lanes.ListCheckpoints: list_for_lanes,
    units.RankUnits: rank_units,
    units.WatchUnit: watch_unit,
    units.UnitOfCorpus: unit_of_corpus,
    units.UnitOfText: unit_of_text,
    reading.WatchText: watch_text,
    reading.WatchCorpus: watch_corpus,
    reading.RatePassages: rate_passages,
    choice.AskChoice: tell_choice,
    choice.HoldStream: hold_stream,
    choice.WatchSurprise: watch_surprise,
}
