"""The lock that says a trainer may still write to a run, also when its engine has gone. No torch here.

The run's own lock says that an engine serves it and ends with the engine; this one is shared by an engine and its
trainer, and ends when both have. It is an open file description that goes from one to the other (flock(2)), so there is
no moment at which neither holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path

TRAINER_LOCK = "trainer.lock"


class TrainerLock:
    """Held from `take` until this and every other descriptor of it are closed."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    @classmethod
    def take(cls, run: Path) -> TrainerLock | None:
        """None while another trainer, or its engine, has it. Raises OSError."""
        descriptor = os.open(run / TRAINER_LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        except BaseException:
            os.close(descriptor)
            raise
        return cls(descriptor)

    def name_holder(self, pid: int) -> None:
        """Leaves a process id, for a sentence to name; nothing is decided by it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, f"{pid}\n".encode(), 0)

    def close(self) -> None:
        os.close(self.descriptor)


def holder(run: Path) -> str:
    """The process id that was left, as digits; "" where there is none."""
    with contextlib.suppress(OSError, ValueError):
        words = (run / TRAINER_LOCK).read_text(encoding="ascii").strip()
        return words if words.isdecimal() else ""
    return ""
