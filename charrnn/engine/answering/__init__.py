"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine.answering.reading import read_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.answering.units import rank_units, unit_of_corpus, unit_of_text, watch_unit
from charrnn.engine.questions import reading
from charrnn.engine.questions.units import RankUnits, UnitOfCorpus, UnitOfText, WatchUnit

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    reading.ReadText: read_text,
    RankUnits: rank_units,
    WatchUnit: watch_unit,
    UnitOfCorpus: unit_of_corpus,
    UnitOfText: unit_of_text,
}
