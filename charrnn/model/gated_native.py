"""The two branches of `charrnn.model.gated` with the kernels of `charrnn.native`: values and gradients, on a CPU.

Matrix products are PyTorch's, everything between them is one pass over memory; where the CPU has tile registers and the
width is a multiple of 32, products in bfloat16 are our own too (`charrnn.model.gated_tiles`). Under `torch.autocast`
for the CPU, products and what goes into them are bfloat16; residual stream, recurrence and all sums are float32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.model.addresses import address, native_fits
from charrnn.model.dropout import Dropout
from charrnn.model.gated_tiles import Drop, TiledFeedForward, TiledRecurrent, through_kept, tiles_fit
from charrnn.native.library import Library, library

if TYPE_CHECKING:
    from charrnn.model.gated import FeedForwardBranch, RecurrentBranch


def recurrent_branch(
    branch: RecurrentBranch, x: Tensor, state: tuple[Tensor, ...] | None
) -> tuple[Tensor, tuple[Tensor, ...]] | None:
    """What `RecurrentBranch.forward` gives, or None where the kernels do not fit."""
    kernels = _kernels(x, branch.leave.weight, *(state or ()))
    if kernels is None:
        return None
    h, before = (None, None) if state is None else (tensor.contiguous() for tensor in state)
    weights = (branch.norm.gain, branch.taps, branch.enter.weight, branch.enter.bias, branch.leave.weight)
    function, means = _function(kernels, x.shape[-1], TiledRecurrent, _Recurrent)
    after, last, kept = function.apply(means, _drop(branch.dropout), x.contiguous(), h, before, *weights)
    return after, (last, kept)


def feed_forward_branch(branch: FeedForwardBranch, x: Tensor) -> Tensor | None:
    """What `FeedForwardBranch.forward` gives, or None where the kernels do not fit."""
    kernels = _kernels(x, branch.narrow.weight)
    if kernels is None:
        return None
    weights = (branch.norm.gain, branch.widen.weight, branch.narrow.weight)
    function, means = _function(kernels, x.shape[-1], TiledFeedForward, _FeedForward)
    after: Tensor = function.apply(means, _drop(branch.dropout), x.contiguous(), *weights)
    return after


def norm(gain: Tensor, x: Tensor) -> Tensor | None:
    """What `RMSNorm.forward` gives, in float32, or None where the kernels do not fit."""
    kernels = _kernels(x, gain, dtype=torch.float32)
    if kernels is None:
        return None
    normed: Tensor = _Norm.apply(kernels, x.contiguous(), gain)  # type: ignore[no-untyped-call]
    return normed


class _Kernels:
    """The kernels for one type of activations."""

    def __init__(self, found: Library, dtype: torch.dtype) -> None:
        self.dtype = dtype
        self.library, self._suffix = found, "_bfloat16" if dtype == torch.bfloat16 else "_float32"

    def __getattr__(self, name: str) -> Any:
        function = getattr(self.library, name + self._suffix)
        setattr(self, name, function)
        return function


_by_type: dict[torch.dtype, _Kernels] = {}


def _kernels(*tensors: Tensor, dtype: torch.dtype | None = None) -> _Kernels | None:
    """Those for this type of activations, which otherwise torch.autocast decides; None where they do not fit."""
    found = library()
    if found is None or tensors[0].numel() == 0 or not native_fits(*tensors):
        return None
    if dtype is None:
        casts = torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype("cpu") == torch.bfloat16
        dtype = torch.bfloat16 if casts else torch.float32
    kernels = _by_type.get(dtype)
    if kernels is None or kernels.library is not found:
        kernels = _by_type[dtype] = _Kernels(found, dtype)
    return kernels


def _function(kernels: _Kernels, units: int, tiled: Any, by_pytorch: Any) -> tuple[Any, Library | _Kernels]:
    """The branch's function with tiles where they fit, with PyTorch's products elsewhere; and what it works with."""
    if tiles_fit(kernels.library, kernels.dtype, units):
        return tiled, kernels.library
    return by_pytorch, kernels


def _drop(dropout: Dropout) -> Drop:
    """A seed and a limit of 32 bits, and a factor, as `Drop` says."""
    if not dropout.active:
        return 0, 0, 1.0
    return dropout.seed(), max(1, int(dropout.p * 2**32)), 1 / (1 - dropout.p)


class _Norm(torch.autograd.Function):
    """x (…, units), gain → normed, both float32."""

    @staticmethod
    def forward(ctx: Any, kernels: _Kernels, x: Tensor, gain: Tensor) -> Tensor:
        normed, inverse = torch.empty_like(x), x.new_empty(x.shape[:-1])
        kernels.norm_forward(
            x.data_ptr(),
            address(gain, x.shape[-1]),
            *(None, None, None),
            *(normed.data_ptr(), None, inverse.data_ptr()),
            *(inverse.numel(), 1, x.shape[-1], 1),
        )
        ctx.save_for_backward(x, gain, inverse)
        ctx.kernels = kernels
        return normed

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_normed: Tensor) -> Any:
        x, gain, inverse = ctx.saved_tensors
        of_normed = of_normed.contiguous()
        of_x, of_gain, scratch = torch.zeros_like(x), torch.zeros_like(gain), x.new_empty(x.shape[-1])
        ctx.kernels.norm_backward(
            *(tensor.data_ptr() for tensor in (of_normed, of_x, x, inverse)),
            *(None, gain.data_ptr(), None, None),
            *(of_x.data_ptr(), of_gain.data_ptr()),
            *(None, None),
            scratch.data_ptr(),
            *(inverse.numel(), 1, x.shape[-1], 1),
        )
        return None, of_x, of_gain


class _Recurrent(torch.autograd.Function):
    """x, h, before, gain, taps, W_in, b_in, W_out → x after, the last h, the convolution's last inputs."""

    @staticmethod
    def forward(
        ctx: Any,
        kernels: _Kernels,
        drop: Drop,
        x: Tensor,
        h: Tensor | None,
        before: Tensor | None,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        gain, taps, enter, bias, leave = weights
        time, batch, units = x.shape
        rows, width, kind = time * batch, len(taps), kernels.dtype
        enter, leave = enter.to(kind), leave.to(kind)
        kept = x.new_empty(batch, width - 1, units)
        inverse = x.new_empty(rows)
        normed, u = (x.new_empty(rows, units, dtype=kind) for _ in range(2))
        kernels.norm_forward(
            address(x, time, batch, units),
            address(gain, units),
            address(taps, width, units),
            address(before, batch, width - 1, units),
            *(tensor.data_ptr() for tensor in (kept, normed, u, inverse)),
            *(time, batch, units, width),
        )
        projected = torch.mm(u, enter.t())
        states = torch.empty_like(x)
        gated = torch.empty_like(u)
        kernels.mingru_forward(
            projected.data_ptr(),
            address(bias, 3 * units),
            address(h, batch, units),
            *(states.data_ptr(), gated.data_ptr()),
            *(time, batch, units),
        )
        branch, after = torch.mm(gated, leave.t()), torch.empty_like(x)
        kernels.add_dropped_forward(x.data_ptr(), branch.data_ptr(), after.data_ptr(), x.numel(), *drop)
        ctx.save_for_backward(
            x, h, before, gain, taps, enter, bias, leave, normed, u, inverse, projected, states, gated
        )
        ctx.kernels, ctx.drop = kernels, drop
        ctx.set_materialize_grads(False)
        return after, states[-1].clone(), kept

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_after: Tensor | None, of_last: Tensor | None, of_kept: Tensor | None) -> Any:
        x, h, before, gain, taps, enter, bias, leave, normed, u, inverse, projected, states, gated = ctx.saved_tensors
        kernels: _Kernels = ctx.kernels
        time, batch, units = x.shape
        of_after = torch.zeros_like(x) if of_after is None else of_after.contiguous()
        of_branch = torch.empty_like(gated)
        kernels.add_dropped_backward(of_after.data_ptr(), of_branch.data_ptr(), x.numel(), *ctx.drop)
        of_leave = torch.mm(of_branch.t(), gated).float()
        of_gated = torch.mm(of_branch, leave)
        of_h = x.new_zeros(batch, units) if of_last is None else of_last.clone(memory_format=torch.contiguous_format)
        of_projected, of_bias = torch.empty_like(projected), torch.zeros_like(bias)
        kernels.mingru_backward(
            of_gated.data_ptr(),
            projected.data_ptr(),
            bias.data_ptr(),
            None if h is None else h.data_ptr(),
            *(tensor.data_ptr() for tensor in (states, of_h, of_projected, of_bias)),
            *(time, batch, units),
        )
        of_enter = torch.mm(of_projected.t(), u).float()
        of_u = torch.mm(of_projected, enter, out=of_gated)
        of_x, of_gain, of_taps = torch.empty_like(x), torch.zeros_like(gain), torch.zeros_like(taps)
        scratch = x.new_empty(units)
        of_before = None if before is None or not ctx.needs_input_grad[4] else torch.empty_like(before)
        kernels.norm_backward(
            *(tensor.data_ptr() for tensor in (of_u, of_after, x, inverse, normed, gain, taps)),
            None if before is None else before.data_ptr(),
            *(tensor.data_ptr() for tensor in (of_x, of_gain, of_taps)),
            None if of_before is None else of_before.data_ptr(),
            scratch.data_ptr(),
            *(time, batch, units, len(taps)),
        )
        if of_kept is not None:
            through_kept(of_kept, x, inverse.view(time, batch, 1), gain, of_x, of_gain, of_before)
        of_h0 = None if h is None else of_h
        return None, None, of_x, of_h0, of_before, of_gain, of_taps, of_enter, of_bias, of_leave


