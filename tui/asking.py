"""Asking the engine about the model, and handing each answer to who waits for it. A part of the workbench."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from textual.app import App

from charrnn.engine.questions import Answer, Question
from tui.leaving import Leaving
from tui.session import Session

Kind = TypeVar("Kind")


class Asking(App[Leaving]):
    """Panes and screens say which kinds of answers they hear, and leave when they go."""

    session: Session
    _hearers: dict[type[Any], list[Callable[[Any], None]]]

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def ask(self, question: Question) -> bool:
        """Sends a question; False, and a sentence, where no engine is there to answer it."""
        if not self.session.connected:
            self.say("info", "The engine has gone; enter starts it again, and then it answers.")
            return False
        self.session.send(question)
        return True

    def hearing(self, kind: type[Kind], hear: Callable[[Kind], None]) -> None:
        """From now on `hear` is called with every answer of a kind."""
        self._hearers.setdefault(kind, []).append(hear)

    def not_hearing(self, kind: type[Kind], hear: Callable[[Kind], None]) -> None:
        """No longer; nothing happens where it was not."""
        if hear in self._hearers.get(kind, []):
            self._hearers[kind].remove(hear)

    def hear_answer(self, answer: Answer) -> None:
        """Hands an answer on."""
        for hear in list(self._hearers.get(type(answer), [])):
            hear(answer)
