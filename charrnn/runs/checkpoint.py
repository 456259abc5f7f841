"""Checkpoints: a folder each, safetensors and a manifest, whole or not there at all.

RUN/checkpoints/step-00001200/ {model.safetensors, state.safetensors, MANIFEST.json}

A checkpoint is written into a folder of another name beside its place, every file is synced, then the folder; then it
is renamed and the folder above is synced. Whoever is killed at any moment leaves the older checkpoints as they were,
and at most a folder that begins with a dot, which `charrnn.runs.recovery` puts right when the run is opened.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load

from charrnn.config import UsageError
from charrnn.runs.durable import make_folder, plain_file, read_exactly, sync_folder, write_file
from charrnn.runs.manifest import MANIFEST, MODEL, STATE, FileFacts, manifest_bytes
from charrnn.runs.saved import (
    CHECKPOINTS,
    KEEP,
    DamagedError,
    Saved,
    best_checkpoint,
    folder_name,
    list_checkpoints,
    read_manifest,
    unreadable,
)
from charrnn.runs.tensor_file import portions, read_header
from charrnn.text.vocabulary import Vocabulary, from_facts

KEPT = 3
_KINDS = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.int16: "I16",
    torch.int32: "I32",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
}


def save_checkpoint(
    run: Path,
    *,
    step: int,
    model: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
    val_loss: float | None,
    facts: Mapping[str, Any],
) -> Path:
    """Writes one checkpoint of tensors on the CPU, as this file's head says; the older ones then make room.

    `facts` goes into the manifest (versions, threads, the corpus's digest, the vocabulary). The last three, the best
    and those with a keep mark stay. Raises OSError, also for a sync that failed: the checkpoint is then not there, and
    what was there before is untouched.
    """
    final = run / CHECKPOINTS / folder_name(step)
    new = beside(final, "new")
    if not run.is_dir():  # it is for its engine to make it again, with all that belongs there
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(run))
    make_folder(final.parent)
    discard(new)
    new.mkdir()
    try:
        files = {}
        for name, tensors in ((MODEL, model), (STATE, state)):
            size, sha256 = write_file(new / name, tensor_portions(tensors))
            files[name] = FileFacts(size, sha256)
        write_file(new / MANIFEST, [manifest_bytes(step=step, val_loss=val_loss, files=files, facts=facts)])
        if os.path.lexists(final / KEEP):
            write_file(new / KEEP, [])
        sync_folder(new)
        put_in_place(new, final)
    except BaseException:
        discard(new)
        raise
    _make_room(run)
    return final


def beside(final: Path, kind: str) -> Path:
    return final.with_name(f".{final.name}.{os.getpid()}.{kind}")


def tensor_portions(tensors: Mapping[str, torch.Tensor]) -> Iterator[bytes | memoryview]:
    """The bytes of a safetensors file, without a copy of any tensor: other threads run while they are written."""
    found = []
    for name, tensor in tensors.items():
        flat = tensor.detach().contiguous().reshape(-1).view(torch.uint8)
        found.append((name, _KINDS[tensor.dtype], tuple(tensor.shape), flat.numpy().data))
    return portions(found)


def put_in_place(new: Path, final: Path) -> None:
    """Renames, with one of the same step moved aside meanwhile; on failure all is as it was."""
    aside = beside(final, "old")
    there = os.path.lexists(final)
    if there:
        discard(aside)
        final.rename(aside)
    placed = False
    try:
        new.rename(final)
        placed = True
        sync_folder(final.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            if placed:
                final.rename(new)
            if there:
                aside.rename(final)
        raise
    if there:
        discard(aside)


def discard(folder: Path) -> None:
    """Removes what is there, as far as it can be: `rmtree` raises for a failed close whatever it was told."""
    with contextlib.suppress(OSError):
        shutil.rmtree(folder)


def _make_room(run: Path) -> None:
    """Removes what nobody needs any more, each renamed first: a folder of a checkpoint's name is never half a one."""
    saved = list_checkpoints(run)
    best = best_checkpoint(saved)
    stay = {c.path for c in saved[-KEPT:]} | ({best.path} if best else set())
    for checkpoint in saved:
        if checkpoint.path in stay or checkpoint.kept:
            continue
        gone = beside(checkpoint.path, "gone")
        with contextlib.suppress(OSError):
            discard(gone)
            checkpoint.path.rename(gone)
            discard(gone)


def vocabulary_of(checkpoint: Saved) -> Vocabulary:
    """The vocabulary that a checkpoint's model was trained with. Raises UsageError for a damaged manifest."""
    manifest = read_manifest(checkpoint.path)
    try:
        return from_facts(manifest.vocabulary_facts())
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(
            f"The checkpoint {checkpoint.path} has no vocabulary that can be read ({error}); give another."
        ) from None


def require_vocabulary(checkpoint: Saved, vocabulary: Vocabulary) -> None:
    """Raises UsageError unless the checkpoint's model was trained with exactly this vocabulary."""
    recorded = vocabulary_of(checkpoint)
    if recorded != vocabulary:
        raise UsageError(
            f"The checkpoint {checkpoint.path} knows {recorded.summary}, and the text with this run's settings has "
            f"{'others' if recorded.summary == vocabulary.summary else vocabulary.summary}; "
            "set tokens and max_vocabulary in its config.toml back, or start a new run."
        )


def load_tensors(checkpoint: Saved, name: str) -> dict[str, torch.Tensor]:
    """The tensors of one file of a checkpoint: the very bytes whose size, header and sha256 were checked.

    Raises UsageError, also for weights or an optimiser's moments that no training leaves behind: NaN.
    """
    try:
        recorded = read_manifest(checkpoint.path).files.of(name)
    except KeyError:
        raise DamagedError(checkpoint.path, f"there is no {name}") from None
    try:
        with plain_file(checkpoint.path / name) as (descriptor, size):
            if size != recorded.bytes:
                raise DamagedError(checkpoint.path, f"{name}: {size:,} bytes, and {recorded.bytes:,} were written")
            read_header(descriptor, size)
            os.lseek(descriptor, 0, os.SEEK_SET)
            data = read_exactly(descriptor, size)
        if len(data) != size or recorded.sha256 != hashlib.sha256(data).hexdigest():
            raise DamagedError(checkpoint.path, f"{name} has not the recorded digest")
        tensors = load(data)
    except OSError as error:
        raise unreadable(checkpoint.path, error) from None
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise DamagedError(checkpoint.path, f"{name}: {error}") from None
    unsound = first_unsound(tensors, weights=name == MODEL)
    if unsound is not None:
        raise UsageError(
            f"The checkpoint {checkpoint.path} has numbers in {unsound!r} that are not finite; give another with "
            "--checkpoint, or start a new run."
        )
    return tensors


def first_unsound(tensors: Mapping[str, torch.Tensor], *, weights: bool) -> str | None:
    """The first tensor with numbers that nothing can go on from: weights not finite, moments that are NaN."""
    for name, tensor in tensors.items():
        if weights or name.startswith("raw/"):
            bad = not bool(torch.isfinite(tensor).all())
        else:
            bad = name.startswith("optimiser/") and bool(torch.isnan(tensor).any())
        if bad:
            return name
    return None
