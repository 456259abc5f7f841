"""Whether a place can be written to, and how much goes into it. No torch here."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from charrnn.config import UsageError

_RECORD = 1_000_000
"""Bytes that metrics, events and log may well take."""


def require_writable(place: Path) -> None:
    """Raises UsageError if no run can be written to `place`, which may be there or not yet; nothing is left there."""
    parent = place
    while not os.path.exists(parent):
        parent = parent.parent
    advice = "choose another place with --runs-folder" if parent != place else "make it writable again to train on"
    if not parent.is_dir():
        raise UsageError(f"The run cannot live at {place}: {parent} is not a folder; choose another place.")
    if not os.access(parent, os.W_OK | os.X_OK):
        why = "on a read-only disk" if os.statvfs(parent).f_flag & os.ST_RDONLY else "not writable"
        raise UsageError(f"The run cannot live at {place}: {parent} is {why}; {advice}.")
    try:  # a mount that is read-only or full passes the permission check
        with tempfile.TemporaryFile(dir=parent) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise UsageError(f"The run cannot live at {place}: {error.strerror}; {advice}.") from None


def free_bytes(place: Path) -> int | None:
    """What this user may still write on the disk on which `place` lies or would lie; None where nobody says."""
    while not os.path.exists(place) and place != place.parent:
        place = place.parent
    try:
        found = os.statvfs(place)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize if found.f_blocks else None


def megabytes(number: float) -> str:
    """Bytes as they are said: "0.4 MB", "12 MB", "1,234 MB"."""
    return f"{number / 1e6:,.0f} MB" if number >= 9.95e6 else f"{number / 1e6:.1f} MB"


def require_room(place: Path, checkpoint: int, beside: int = 0, *, new: bool) -> str:
    """Raises UsageError unless the checkpoints of a run fit on the disk; a warning if they soon will not, else "".

    `checkpoint` is the size of one in bytes, `beside` what else will be written. A new checkpoint is written beside the
    old ones, of which up to four stay: a `new` run needs room for two to begin with, one that goes on for one.
    """
    free = free_bytes(place)
    if free is None:
        return ""
    least = (2 if new else 1) * checkpoint + beside + _RECORD
    if free < least:
        raise UsageError(
            f"The run needs about {megabytes(least)} at {place} for its first checkpoints, and {megabytes(free)} are "
            f"free; make room there{', or choose another place with --runs-folder' if new else ''}."
        )
    most = (5 if new else 2) * checkpoint + beside + _RECORD
    if free < most:
        return (
            f"The run's checkpoints will take about {megabytes(most)} at {place}, and {megabytes(free)} are free; "
            "make room there before they need it."
        )
    return ""
