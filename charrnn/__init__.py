"""Character-level recurrent language models: the library under `charrnn` and `charrnn-tui`.

What is named here is loaded when it is first used, so that a program that needs no torch does not wait for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.insight.choices import Choice as Choice
    from charrnn.insight.choices import choice as choice
    from charrnn.insight.choices import choices as choices
    from charrnn.insight.copying.index import CopyingIndex as CopyingIndex
    from charrnn.insight.copying.index import copying_index as copying_index
    from charrnn.insight.copying.matching import Copied as Copied
    from charrnn.insight.copying.matching import copied_share as copied_share
    from charrnn.insight.copying.matching import copies as copies
    from charrnn.insight.eras import Era as Era
    from charrnn.insight.lanes import Lane as Lane
    from charrnn.insight.lanes import lanes as lanes
    from charrnn.insight.page import html_of as html_of
    from charrnn.insight.passages import Passage as Passage
    from charrnn.insight.passages import passages as passages
    from charrnn.insight.surprise import Surprise as Surprise
    from charrnn.insight.surprise import surprise as surprise
    from charrnn.insight.travel import travel as travel
    from charrnn.insight.units.ranking import UnitScore as UnitScore
    from charrnn.insight.units.ranking import rank_units as rank_units
    from charrnn.insight.units.recording import Activations as Activations
    from charrnn.insight.units.recording import activations as activations
    from charrnn.sampling.saved_model import SavedModel as SavedModel
    from charrnn.sampling.saved_model import load_model as load_model
    from charrnn.sampling.stream import TextStream as TextStream

_HOMES = {
    "Era": "charrnn.insight.eras",
    "Copied": "charrnn.insight.copying.matching",
    "CopyingIndex": "charrnn.insight.copying.index",
    "Activations": "charrnn.insight.units.recording",
    "UnitScore": "charrnn.insight.units.ranking",
    "activations": "charrnn.insight.units.recording",
    "rank_units": "charrnn.insight.units.ranking",
    "SavedModel": "charrnn.sampling.saved_model",
    "Surprise": "charrnn.insight.surprise",
    "TextStream": "charrnn.sampling.stream",
    "copied_share": "charrnn.insight.copying.matching",
    "copies": "charrnn.insight.copying.matching",
    "copying_index": "charrnn.insight.copying.index",
    "Lane": "charrnn.insight.lanes",
    "lanes": "charrnn.insight.lanes",
    "Passage": "charrnn.insight.passages",
    "html_of": "charrnn.insight.page",
    "Choice": "charrnn.insight.choices",
    "choice": "charrnn.insight.choices",
    "choices": "charrnn.insight.choices",
    "load_model": "charrnn.sampling.saved_model",
    "passages": "charrnn.insight.passages",
    "surprise": "charrnn.insight.surprise",
    "travel": "charrnn.insight.travel",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
