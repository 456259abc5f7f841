"""Anonymous shared memory: an unlinked file that lives as long as somebody has it open. No torch here."""

from __future__ import annotations

import os
import tempfile


def open_memory(*pieces: bytes | bytearray | memoryview) -> int:
    """A descriptor of new shared memory that holds `pieces`; inherited by the processes it is passed to."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # elsewhere: a file that is only in the cache
    with tempfile.TemporaryFile(dir=folder) as file:
        file.writelines(pieces)
        file.flush()
        return os.dup(file.fileno())
