"""The corpus as an engine gets it: in a thread, told as it goes, ended when asked. No torch here."""

from __future__ import annotations

import asyncio
import time
from functools import partial

from charrnn.engine.board import Board
from charrnn.engine.messages import Notice, Reading, RunRequest
from charrnn.engine.opening import Opened, preview, read_corpus
from charrnn.text.corpus import Corpus

TOLD_AFTER = 0.3
TOLD_EVERY = 0.2


class _EndedError(Exception):
    pass


async def read(opened: Opened, request: RunRequest, board: Board, stop: asyncio.Event) -> Corpus | None:
    """The run's corpus, which the board tells of; None if the engine was asked to stop meanwhile. Raises UsageError."""
    loop = asyncio.get_running_loop()
    due = time.monotonic() + TOLD_AFTER

    def progress(what: str, done: int, total: int | None) -> None:
        nonlocal due
        if stop.is_set():
            raise _EndedError
        now = time.monotonic()
        if now >= due:
            due = now + TOLD_EVERY
            loop.call_soon_threadsafe(partial(board.set_status, reading=Reading(what, done, total)))

    try:
        corpus = await asyncio.to_thread(read_corpus, opened, request, progress)
    except _EndedError:
        return None
    finally:
        board.set_status(reading=None)
    board.announce(preview(corpus), standing=True)
    if corpus.warning:
        board.announce(Notice("warning", corpus.warning))
    return corpus
