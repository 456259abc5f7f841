"""Asking the engine about the model. A part of the workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.engine.questions import Question
from tui.hearers import Hearers
from tui.session import Session


class Asking:
    """Panes and screens that wait for an answer stand in `hearers`."""

    session: Session
    hearers: Hearers

    if TYPE_CHECKING:  # the workbench has these

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

    def ask(self, question: Question) -> bool:
        """Sends a question; False, and a sentence, where no engine is there to answer it."""
        if not self.session.connected:
            self.say("info", "The engine has gone; enter starts it again, and then it answers.")
            return False
        self.session.send(question)
        return True
