"""The engine's index of its training text: kept, or made by another process; and what of the stream is copied.

All clients share both. Nothing is made, and nothing looked up, but while somebody asks. No torch here.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.engine.memory import open_memory
from charrnn.engine.stream_copies import StreamCopies

if TYPE_CHECKING:
    from pathlib import Path

    from charrnn.engine.board import Board
    from charrnn.insight.copying.index import CopyingIndex
    from charrnn.text.corpus import Corpus

LARGEST = 200_000_000
"""Bytes of training text that are indexed: a gigabyte on disk, and in memory while that is made."""


class CopyingDesk:
    """Nothing is known until somebody asks."""

    def __init__(self) -> None:
        self._index: CopyingIndex | None = None
        self._stream: StreamCopies | None = None
        self._making: asyncio.Task[CopyingIndex] | None = None
        self._askers = 0
        self._begun = 0.0
        self.doing = ""
        """What is done to get the index, in a word; "" while nothing is."""

    @property
    def words(self) -> str:
        """How far the index is, for somebody who waits."""
        seconds = time.monotonic() - self._begun if self._making is not None else 0.0
        return f"indexing the training text: {self.doing or 'looking'}, {seconds:.0f} s"

    async def index(self, corpus: Corpus) -> CopyingIndex:
        """The index, as soon as it is there. Once nobody waits any more nothing is made. Raises UsageError."""
        if self._index is not None:
            return self._index
        if self._making is None or self._making.done():
            self._begun = time.monotonic()
            self._making = asyncio.create_task(self._get(corpus))
        making = self._making
        self._askers += 1
        try:
            self._index = await asyncio.shield(making)
            return self._index
        finally:
            self._askers -= 1
            if not self._askers and not making.done():
                making.cancel()

    def stream(self, index: CopyingIndex, board: Board) -> StreamCopies:
        """What of the board's text is copied."""
        if self._stream is None:
            self._stream = StreamCopies(index, board.text)
        return self._stream

    async def _get(self, corpus: Corpus) -> CopyingIndex:
        from charrnn.insight.copying import kept

        if len(corpus.train_ids) > LARGEST:
            raise UsageError(kept.too_large(LARGEST))
        if not len(corpus.train_ids):
            raise UsageError("There is no training text to compare with.")
        try:
            place = await asyncio.to_thread(kept.place_of, corpus)
            found = await asyncio.to_thread(kept.open_kept, place)
            if found is None:
                await self._make(corpus, place)
                found = await asyncio.to_thread(kept.open_kept, place)
        except OSError as error:
            words = error.strerror or str(error)
            raise UsageError(f"The training text could not be indexed ({words}).") from None
        finally:
            self.doing = ""
        if found is None:
            raise UsageError("The index of the training text was lost; is there room in the cache?")
        return found

    async def _make(self, corpus: Corpus, place: Path) -> None:
        """Has it made by another process, which ends with this call. Raises UsageError and OSError."""
        if corpus.descriptor is None:
            ids = await asyncio.to_thread(open_memory, corpus.train_ids.tobytes())
        else:
            ids = os.dup(corpus.descriptor)
        what = {
            "place": str(place),
            "ids": ids,
            "dtype": corpus.ids.dtype.name,
            "count": len(corpus.train_ids),
            "vocabulary": corpus.vocabulary.facts(),
            "most": LARGEST,
        }
        request = open_memory(json.dumps(what).encode())
        try:
            os.lseek(request, 0, os.SEEK_SET)
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "charrnn.engine.copying_process"),
                stdin=request,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                pass_fds=(ids,),
                env={**os.environ, "OMP_NUM_THREADS": "1"},
            )
        finally:
            os.close(request)
            os.close(ids)
        problem: str | None = None
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                with contextlib.suppress(ValueError):
                    said = json.loads(line)
                    self.doing = said.get("what", self.doing)
                    problem = said.get("problem", problem)
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if problem is None:
            raise OSError(f"the process that indexes it ended with status {process.returncode}")
        if problem:
            raise UsageError(problem)
