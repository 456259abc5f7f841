"""What an order is: a word that can be typed where the workbench speaks in lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.presets import range_problem

if TYPE_CHECKING:
    from tui.speaking import Speaking


@dataclass(frozen=True, slots=True)
class Order:
    """`names`: what is typed, the first one is its name. `does` gets what follows, and returns what to say."""

    names: tuple[str, ...]
    follows: str
    words: str
    does: Callable[[Speaking, str], str | None]
    keys: tuple[str, ...] = ()


def number(name: str, text: str, kind: type[int] | type[float] = float) -> float:
    """What is typed as a setting's value. Raises UsageError for what is no number or out of its range."""
    try:
        value = kind(text.strip())
    except ValueError:
        raise UsageError(f"The {name.replace('_', '-')} wants a number, not {text.strip()!r}.") from None
    problem = range_problem(name, value)
    if problem or not math.isfinite(value):
        raise UsageError(f"The {name.replace('_', '-')} {problem or 'must be finite'}.")
    return value
