"""Character-level recurrent language models: the library under `charrnn` and `charrnn-tui`.

What is named here is loaded when it is first used, so that a program that needs no torch does not wait for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.insight.surprise import Surprise as Surprise
    from charrnn.insight.surprise import surprise as surprise
    from charrnn.insight.units.ranking import UnitScore as UnitScore
    from charrnn.insight.units.ranking import rank_units as rank_units
    from charrnn.insight.units.recording import Activations as Activations
    from charrnn.insight.units.recording import activations as activations
    from charrnn.sampling.saved_model import SavedModel as SavedModel
    from charrnn.sampling.saved_model import load_model as load_model
    from charrnn.sampling.stream import TextStream as TextStream

_HOMES = {
    "Activations": "charrnn.insight.units.recording",
    "UnitScore": "charrnn.insight.units.ranking",
    "activations": "charrnn.insight.units.recording",
    "rank_units": "charrnn.insight.units.ranking",
    "SavedModel": "charrnn.sampling.saved_model",
    "Surprise": "charrnn.insight.surprise",
    "TextStream": "charrnn.sampling.stream",
    "load_model": "charrnn.sampling.saved_model",
    "surprise": "charrnn.insight.surprise",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
