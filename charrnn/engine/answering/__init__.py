"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine.answering.choice import hold_stream, tell_choice, watch_surprise
from charrnn.engine.answering.reading import read_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.questions import choice, reading

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    reading.ReadText: read_text,
    choice.AskChoice: tell_choice,
    choice.HoldStream: hold_stream,
    choice.WatchSurprise: watch_surprise,
}
