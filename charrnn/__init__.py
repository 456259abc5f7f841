"""Character-level recurrent language models: the library under `charrnn` and `charrnn-tui`.

What is named here is loaded when it is first used, so that a program that needs no torch does not wait for it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from charrnn.insight.page import html_of as html_of
    from charrnn.insight.passages import Passage as Passage
    from charrnn.insight.passages import passages as passages
    from charrnn.insight.surprise import Surprise as Surprise
    from charrnn.insight.surprise import surprise as surprise
    from charrnn.sampling.saved_model import SavedModel as SavedModel
    from charrnn.sampling.saved_model import load_model as load_model
    from charrnn.sampling.stream import TextStream as TextStream

_HOMES = {
    "Passage": "charrnn.insight.passages",
    "SavedModel": "charrnn.sampling.saved_model",
    "Surprise": "charrnn.insight.surprise",
    "TextStream": "charrnn.sampling.stream",
    "html_of": "charrnn.insight.page",
    "load_model": "charrnn.sampling.saved_model",
    "passages": "charrnn.insight.passages",
    "surprise": "charrnn.insight.surprise",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
