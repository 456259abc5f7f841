"""The linear recurrence h_t = a_t ⊙ h_{t−1} + b_t over a whole portion, which is all the recurrence that a minGRU has.

Its gradients are the same recurrence run backwards in time (Martin and Cundy 2018, arXiv:1709.04057). On a CPU it goes
step by step, each step one operation over all streams and units; on a GPU, where a chain of small operations waits for
each next one to be launched, it is a parallel scan of ⌈log₂ time⌉ doubling steps (Hillis and Steele 1986). The doubling
only multiplies factors, so it neither divides nor takes logarithms: a factor of 0 or below is as good as any.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def linear_recurrence(a: Tensor, b: Tensor, h0: Tensor | None = None) -> Tensor:
    """All the h_t, shape (time, …); factors a and inputs b of that shape, the state before (…) or None for zeros.

    In float32 at least, whatever the arguments are; differentiable once in each of the three.
    """
    a, b = (tensor if tensor.dtype == torch.float64 else tensor.float() for tensor in (a, b))
    if h0 is None:
        h0 = torch.zeros_like(b[0])
    states: Tensor = _LinearRecurrence.apply(a, b, h0.to(b.dtype))  # type: ignore[no-untyped-call]
    return states


class _LinearRecurrence(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
        states = _scan(a, b, h0)
        ctx.save_for_backward(a, h0, states)
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        a, h0, states = ctx.saved_tensors
        # of_h_t = of_states_t + a_{t+1} of_h_{t+1}: the recurrence from the last character to the first
        later = torch.cat([torch.zeros_like(a[:1]), a[1:].flip(0)])
        of_b = _scan(later, of_states.flip(0), torch.zeros_like(h0)).flip(0)
        before = torch.cat([h0[None], states[:-1]])
        return of_b * before, of_b, of_b[0] * a[0]


def _scan(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    return step_by_step(a, b, h0) if a.device.type == "cpu" else doubling(a, b, h0)


def step_by_step(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """The recurrence as it is written, (time, …): the form for a CPU. No gradients."""
    states = torch.empty_like(b)
    h = h0
    for t in range(len(b)):
        h = torch.addcmul(b[t], a[t], h, out=states[t])
    return states


def doubling(a: Tensor, b: Tensor, h0: Tensor) -> Tensor:
    """The recurrence as a parallel scan, (time, …): the form for a GPU. No gradients.

    After the step of width w, b holds what the last 2w inputs gave, and a the product of the last 2w factors.
    """
    b = torch.cat([torch.addcmul(b[:1], a[:1], h0[None]), b[1:]])
    width = 1
    while width < len(b):
        b = torch.cat([b[:width], torch.addcmul(b[width:], a[width:], b[:-width])])
        a = torch.cat([a[:width], a[width:] * a[:-width]])
        width *= 2
    return b
