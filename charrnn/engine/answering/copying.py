"""What of the stream is copied from the training text."""

from __future__ import annotations

import asyncio

from charrnn.config import UsageError
from charrnn.engine.answering.subject import Subject, Tell
from charrnn.engine.questions.copying import Copies, CopiesTold, TellCopies, WatchCopies
from charrnn.engine.stream_copies import StreamCopies

LOOK_EVERY = 0.4
"""Seconds between two looks at what the stream has written."""


async def watch_copies(question: WatchCopies, subject: Subject, tell: Tell) -> None:
    """Tells what there is, then what comes, until it is no longer wanted."""
    if not question.on:
        return
    getting = asyncio.create_task(_stream(subject))
    told = ""
    try:
        while not getting.done():
            waits = subject.corpus is None
            words = "the corpus is still being read" if waits else subject.copying.words
            if words != told:
                told = words
                await tell(Copies(state="waiting" if waits else "indexing", words=words))
            await asyncio.wait((getting,), timeout=LOOK_EVERY)
        stream = getting.result()
    except UsageError as error:
        await tell(Copies(state="none", words=str(error)))
        return
    finally:
        getting.cancel()
    first, told_to = 0, -1
    while True:
        await stream.catch_up()
        if stream.position != told_to:  # another client may have had it caught up
            answer, first, told_to = stream.since(first), stream.settled, stream.position
            await tell(answer)
        await asyncio.sleep(LOOK_EVERY)


async def tell_copies(question: TellCopies, subject: Subject, tell: Tell) -> None:
    """Tells once, when it is known."""
    try:
        stream = await _stream(subject)
    except UsageError as error:
        await tell(CopiesTold(problem=str(error)))
        return
    await stream.catch_up()
    await tell(stream.told())


async def _stream(subject: Subject) -> StreamCopies:
    """As soon as there are a corpus and its index. Raises UsageError."""
    while subject.corpus is None:
        await asyncio.sleep(LOOK_EVERY / 2)
    index = await subject.copying.index(subject.corpus)
    return subject.copying.stream(index, subject.board)
