"""Who waits for which kind of the engine's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from charrnn.engine.questions import Answer

Kind = TypeVar("Kind")


class Hearers:
    """Panes, screens and orders say which kinds of answers they hear, and when no longer."""

    def __init__(self) -> None:
        self._of: dict[type[Any], list[Callable[[Any], None]]] = {}

    def add(self, kind: type[Kind], hear: Callable[[Kind], None]) -> None:
        """From now on `hear` is called with every answer of a kind."""
        self._of.setdefault(kind, []).append(hear)

    def remove(self, kind: type[Kind], hear: Callable[[Kind], None]) -> None:
        """No longer; nothing happens where it was not."""
        if hear in self._of.get(kind, []):
            self._of[kind].remove(hear)

    def hear(self, answer: Answer) -> None:
        """Hands an answer on."""
        for hear in list(self._of.get(type(answer), [])):
            hear(answer)
