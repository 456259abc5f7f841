"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine import questions
from charrnn.engine.answering.choice import hold_stream, tell_choice, watch_surprise
from charrnn.engine.answering.copying import tell_copies, watch_copies
from charrnn.engine.answering.corpus_reading import rate_passages, watch_corpus
from charrnn.engine.answering.lanes import close_lanes, list_for_lanes, open_lanes, tune_lanes
from charrnn.engine.answering.reading import read_text, watch_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.answering.travel import travel_run
from charrnn.engine.answering.units import rank_units, unit_of_corpus, unit_of_text, watch_unit

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    questions.reading.ReadText: read_text,
    questions.travel.TravelRun: travel_run,
    questions.copying.WatchCopies: watch_copies,
    questions.copying.TellCopies: tell_copies,
    questions.lanes.OpenLanes: open_lanes,
    questions.lanes.TuneLanes: tune_lanes,
    questions.lanes.CloseLanes: close_lanes,
    questions.lanes.ListCheckpoints: list_for_lanes,
    questions.units.RankUnits: rank_units,
    questions.units.WatchUnit: watch_unit,
    questions.units.UnitOfCorpus: unit_of_corpus,
    questions.units.UnitOfText: unit_of_text,
    questions.reading.WatchText: watch_text,
    questions.reading.WatchCorpus: watch_corpus,
    questions.reading.RatePassages: rate_passages,
    questions.choice.AskChoice: tell_choice,
    questions.choice.HoldStream: hold_stream,
    questions.choice.WatchSurprise: watch_surprise,
}
