"""Where a tensor's numbers lie, for the kernels of `charrnn.native`, which take addresses and check nothing."""

from __future__ import annotations

import torch
from torch import Tensor


def native_fits(*tensors: Tensor) -> bool:
    """Whether kernels may work on these: float32 numbers on the CPU."""
    return all(tensor.dtype == torch.float32 and tensor.device.type == "cpu" for tensor in tensors)


def address(tensor: Tensor | None, *shape: int, dtype: torch.dtype = torch.float32) -> int | None:
    """The address of a contiguous tensor on the CPU, None for None. Raises ValueError for any other tensor.

    The caller keeps the tensor alive while the address is used.
    """
    if tensor is None:
        return None
    if tensor.device.type != "cpu" or tensor.dtype != dtype or not tensor.is_contiguous() or tensor.shape != shape:
        found = f"{tuple(tensor.shape)} {tensor.dtype} on {tensor.device}"
        raise ValueError(f"a kernel takes contiguous {shape} {dtype} on the CPU, and this is {found}")
    return tensor.data_ptr()
