"""Opening a run's checkpoints: each is verified first; a damaged one is set aside, and the one before it is used.

Setting aside is renaming, `step-00001200` to `damaged-step-00001200`, and only who holds the run's lock may do it.
Nothing damaged is ever removed. No torch here.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.directory import RunFolder, is_live
from charrnn.runs.durable import digest_of, plain_file, sync_folder
from charrnn.runs.manifest import MODEL, STATE, Manifest
from charrnn.runs.saved import (
    CHECKPOINTS,
    DAMAGED,
    DamagedError,
    Saved,
    checkpoint_folders,
    choose_checkpoint,
    damaged_folders,
    folder_name,
    read_manifest,
    step_of,
    unreadable,
)
from charrnn.runs.tensor_file import read_header

_LEFTOVER = re.compile(r"\.(step-\d{8,19})\.\d+\.(new|old|gone)\Z")


@dataclass(frozen=True, slots=True)
class Recovered:
    """A checkpoint that is whole, None where the run never had one; `remarks` say what was damaged, a sentence each."""

    checkpoint: Saved | None
    remarks: tuple[str, ...] = ()


def verify(path: Path) -> Manifest:
    """Reads every byte of a checkpoint, a portion in memory at a time: its manifest, if all is as it was written.

    Raises DamagedError, NewerError for a later format, UsageError where this user may not read it or this machine's
    memory is too small for it.
    """
    manifest = read_manifest(path)
    for name in (MODEL, STATE):
        wanted = manifest.files.of(name)
        try:
            with plain_file(path / name) as (descriptor, size):
                if size != wanted.bytes:
                    raise ValueError(f"it has {size:,} bytes, and {wanted.bytes:,} were written")
                if size > _memory():
                    raise UsageError(f"The checkpoint {path} is larger than this machine's memory; use a larger one.")
                read_header(descriptor, size)
                if digest_of(descriptor) != (size, wanted.sha256):
                    raise ValueError("it has not the recorded digest")
        except OSError as error:
            raise unreadable(path, error) from None
        except ValueError as error:
            raise DamagedError(path, f"{name}: {error}") from None
    return manifest


def _memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def resume_point(run: Path) -> Recovered:
    """The newest whole checkpoint, for the holder of the run's lock: leftovers of saves that were cut are put right.

    Raises UsageError where there were checkpoints and none is whole: a run never silently begins anew.
    """
    put_right(run)
    return _first_whole(run, _newest_first(run), may_set_aside=True)


def open_checkpoint(run: Path, which: str) -> Recovered:
    """The checkpoint that `best`, `last` or a step means, for who only reads; `best` falls to the next best.

    A damaged one is set aside if nobody has the run open and its folder can be written, else passed over. Raises
    UsageError where none is whole, or the one whose step was given is not.
    """
    if which not in ("best", "last"):
        named = [path for step, path in checkpoint_folders(run) if str(step) == (which.lstrip("0") or "0")]
        manifest = verify(named[0]) if named else None
        if manifest is not None:
            return Recovered(Saved(named[0], manifest.step, manifest.val_loss))
        choose_checkpoint(run, which)  # says what there is
    order = _best_first(run) if which == "best" else _newest_first(run)
    found = _first_whole(run, order, may_set_aside=False)
    if found.checkpoint is None:
        raise UsageError(f"The run {run.name} has no checkpoint yet; let it train for a while first.")
    return found


def _newest_first(run: Path) -> list[Path]:
    return [path for _, path in reversed(checkpoint_folders(run))]


def _best_first(run: Path) -> list[Path]:
    """Those that cannot be ranked because they are damaged come first, those that were not measured last."""
    ranked = []
    for step, path in checkpoint_folders(run):
        try:
            loss = read_manifest(path).val_loss
            ranked.append((1 if loss is not None else 2, loss or 0.0, -step, path))
        except DamagedError:
            ranked.append((0, 0.0, -step, path))
        except UsageError:
            ranked.append((1, float("-inf"), -step, path))
    return [path for *_, path in sorted(ranked)]


def _first_whole(run: Path, folders: Iterable[Path], *, may_set_aside: bool) -> Recovered:
    damaged: list[DamagedError] = []
    found = None
    for path in folders:
        try:
            found = Saved(path, step_of(path), verify(path).val_loss)
            break
        except DamagedError as error:
            if os.path.lexists(path):  # else the engine has made room meanwhile
                damaged.append(error)
    if found is None and not damaged and not damaged_folders(run):
        return Recovered(None)
    whereabouts = [_put_aside(run, error.path, may_set_aside) for error in damaged]
    if found is None:
        why = f" ({damaged[0].why})" if damaged else ""
        raise UsageError(
            f"The run {run.name} has no checkpoint that is whole{why}: what is left is in {run / CHECKPOINTS}; remove "
            "that folder to begin the run again at step 0, or start a new run."
        )
    remarks = [
        f"The checkpoint of step {step_of(error.path):,} is damaged ({error.why}); it is {whereabouts_of_it}, and that "
        f"of step {found.step:,} is used."
        for error, whereabouts_of_it in zip(damaged, whereabouts, strict=True)
    ]
    return Recovered(found, tuple(remarks))


def _put_aside(run: Path, path: Path, owned: bool) -> str:
    """Sets a damaged checkpoint aside if that is allowed; where it is then, in words."""
    if not owned and is_live(run):
        return "passed over"
    try:
        with contextlib.closing(RunFolder.open(run)) if not owned else contextlib.nullcontext():
            name = _free_name(path)
            path.rename(path.with_name(name))
            sync_folder(path.parent)
    except (OSError, UsageError):  # a folder that is read-only, or an engine that came between
        return "passed over"
    return f"set aside as {name}"


def _free_name(path: Path) -> str:
    name = wanted = DAMAGED + folder_name(step_of(path))
    number = 1
    while os.path.lexists(path.with_name(name)):
        number += 1
        name = f"{wanted}-{number}"
    return name


def put_right(run: Path) -> None:
    """Clears what saves that were cut have left behind; only for who holds the run's lock, and has no trainer.

    A checkpoint that had been moved aside for another of its step, which then did not come, takes its place again.
    What cannot be removed stays for the next time.
    """
    folder = run / CHECKPOINTS
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        for name in sorted(os.listdir(folder)):
            match = _LEFTOVER.match(name)
            if match is None:
                continue
            place = folder / match[1]
            with contextlib.suppress(OSError):
                if match[2] == "old" and not os.path.lexists(place):
                    (folder / name).rename(place)
                    sync_folder(folder)
                else:
                    shutil.rmtree(folder / name)
