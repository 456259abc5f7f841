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
    from charrnn.insight.surprise import Surprise as Surprise
    from charrnn.insight.surprise import surprise as surprise
    from charrnn.sampling.saved_model import SavedModel as SavedModel
    from charrnn.sampling.saved_model import load_model as load_model
    from charrnn.sampling.stream import TextStream as TextStream

_HOMES = {
    "Choice": "charrnn.insight.choices",
    "SavedModel": "charrnn.sampling.saved_model",
    "Surprise": "charrnn.insight.surprise",
    "TextStream": "charrnn.sampling.stream",
    "choice": "charrnn.insight.choices",
    "choices": "charrnn.insight.choices",
    "load_model": "charrnn.sampling.saved_model",
    "surprise": "charrnn.insight.surprise",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
