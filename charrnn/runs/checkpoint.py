"""Checkpoints: a folder each, safetensors and a manifest, whole or not there at all.

RUN/checkpoints/step-00001200/ {model.safetensors, state.safetensors, MANIFEST.json}
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from charrnn.config import UsageError
from charrnn.runs.saved import MANIFEST, Saved, best_checkpoint, list_checkpoints
from charrnn.text.vocabulary import Vocabulary, from_facts

FORMAT = 1
MODEL = "model.safetensors"
STATE = "state.safetensors"
KEPT = 3


def save_checkpoint(
    run: Path,
    *,
    step: int,
    model: Mapping[str, torch.Tensor],
    state: Mapping[str, torch.Tensor],
    val_loss: float | None,
    facts: Mapping[str, Any],
) -> Path:
    """Writes one checkpoint beside its final place, syncs it, renames it; the older ones then make room.

    `facts` goes into the manifest (versions, threads, the corpus's digest). The last three and the best stay.
    Raises OSError; what was there before is then untouched.
    """
    final = run / "checkpoints" / f"step-{step:08d}"
    new = final.with_name(f".{final.name}.{os.getpid()}.new")
    shutil.rmtree(new, ignore_errors=True)
    final.parent.mkdir(exist_ok=True)  # not the run's folder: where that has gone, its engine makes it again
    new.mkdir()
    try:
        files = {}
        for name, tensors in ((MODEL, model), (STATE, state)):
            data = save({key: tensor.contiguous() for key, tensor in tensors.items()})
            _write(new / name, data)
            files[name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest = {"format": FORMAT, "step": step, "val_loss": val_loss, "files": files, **facts}
        _write(new / MANIFEST, json.dumps(manifest, indent=1, allow_nan=False).encode())
        _sync(new)
        shutil.rmtree(final, ignore_errors=True)
        new.rename(final)
        _sync(final.parent)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise
    _make_room(run)
    return final


def _write(path: Path, data: bytes) -> None:
    with open(path, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make_room(run: Path) -> None:
    saved = list_checkpoints(run)
    keep = {c.path for c in saved[-KEPT:]}
    best = best_checkpoint(saved)
    for checkpoint in saved:
        if checkpoint.path not in keep and (best is None or checkpoint.path != best.path):
            shutil.rmtree(checkpoint.path, ignore_errors=True)


def read_manifest(checkpoint: Saved) -> dict[str, Any]:
    """The manifest of a checkpoint. Raises UsageError for one that is damaged or of a newer format."""
    try:
        manifest: dict[str, Any] = json.loads((checkpoint.path / MANIFEST).read_text(encoding="utf-8"))
        newer = manifest["format"] > FORMAT
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"The checkpoint {checkpoint.path} cannot be read: {error}.") from None
    if newer:
        raise UsageError(f"The checkpoint {checkpoint.path} was written by a newer charrnn; update to open it.")
    return manifest


def vocabulary_of(checkpoint: Saved) -> Vocabulary:
    """The vocabulary that a checkpoint's model was trained with. Raises UsageError for a damaged manifest."""
    try:
        return from_facts(read_manifest(checkpoint))
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"The checkpoint {checkpoint.path} has no vocabulary that can be read: {error}.") from None


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
    """The tensors of one file of a checkpoint, after its size and sha256 were checked. Raises UsageError."""
    manifest = read_manifest(checkpoint)
    try:
        data = (checkpoint.path / name).read_bytes()
        recorded = manifest["files"][name]
        if recorded["bytes"] != len(data) or recorded["sha256"] != hashlib.sha256(data).hexdigest():
            raise UsageError(f"The checkpoint {checkpoint.path} is damaged: {name} has not the recorded digest.")
        return load(data)
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise UsageError(f"The checkpoint {checkpoint.path} cannot be read: {error}.") from None
