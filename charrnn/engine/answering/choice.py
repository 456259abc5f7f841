"""The choices behind the stream's characters, and the surprise of its text."""

from __future__ import annotations

import asyncio

from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.questions.choice import AskChoice, HoldStream, SurpriseKnown, WatchSurprise

KNOWN_AT_ONCE = 10_000
"""Characters whose surprise is told when somebody begins to watch it."""


async def tell_choice(question: AskChoice, subject: Subject, tell: Tell) -> None:
    """Answers once, with the choice or with a sentence on why there is none."""
    await tell(await subject.stream.ask(lambda writing: writing.choice(question)))


async def hold_stream(question: HoldStream, subject: Subject, tell: Tell) -> None:
    """Lasts until the client asks otherwise or leaves."""
    if question.on:
        with subject.stream.holding():
            await asyncio.Event().wait()


async def watch_surprise(question: WatchSurprise, subject: Subject, tell: Tell) -> None:
    """Lasts until the client asks otherwise or leaves; what is known already comes first."""
    if question.on:
        with subject.stream.surprised():
            position, surprise = await subject.stream.ask(lambda writing: writing.known_surprise(KNOWN_AT_ONCE))
            await tell(SurpriseKnown(position, surprise))
            await asyncio.Event().wait()