class _FeedForward(torch.autograd.Function):
    """x, gain, W_1, W_2 → x after."""

    @staticmethod
    def forward(ctx: Any, kernels: _Kernels, drop: Drop, x: Tensor, *weights: Tensor) -> Tensor:
        time, batch, units = x.shape
        rows, kind = time * batch, kernels.dtype
        gain, widen, narrow = weights[0], *(weight.to(kind) for weight in weights[1:])
        inverse, normed = x.new_empty(rows), x.new_empty(rows, units, dtype=kind)
        kernels.norm_forward(
            address(x, time, batch, units),
            address(gain, units),
            *(None, None, None),
            *(normed.data_ptr(), None, inverse.data_ptr()),
            *(time, batch, units, 1),
        )
        wide = torch.mm(normed, widen.t())
        squared = torch.empty_like(wide)
        kernels.squared_relu_forward(wide.data_ptr(), squared.data_ptr(), wide.numel())
        branch, after = torch.mm(squared, narrow.t()), torch.empty_like(x)
        kernels.add_dropped_forward(x.data_ptr(), branch.data_ptr(), after.data_ptr(), x.numel(), *drop)
        ctx.save_for_backward(x, gain, widen, narrow, normed, inverse, wide, squared)
        ctx.kernels, ctx.drop = kernels, drop
        return after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_after: Tensor) -> Any:
        x, gain, widen, narrow, normed, inverse, wide, squared = ctx.saved_tensors
        kernels: _Kernels = ctx.kernels
        time, batch, units = x.shape
        of_after = of_after.contiguous()
        of_branch = torch.empty_like(normed)
        kernels.add_dropped_backward(of_after.data_ptr(), of_branch.data_ptr(), x.numel(), *ctx.drop)
        of_narrow = torch.mm(of_branch.t(), squared).float()
        of_wide = torch.mm(of_branch, narrow)
        kernels.squared_relu_backward(*[of_wide.data_ptr(), wide.data_ptr(), of_wide.data_ptr()], wide.numel())
        of_widen = torch.mm(of_wide.t(), normed).float()
        of_normed = torch.mm(of_wide, widen, out=of_branch)
        of_x, of_gain, scratch = torch.empty_like(x), torch.zeros_like(gain), x.new_empty(units)
        kernels.norm_backward(
            *(tensor.data_ptr() for tensor in (of_normed, of_after, x, inverse, normed, gain)),
            *(None, None),
            *(of_x.data_ptr(), of_gain.data_ptr()),
            *(None, None),
            scratch.data_ptr(),
            *(time, batch, units, 1),
        )
        return None, None, of_x, of_gain, of_widen, of_narrow
