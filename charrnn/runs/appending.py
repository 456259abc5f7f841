"""Appending to a file of a run so that a write that fails leaves it as it was. No torch here."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class Appender:
    """A file that only grows, by all of what it is given or by nothing.

    A full disk takes a part of a write and refuses the rest: the part is taken back, at once or before the next write.
    A line that a death in the middle left torn is ended, so that the next one stands alone; with `lines` False, for a
    text that comes in any pieces, it goes on where it stopped.
    """

    def __init__(self, path: Path, *, lines: bool = True) -> None:
        self._path, self._lines = path, lines
        self._torn_at: int | None = None  # the length that a failed write could not be cut back to

    def append(self, data: bytes) -> None:
        """Raises OSError, and then nothing was added."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        try:
            size = self._mended(file)
            if self._lines and size and os.pread(file, 1, size - 1) != b"\n":
                data = b"\n" + data
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(file, rest) :]
            except OSError:
                self._take_back(file, size)
                raise
        finally:
            os.close(file)

    def sync(self) -> None:
        """Has what was appended reach the disk itself; a file that is not there has nothing. Raises OSError."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            os.fsync(file)
        finally:
            os.close(file)

    def _mended(self, file: int) -> int:
        """The file's length, without what a failed write left."""
        if self._torn_at is not None:
            os.ftruncate(file, min(self._torn_at, os.fstat(file).st_size))
            self._torn_at = None
        return os.fstat(file).st_size

    def _take_back(self, file: int, size: int) -> None:
        self._torn_at = size
        with contextlib.suppress(OSError):
            os.ftruncate(file, size)
            self._torn_at = None
