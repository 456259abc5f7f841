"""Answering what clients ask about the model: a function for each kind of question. Torch only where a piece works."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from charrnn.engine.answering.lanes import close_lanes, list_for_lanes, open_lanes, tune_lanes
from charrnn.engine.answering.reading import read_text
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.questions import lanes, reading

HANDLERS: dict[type[Any], Callable[[Any, Subject, Tell], Awaitable[None]]] = {
    reading.ReadText: read_text,
    lanes.OpenLanes: open_lanes,
    lanes.TuneLanes: tune_lanes,
    lanes.CloseLanes: close_lanes,
    lanes.ListCheckpoints: list_for_lanes,
}
