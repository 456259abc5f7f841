"""The corpus as an engine gets it: in a thread, told as it goes, ended when asked. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from charrnn.engine.board import Board
from charrnn.engine.messages import Notice, Reading, RunRequest
from charrnn.engine.opening import Opened, preview, read_corpus
from charrnn.text.corpus import Corpus

TOLD_AFTER = 0.3
TOLD_EVERY = 0.2


class _EndedError(Exception):
    """Nobody waits for the corpus any more."""


async def read(opened: Opened, request: RunRequest, board: Board, stop: asyncio.Event) -> Corpus | None:
    """The run's corpus, which the board tells of; None if the engine was asked to stop meanwhile. Raises UsageError.

    The thread may hang on a silent server for a while: neither the loop nor the process's end waits for it.
    """
    loop = asyncio.get_running_loop()
    found: asyncio.Future[Corpus] = loop.create_future()
    due = time.monotonic() + TOLD_AFTER

    def tell(what: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(lambda: None if found.done() else what())

    def progress(what: str, done: int, total: int | None) -> None:
        nonlocal due
        if stop.is_set():
            raise _EndedError
        now = time.monotonic()
        if now >= due:
            due = now + TOLD_EVERY
            tell(partial(board.set_status, reading=Reading(what, done, total)))

    def work() -> None:
        try:
            corpus = read_corpus(opened, request, progress)
        except _EndedError:
            pass
        except Exception as error:
            tell(partial(found.set_exception, error))
        else:
            tell(partial(found.set_result, corpus))

    threading.Thread(target=work, name="corpus", daemon=True).start()
    stopping = asyncio.create_task(stop.wait())
    either: set[asyncio.Future[Any]] = {found, stopping}
    await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    board.set_status(reading=None)
    if not found.done():
        found.cancel()
        return None
    corpus = found.result()
    board.announce(preview(corpus), standing=True)
    if corpus.warning:
        board.announce(Notice("warning", corpus.warning))
    return corpus
