"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine.answering.corpus_reading import rate_passages, watch_corpus
from charrnn.engine.answering.reading import read_text, watch_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.questions import reading

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    reading.ReadText: read_text,
    reading.WatchText: watch_text,
    reading.WatchCorpus: watch_corpus,
    reading.RatePassages: rate_passages,
}
