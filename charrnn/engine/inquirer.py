"""What one client wants to know of the model: the newest question of each kind, answered in its own time."""

from __future__ import annotations

import asyncio
from typing import Any

from charrnn.config import UsageError
from charrnn.engine.answering import HANDLERS
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.messages import Notice
from charrnn.engine.questions import Question


class Inquirer:
    """A question takes the place of the one before of its kind. What goes wrong with one is told, and ends no other."""

    def __init__(self, subject: Subject, tell: Tell) -> None:
        self._subject, self._tell = subject, tell
        self._tasks: dict[type[Any], asyncio.Task[None]] = {}

    def ask(self, question: Question) -> None:
        """Sees to a question; returns at once."""
        before = self._tasks.pop(type(question), None)
        if before is not None:
            before.cancel()
        self._tasks[type(question)] = asyncio.create_task(self._answer(question))

    def leave(self) -> None:
        """Nothing is wanted any more."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    async def _answer(self, question: Question) -> None:
        try:
            await HANDLERS[type(question)](question, self._subject, self._tell)
        except UsageError as error:
            await self._tell(Notice("warning", str(error)))
        except Exception as error:
            words = f"The engine could not answer ({type(question).__name__}): {error!r}."
            await self._tell(Notice("error", words))
