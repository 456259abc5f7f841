"""A trainer's state as named tensors: copies in memory, and picking parts out by name."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A trainer's state in memory, on its device, after `step` steps; `rate` is the stable learning rate then."""

    step: int
    rate: float
    weights: dict[str, Tensor]
    state: dict[str, Tensor]


def copied(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same numbers in memory of their own, on the same device."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def copied_to(tensor: Tensor, device: torch.device) -> Tensor:
    """The same numbers on a device, in memory of their own."""
    return tensor.detach().to(device, copy=True)


def part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Those whose name begins so, without that beginning."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def split(tensors: dict[str, Tensor], kind: str) -> list[tuple[str, int, str]]:
    """The names "kind/index/key", each with its index and key."""
    parts = [(name, *name.split("/")) for name in tensors if name.startswith(f"{kind}/")]
    return [(name, int(index), key) for name, _, index, key in parts]
