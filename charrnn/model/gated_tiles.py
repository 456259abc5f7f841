"""The two branches of `charrnn.model.gated` where the CPU has tile registers (AMX): one call there, one call back.

Products are bfloat16 with sums in float32, as under `torch.autocast`, and made block by block beside what stands before
and after them, so that what lies between hardly leaves the cache; gradients of weights are float32 throughout. From
forward to backward only the residual stream and the states are kept, the rest is made again. A width that is no
multiple of 32 does not fit: `charrnn.model.gated_native` then leaves the products to PyTorch.
"""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from charrnn.model.addresses import address
from charrnn.native.library import Library

Drop = tuple[int, int, float]
"""A seed, the limit below which a hash means dropped, the factor for what is not; a limit of 0 is no dropout."""

_SIDE = 32


def tiles_fit(found: Library, dtype: torch.dtype, units: int) -> bool:
    """Whether products of this type and width may be made with tiles, on this machine and by this process."""
    return dtype == torch.bfloat16 and units % _SIDE == 0 and _allowed(found)


@lru_cache(maxsize=4)
def _allowed(found: Library) -> bool:
    return bool(found.tiles_allowed())


class _Room(threading.local):
    """Scratch of a thread, kept from call to call: fresh memory would cost page faults in every step."""

    bytes: Tensor = torch.empty(0, dtype=torch.uint8)

    def of(self, size: int) -> int:
        """The address of so many bytes, from a cache line's beginning."""
        if len(self.bytes) < size + 63:
            self.bytes = torch.empty(size + 63, dtype=torch.uint8)
        return (self.bytes.data_ptr() + 63) // 64 * 64


room = _Room()


class TiledRecurrent(torch.autograd.Function):
    """x (time, batch, units), h, before, gain, taps, W_in, b_in, W_out → x after, the last h, the normed inputs."""

    @staticmethod
    def forward(
        ctx: Any, found: Library, drop: Drop, x: Tensor, h: Tensor | None, before: Tensor | None, *weights: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        gain, taps, enter, bias, leave = weights
        time, batch, units = x.shape
        width = len(taps)
        kept, inverse = x.new_empty(batch, width - 1, units), x.new_empty(time, batch)
        states, after = torch.empty_like(x), torch.empty_like(x)
        found.tiled_recurrent(
            address(x, time, batch, units),
            address(gain, units),
            address(taps, width, units),
            address(before, batch, width - 1, units),
            address(enter, 3 * units, units),
            address(bias, 3 * units),
            address(h, batch, units),
            address(leave, units, units),
            *(tensor.data_ptr() for tensor in (kept, inverse, states, after)),
            room.of(found.tiled_recurrent_room(batch, units, width)),
            *(time, batch, units, width),
            *drop,
        )
        ctx.save_for_backward(x, h, before, gain, taps, enter, bias, leave, inverse, states)
        ctx.found, ctx.drop = found, drop
        ctx.set_materialize_grads(False)
        return after, states[-1].clone(), kept

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_after: Tensor | None, of_last: Tensor | None, of_kept: Tensor | None) -> Any:
        x, h, before, gain, taps, enter, bias, leave, inverse, states = ctx.saved_tensors
        found: Library = ctx.found
        time, batch, units = x.shape
        of_after = torch.zeros_like(x) if of_after is None else of_after.contiguous()
        of_h = x.new_zeros(batch, units) if of_last is None else of_last.clone(memory_format=torch.contiguous_format)
        of_before = None if before is None or not ctx.needs_input_grad[4] else torch.empty_like(before)
        of_x, of_enter, of_leave = (torch.empty_like(tensor) for tensor in (x, enter, leave))
        of_gain, of_taps, of_bias = (torch.zeros_like(tensor) for tensor in (gain, taps, bias))
        found.tiled_recurrent_backward(
            address(of_after, time, batch, units),
            *(
                None if tensor is None else tensor.data_ptr()
                for tensor in (x, gain, taps, before, enter, bias, h, leave)
            ),
            *(tensor.data_ptr() for tensor in (inverse, states, of_h, of_x, of_gain, of_taps)),
            None if of_before is None else of_before.data_ptr(),
            *(tensor.data_ptr() for tensor in (of_enter, of_bias, of_leave)),
            room.of(found.tiled_recurrent_room(batch, units, len(taps))),
            *(time, batch, units, len(taps)),
            *ctx.drop,
        )
        if of_kept is not None:
            through_kept(of_kept, x, inverse[..., None], gain, of_x, of_gain, of_before)
        of_h0 = None if h is None else of_h
        return None, None, of_x, of_h0, of_before, of_gain, of_taps, of_enter, of_bias, of_leave


def through_kept(
    of_kept: Tensor, x: Tensor, inverse: Tensor, gain: Tensor, of_x: Tensor, of_gain: Tensor, of_before: Tensor | None
) -> None:
    """Add what the gradient of the convolution's last inputs (batch, taps − 1, units) means for what made them."""
    of_kept = of_kept.transpose(0, 1)
    here = min(len(x), len(of_kept))
    if of_before is not None and here < len(of_kept):
        of_before[:, here:] += of_kept[: len(of_kept) - here].transpose(0, 1)
    unit = x[-here:] * inverse[-here:]
    of_gain += (of_kept[-here:] * unit).sum((0, 1))
    of_unit = of_kept[-here:] * gain
    of_x[-here:] += inverse[-here:] * (of_unit - unit * (of_unit * unit).mean(-1, keepdim=True))


class TiledFeedForward(torch.autograd.Function):
    """x (time, batch, units), gain, W_1, W_2 → x after."""

    @staticmethod
    def forward(ctx: Any, found: Library, drop: Drop, x: Tensor, *weights: Tensor) -> Tensor:
        gain, widen, narrow = weights
        time, batch, units = x.shape
        inverse, after = x.new_empty(time, batch), torch.empty_like(x)
        found.tiled_feed_forward(
            address(x, time, batch, units),
            address(gain, units),
            address(widen, 4 * units, units),
            address(narrow, units, 4 * units),
            *(inverse.data_ptr(), after.data_ptr()),
            room.of(found.tiled_feed_forward_room(units)),
            *(time * batch, units),
            *drop,
        )
        ctx.save_for_backward(x, gain, widen, narrow, inverse)
        ctx.found, ctx.drop = found, drop
        return after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_after: Tensor) -> Any:
        x, gain, widen, narrow, inverse = ctx.saved_tensors
        found: Library = ctx.found
        time, batch, units = x.shape
        of_x, of_widen, of_narrow = (torch.empty_like(tensor) for tensor in (x, widen, narrow))
        of_gain = torch.zeros_like(gain)
        found.tiled_feed_forward_backward(
            address(of_after.contiguous(), time, batch, units),
            *(tensor.data_ptr() for tensor in (x, inverse, gain, widen, narrow, of_x, of_gain, of_widen, of_narrow)),
            room.of(found.tiled_feed_forward_room(units)),
            *(time * batch, units),
            *ctx.drop,
        )
        return None, None, of_x, of_gain, of_widen, of_narrow
