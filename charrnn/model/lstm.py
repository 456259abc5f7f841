"""An LSTM layer over a whole portion with the kernels of `charrnn.native`: values, and gradients back through time.

Where the layer reads characters, W x + b is made once for each symbol instead of once for each character, and the
gradients are added up by symbol before they meet W: a vocabulary is smaller than a portion. The recurrence runs in C;
the weights' gradients are one matrix product over the portion.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from charrnn.model.addresses import address, native_fits
from charrnn.native.library import Library, library

_STREAMS_A_THREAD = 8  # fewer would be too little work to hand over


def native_lstm(
    layer: nn.LSTM, source: Tensor | None, ids: Tensor | None, state: tuple[Tensor, ...] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]] | None:
    """Outputs (time, batch, hidden) and state (h, c) of one layer, or None where the kernels do not fit.

    `source` is the input (time, batch, features); or, with `ids` (time, batch) int64, what each symbol is read as
    (symbols, features), and None for one-hot vectors. The result can be differentiated once, with respect to the
    source, the weights and the state. Raises IndexError for an id that is no symbol.
    """
    kernels = library()
    read = source if ids is None else ids
    weights: Sequence[Tensor] = layer.all_weights[0]
    if kernels is None or read is None or read.numel() == 0 or torch.is_autocast_enabled("cpu"):
        return None  # the kernels know nothing but float32
    if not native_fits(*weights, *(state or ()), *([] if source is None else [source])):
        return None
    h, c = (None, None) if state is None else state
    ids = None if ids is None else ids.contiguous()
    if torch.is_grad_enabled():
        outputs, last_h, last_c = _LSTM.apply(kernels, source, ids, *weights, h, c)  # type: ignore[no-untyped-call]
        return outputs, (last_h, last_c)
    outputs, cells, _, _ = _forward(kernels, source, ids, weights, (h, c), keep=False)
    return outputs, (outputs[-1].clone(), cells[-1])


class _LSTM(torch.autograd.Function):
    """source, ids, weights, biases, h, c → outputs, the last h, the last c."""

    @staticmethod
    def forward(ctx: Any, kernels: Library, source: Tensor | None, ids: Tensor | None, *tensors: Any) -> Any:
        *weights, h, c = tensors
        outputs, cells, gates, before = _forward(kernels, source, ids, weights, (h, c), keep=True)
        ctx.set_materialize_grads(False)
        ctx.kernels, ctx.from_zeros = kernels, h is None
        ctx.save_for_backward(source, ids, *weights[:2], *before, outputs, cells, gates)
        return outputs, outputs[-1].clone(), cells[-1].clone()

    @staticmethod
    @once_differentiable
    def backward(
        ctx: Any, of_outputs: Tensor | None, of_h: Tensor | None, of_c: Tensor | None
    ) -> tuple[Tensor | None, ...]:
        source, ids, w, u, h, c, outputs, cells, gates = ctx.saved_tensors
        _, needs_source, _, needs_w, needs_u, needs_b, _, needs_h, needs_c = ctx.needs_input_grad
        (time, batch, hidden), rows = outputs.shape, 4 * outputs.shape[2]
        of_gates = torch.empty_like(gates)
        symbols = w.shape[1] if source is None else source.shape[0]
        of_projected = of_gates.view(-1, rows) if ids is None else u.new_zeros(symbols, rows)
        of_c = u.new_zeros(batch, hidden) if of_c is None else of_c.clone(memory_format=torch.contiguous_format)
        of_outputs, of_h = (None if tensor is None else tensor.contiguous() for tensor in (of_outputs, of_h))
        of_before = u.new_empty(batch, hidden) if needs_h else None
        packed = u.new_empty(ctx.kernels.lstm_packed_size(hidden))
        ctx.kernels.lstm_pack_backward(address(u, rows, hidden), packed.data_ptr(), hidden)
        ctx.kernels.lstm_backward(
            address(of_outputs, time, batch, hidden),
            address(of_h, batch, hidden),
            packed.data_ptr(),
            address(gates, time, batch, rows),
            address(cells, time, batch, hidden),
            address(c, batch, hidden),
            address(ids, time, batch, dtype=torch.int64),
            address(of_c, batch, hidden),
            address(of_gates, time, batch, rows),
            None if ids is None else address(of_projected, symbols, rows),
            address(of_before, batch, hidden),
            *(time, batch, hidden, 0, batch),
        )
        of_source = of_w = of_u = None
        if needs_u:
            of_u = of_gates[1:].view(-1, rows).t() @ outputs[:-1].view(-1, hidden)
            if not ctx.from_zeros:
                of_u.addmm_(of_gates[0].t(), h)
        if needs_w:
            of_w = of_projected.t() if source is None else of_projected.t() @ source.reshape(-1, source.shape[-1])
        if needs_source:
            of_source = (of_projected @ w).view(source.shape)
        of_bias = of_projected.sum(0) if needs_b else None
        return None, of_source, None, of_w, of_u, of_bias, of_bias, of_before, of_c if needs_c else None


def _forward(
    kernels: Library,
    source: Tensor | None,
    ids: Tensor | None,
    weights: Sequence[Tensor],
    state: tuple[Tensor | None, Tensor | None],
    *,
    keep: bool,
) -> tuple[Tensor, Tensor, Tensor | None, list[Tensor]]:
    """Outputs, cells, gates (all that backward needs with `keep`, else the last cells and None), the state before.

    The streams are shared out among PyTorch's threads.
    """
    w, u, b, b_u = weights
    read = source if ids is None else ids
    assert read is not None
    (time, batch), hidden = read.shape[:2], u.shape[1]
    if source is None:
        projected = torch.add(w.t(), b + b_u, out=w.new_empty(w.shape[1], 4 * hidden))
    else:
        projected = torch.addmm(b + b_u, source.reshape(-1, source.shape[-1]), w.t())
    symbols = projected.shape[0]
    h, c = (u.new_zeros(batch, hidden) if tensor is None else tensor.contiguous() for tensor in state)
    outputs = u.new_empty(time, batch, hidden)
    cells = u.new_empty(time if keep else 1, batch, hidden)
    gates = u.new_empty(time, batch, 4 * hidden) if keep else None
    packed = u.new_empty(kernels.lstm_packed_size(hidden))
    kernels.lstm_pack_forward(address(u, 4 * hidden, hidden), packed.data_ptr(), hidden)
    arguments = (
        address(projected, symbols, 4 * hidden),
        address(ids, time, batch, dtype=torch.int64),
        symbols,
        packed.data_ptr(),
        address(h, batch, hidden),
        address(c, batch, hidden),
        address(outputs, time, batch, hidden),
        address(cells, len(cells), batch, hidden),
        address(gates, time, batch, 4 * hidden),
        *(time, batch, hidden),
    )
    threads = max(1, min(torch.get_num_threads(), batch // _STREAMS_A_THREAD))
    cuts = [batch * thread // threads for thread in range(threads + 1)]
    if threads == 1:
        status = kernels.lstm_forward(*arguments, 0, batch)
    else:
        parts = [_pool(threads).submit(kernels.lstm_forward, *arguments, *cut) for cut in pairwise(cuts)]
        status = min(part.result() for part in parts)
    if status < 0:
        raise IndexError(f"an id is none of the {symbols} symbols")
    return outputs, cells, gates, [h, c]


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "lstm")
