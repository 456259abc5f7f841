"""How the stream of a run was last played with: its knobs, its pace, its prime, for when the run is opened again.

A convenience beside the record (RUN/stream.json): what is missing, damaged or out of range counts as not there, and
what cannot be written is not. The settings that the run began with stay as they are in config.toml. No torch here.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import msgspec

from charrnn.config import Knobs, StreamConfig
from charrnn.presets import range_problem
from charrnn.runs.directory import RunFolder
from charrnn.runs.durable import read_plain, replace_file

FILE = "stream.json"
AT_MOST = 1 << 17
LONGEST_PRIME = 10_000
"""Characters of a prime."""
WRITTEN_AFTER = 1.0
"""Seconds from a change to the disk: who turns a knob turns it again."""


class LastStream(msgspec.Struct, frozen=True):
    """`prime` "" means that nobody has chosen one."""

    knobs: Knobs
    pace: float
    prime: str = ""


def last_stream(run: Path, recorded: StreamConfig) -> StreamConfig:
    """How the stream of the run in that folder is to start: as it was last, else as it was `recorded`."""
    try:
        found = msgspec.json.decode(read_plain(run / FILE, AT_MOST), type=LastStream)
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeError):
        return recorded
    values = {**asdict(found.knobs), "pace": found.pace}
    if len(found.prime) > LONGEST_PRIME or any(range_problem(name, value) for name, value in values.items()):
        return recorded
    return replace(recorded, knobs=found.knobs, pace=found.pace, prime=found.prime or recorded.prime)


class StreamKeeper:
    """Writes what the stream is like a moment after it was changed. `folder` is the run's, None while it has none."""

    def __init__(self, folder: Callable[[], RunFolder | None], now: Callable[[], LastStream]) -> None:
        self._folder, self._now = folder, now
        self._task: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self._due = False

    def changed(self) -> None:
        """Somebody has changed the stream."""
        self._due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_soon())

    async def close(self) -> None:
        """Writes what is not written yet: the run is about to end."""
        self._ending.set()
        if self._task is not None:
            await self._task

    async def _write_soon(self) -> None:
        """Never holds up the loop, whatever the disk does."""
        while self._due:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), WRITTEN_AFTER)
            folder = self._folder()
            if folder is not None:
                self._due = False
                await asyncio.to_thread(_write, folder, msgspec.json.encode(self._now()))
            elif self._ending.is_set():
                return


def _write(folder: RunFolder, data: bytes) -> None:
    with contextlib.suppress(OSError):
        folder.require_ours()
        replace_file(folder.path / FILE, data)
