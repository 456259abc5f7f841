"""In what precision the forward and backward passes compute; weights, optimiser and losses stay in float32."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

from charrnn.config import Cell, Precision, UsageError

_CUDNN = ("rnn", "gru", "lstm")
"""Cells that cuDNN computes: torch.autocast hands them float16 whatever it was asked for (ATen/cudnn/AutocastRNN.cpp),
and float16 without scaling of the loss loses small gradients."""
_EXACT = (*_CUDNN, "lstmcell")
"""Cells that compute in float32 unless somebody asks for something else."""


def bfloat16_pays(device: torch.device) -> bool:
    """Whether products in bfloat16 are worth having: a CUDA GPU of compute capability 8.0, or a CPU with AMX tiles.

    With AMX they were measured 4 to 9 times as fast as in float32 (tests/benchmarks/NOTES.md).
    """
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device)[0] >= 8
    tiles = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return device.type == "cpu" and tiles is not None and bool(tiles())


def autocast_dtype(device: torch.device, precision: Precision, cell: Cell) -> torch.dtype | None:
    """What operations that bear it are cast to (torch.autocast), None for float32 throughout.

    "auto" is bfloat16 where that pays, for cells which are not an exact recipe of others; float32 everywhere else.
    Raises UsageError where bfloat16 was asked for and is not to be had.
    """
    if precision == "float32":
        return None
    there = bfloat16_pays(device)
    if precision == "auto":
        return torch.bfloat16 if there and cell not in _EXACT else None
    if device.type == "cuda" and not there:
        raise UsageError("This GPU does not compute in bfloat16; give --precision float32.")
    if device.type == "cuda" and cell in _CUDNN:
        raise UsageError(f"On a GPU the cell {cell} does not compute in bfloat16; give --precision float32.")
    if device.type not in ("cuda", "cpu"):
        raise UsageError(f"--precision bfloat16 is for a CUDA GPU or the CPU, not for {device.type}; give float32.")
    return torch.bfloat16


def casting(device: torch.device, dtype: torch.dtype | None) -> AbstractContextManager[object]:
    """A context for the forward pass; the backward pass follows it and stays outside."""
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype)
