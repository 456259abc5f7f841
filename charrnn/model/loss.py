"""The training loss, and its gradient, in one pass over the logits where there are kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional

from charrnn.model.addresses import address, native_fits
from charrnn.native.library import Library, library


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """The mean over all rows of −log softmax(logits)[target], nats per character, a scalar.

    Logits (…, vocabulary), targets (…) int64. On the CPU in float32 the gradient is made along with the loss,
    so it can be differentiated once.
    """
    rows, ids = logits.flatten(0, -2), targets.flatten()
    native = library()
    if native is None or not native_fits(logits):
        return functional.cross_entropy(rows, ids)
    loss: Tensor = _CrossEntropy.apply(rows.contiguous(), ids.contiguous(), native)  # type: ignore[no-untyped-call]
    return loss


class _CrossEntropy(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, targets: Tensor, native: Library) -> Tensor:
        rows, symbols = logits.shape
        gradients = torch.empty_like(logits)
        total = native.cross_entropy(
            address(logits, rows, symbols),
            address(targets, rows, dtype=torch.int64),
            address(gradients, rows, symbols),
            rows,
            symbols,
            1 / max(1, rows),
        )
        if total < 0:
            raise ValueError(f"a target is none of the {symbols} symbols")
        ctx.save_for_backward(gradients)
        return torch.tensor(total / max(1, rows))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_loss: Tensor) -> tuple[Tensor, None, None]:
        (gradients,) = ctx.saved_tensors
        return gradients if of_loss.item() == 1 else gradients * of_loss, None, None
