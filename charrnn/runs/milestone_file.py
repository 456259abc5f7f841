"""Writing a milestone: weights alone, whole or not there at all, with the care of a checkpoint."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from charrnn.runs.checkpoint import beside, discard, put_in_place, tensor_portions
from charrnn.runs.durable import make_folder, sync_folder, write_file
from charrnn.runs.manifest import MANIFEST, MODEL, FileFacts, manifest_bytes
from charrnn.runs.saved import MILESTONES, folder_name


def save_milestone(
    run: Path,
    *,
    step: int,
    chars: int,
    model: Mapping[str, torch.Tensor],
    val_loss: float | None,
    vocabulary: Mapping[str, Any],
) -> Path:
    """Writes the weights after `step`, when `chars` characters had been learnt from; tensors on the CPU.

    `val_loss` in nats per character, None where it was not measured then; `vocabulary` its facts. Raises OSError: the
    milestone is then not there.
    """
    final = run / MILESTONES / folder_name(step)
    new = beside(final, "new")
    if not run.is_dir():  # it is for its engine to make it again
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(run))
    make_folder(final.parent)
    discard(new)
    new.mkdir()
    try:
        size, sha256 = write_file(new / MODEL, tensor_portions(model))
        facts = {"chars": chars, **vocabulary}
        files = {MODEL: FileFacts(size, sha256)}
        write_file(new / MANIFEST, [manifest_bytes(step=step, val_loss=val_loss, files=files, facts=facts)])
        sync_folder(new)
        put_in_place(new, final)
    except BaseException:
        discard(new)
        raise
    return final
