"""Whether a vocabulary's part of a model fits into the memory that there is: asked before anything is made of it."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from charrnn.config import RunConfig, UsageError
from charrnn.text.vocabulary import Vocabulary, Words

_FLOAT = 4  # bytes
_COPIES = 6  # weights, gradients, Adam's two moments, what the sampler has, and a copy on its way to a checkpoint
_LOGITS = 3  # of a batch: logits, their softmax, their gradients


def vocabulary_bytes(size: int, config: RunConfig) -> int:
    """What training needs for the part of it that grows with the vocabulary: bytes of float32 numbers.

    The embedding's and the output's rows with everything that training keeps of each, and the logits of a batch.
    """
    model, training = config.model, config.training
    features = model.embedding or 4 * model.hidden  # one-hot vectors meet the gates' weights: an LSTM has four
    rows = size * (features + model.hidden + 1)
    return _FLOAT * (_COPIES * rows + _LOGITS * size * training.batch * training.length)


def memory_left(device: torch.device) -> int | None:
    """Bytes that this process could still take on the device, as far as the system tells; None where it does not."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    known = [number for number in (_available(), _group_left()) if number is not None]
    return min(known, default=None)


def require_memory(vocabulary: Vocabulary, config: RunConfig, device: torch.device) -> None:
    """Raises UsageError if the vocabulary's part of the model is larger than the memory."""
    needed, left = vocabulary_bytes(len(vocabulary), config), memory_left(device)
    if left is None or needed <= left:
        return
    options = "--batch, --length, --embedding or --hidden"
    raise UsageError(
        f"To learn {vocabulary.summary} takes {_gigabytes(needed)} of memory with these settings, and "
        f"{_gigabytes(left)} are free; give a smaller {'--max-vocabulary, ' * isinstance(vocabulary, Words)}{options}."
    )


def _gigabytes(number: int) -> str:
    return f"{number / 1e9:,.1f} GB"


def _available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return None


def _group_left(group: Path = Path("/sys/fs/cgroup")) -> int | None:
    """What a container's limit leaves (cgroup v2)."""
    try:
        limit = int((group / "memory.max").read_text(encoding="ascii"))
        return limit - int((group / "memory.current").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return None
