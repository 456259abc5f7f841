"""Which checkpoints a run has, and which one is meant by `best`, `last` or a step. No torch here."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from dataclasses import dataclass
from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.durable import read_plain, sync_folder, write_file
from charrnn.runs.manifest import MANIFEST, MANIFEST_AT_MOST, STATE, Manifest, NewerError, parse_manifest

CHECKPOINTS = "checkpoints"
MILESTONES = "milestones"
"""Where weights alone are kept, for looking back (`milestones.py`)."""
KEEP = "KEEP"
"""An empty file of this name in a checkpoint's folder: it is never removed to make room."""
DAMAGED = "damaged-"
_NAME = re.compile(r"step-(\d{8,19})\Z")
_MOVED_ASIDE = re.compile(r"\.(step-(\d{8,19}))\.\d+\.old\Z")
_GONE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EFBIG, errno.EIO, errno.ENXIO, errno.EISDIR}
"""Reasons for which a file cannot be read that lie with the file, not with who reads it."""


class DamagedError(UsageError):
    """A checkpoint is not what was written; `why` is a clause."""

    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The checkpoint {path} is damaged or none of charrnn's ({why}); give another with --checkpoint."
        )
        self.path, self.why = path, why


@dataclass(frozen=True, slots=True)
class Saved:
    """One checkpoint on disk; `val_loss` nats per character, None if it was not measured."""

    path: Path
    step: int
    val_loss: float | None

    @property
    def kept(self) -> bool:
        """Whether it has the mark that keeps it."""
        return os.path.lexists(self.path / KEEP)


def folder_name(step: int) -> str:
    """Of a checkpoint after so many steps."""
    return f"step-{step:08d}"


def checkpoint_folders(run: Path) -> list[tuple[int, Path]]:
    """Every folder that should be a checkpoint, whole or not, with its step, by rising step.

    One that a save had moved aside to put another of the same step in its place, and was killed, counts as well.
    """
    try:
        names = os.listdir(run / CHECKPOINTS)
    except (FileNotFoundError, NotADirectoryError):
        return []
    found = {int(match[1]): name for name in names if (match := _NAME.match(name))}
    aside = {int(match[2]): name for name in names if (match := _MOVED_ASIDE.match(name))}
    return sorted((step, run / CHECKPOINTS / name) for step, name in {**aside, **found}.items())


def damaged_folders(run: Path) -> list[Path]:
    """Those that were set aside."""
    return sorted((run / CHECKPOINTS).glob(f"{DAMAGED}*"))


def step_of(path: Path) -> int:
    """The step that a checkpoint's folder is named after. Raises DamagedError for another name."""
    match = _NAME.match(path.name)
    if match:
        return int(match[1])
    match = _MOVED_ASIDE.match(path.name)
    if match:
        return int(match[2])
    raise DamagedError(path, "its folder is not named after a step")


def read_manifest(path: Path) -> Manifest:
    """The manifest of a checkpoint's folder, or of a milestone's, which has weights alone.

    Raises DamagedError, NewerError for a later format, UsageError where this user may not read it.
    """
    try:
        manifest = parse_manifest(read_plain(path / MANIFEST, MANIFEST_AT_MOST))
    except OSError as error:
        raise unreadable(path, error) from None
    except NewerError as error:
        raise NewerError(f"The checkpoint {path} {error}.") from None
    except ValueError as error:
        raise DamagedError(path, str(error)) from None
    if manifest.step != step_of(path):
        raise DamagedError(path, f"{MANIFEST} is of step {manifest.step:,}")
    if manifest.files.state is None and path.parent.name != MILESTONES:
        raise DamagedError(path, f"{MANIFEST} names no {STATE}")
    return manifest


def unreadable(path: Path, error: OSError) -> UsageError:
    """What is to be said where a file of a checkpoint cannot be read."""
    words = f"{Path(error.filename or path).name}: {error.strerror}"
    if error.errno in _GONE:
        return DamagedError(path, words)
    return UsageError(f"The checkpoint {path} cannot be read: {words}.")


def list_checkpoints(run: Path) -> list[Saved]:
    """Every checkpoint of a run whose manifest is whole, by rising step; its tensors are not looked at."""
    found = []
    for step, path in checkpoint_folders(run):
        with contextlib.suppress(UsageError):
            found.append(Saved(path, step, read_manifest(path).val_loss))
    return found


def best_checkpoint(saved: list[Saved]) -> Saved | None:
    """The one with the lowest held-out loss; None when none was measured."""
    measured = [c for c in saved if c.val_loss is not None]
    return min(measured, key=lambda c: c.val_loss or 0.0) if measured else None


def choose_checkpoint(run: Path, which: str) -> Saved:
    """`best` (the last where nothing was held out), `last`, or a step's number. Raises UsageError."""
    saved = list_checkpoints(run)
    if not saved:
        for _, path in checkpoint_folders(run):
            read_manifest(path)  # says what is wrong with it
        raise UsageError(f"The run {run.name} has no checkpoint yet; let it train for a while first.")
    if which == "last":
        return saved[-1]
    if which == "best":
        return best_checkpoint(saved) or saved[-1]
    for checkpoint in saved:
        if str(checkpoint.step) == (which.lstrip("0") or "0"):
            return checkpoint
    steps = ", ".join(str(c.step) for c in saved)
    raise UsageError(f"The run {run.name} has no checkpoint {which!r}; it has best, last and the steps {steps}.")


def mark(checkpoint: Saved, *, keep: bool) -> None:
    """Puts the mark that keeps a checkpoint, or takes it away; it is on the disk then. Raises OSError."""
    place = checkpoint.path / KEEP
    if keep:
        with contextlib.suppress(FileExistsError):
            write_file(place, [])
    else:
        place.unlink(missing_ok=True)
    sync_folder(checkpoint.path)
