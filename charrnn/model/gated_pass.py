"""A training pass through a whole model of gated blocks, forward and backward, without autograd.

The arithmetic is that of `LanguageModel.forward`, `cross_entropy` and their gradients with `charrnn.model.gated_tiles`.
Autograd's own work for a pass, about a millisecond of Python and so of its lock, is a fifth of a small model's step,
and threads that each train a shard wait for it; here a pass is a dozen calls of kernels, in memory that is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from charrnn.model.cells import LayerState
from charrnn.model.gated import TAPS, MinGRU
from charrnn.model.gated_tiles import Drop, room, tiles_fit
from charrnn.model.language_model import LanguageModel, State
from charrnn.native.library import Library, library

_ALIGNED = 16  # floats in a cache line


def gated_pass(model: nn.Module, dtype: torch.dtype | None) -> GatedPass | None:
    """A training pass for this model in this type of activations; None where only autograd will do."""
    found = library()
    if found is None or dtype is None or not isinstance(model, LanguageModel):
        return None
    parameters = list(model.parameters())
    ours = all(isinstance(layer, MinGRU) for layer in model.layers) and model.embedding is not None
    plain = all(p.dtype == torch.float32 and p.device.type == "cpu" and p.is_contiguous() for p in parameters)
    if not ours or not plain or model.enter is not None or not tiles_fit(found, dtype, model.config.hidden):
        return None
    return GatedPass(model, found)


@dataclass(frozen=True, slots=True)
class _Parts:
    """A model's parameters by their roles."""

    table: Tensor  # the embedding
    recurrent: list[tuple[Tensor, ...]]  # of each layer: gain, taps, W_in, b_in, W_out
    feed_forward: list[tuple[Tensor, ...]]  # of each layer: gain, W_1, W_2
    gain: Tensor  # of the last norm
    output: Tensor
    bias: Tensor

    @classmethod
    def of(cls, model: LanguageModel) -> _Parts:
        """Of a model whose layers are all MinGRU."""
        blocks = [layer for layer in model.layers if isinstance(layer, MinGRU)]
        first, second = [block.recurrent for block in blocks], [block.feed_forward for block in blocks]
        assert model.embedding is not None
        assert model.norm is not None
        return cls(
            model.embedding.weight,
            [(b.norm.gain, b.taps, b.enter.weight, b.enter.bias, b.leave.weight) for b in first],
            [(b.norm.gain, b.widen.weight, b.narrow.weight) for b in second],
            model.norm.gain,
            model.output.weight,
            model.output.bias,
        )


@dataclass(slots=True)
class _Memory:
    """What a pass over (time, batch) characters leaves lying until its way back."""

    streams: list[Tensor]  # the residual stream before, between and after all branches, (time, batch, units) each
    states: list[Tensor]  # of each layer's recurrence, likewise
    inverses: list[Tensor]  # 1 / rms of each norm, (time, batch)
    normed: Tensor
    of_x: Tensor
    logits: Tensor

    @classmethod
    def of(cls, time: int, batch: int, units: int, layers: int, symbols: int) -> _Memory:
        def stream() -> Tensor:
            return torch.empty(time, batch, units)

        return cls(
            [stream() for _ in range(2 * layers + 1)],
            [stream() for _ in range(layers)],
            [torch.empty(time, batch) for _ in range(2 * layers + 1)],
            normed=torch.empty(time * batch, units),
            of_x=torch.empty(time * batch, units),
            logits=torch.empty(time * batch, symbols),
        )


class GatedPass:
    """Forward and backward of one model, whose gradients lie side by side in `gradients`; for one thread at a time."""

    def __init__(self, model: LanguageModel, found: Library) -> None:
        """Use `gated_pass`, which checks that the model is one for this."""
        self._found, self._dropout, self._parts = found, model.dropout, _Parts.of(model)
        parts = self._parts
        parameters = list(model.parameters())
        # gradients that kernels add to come first, to be set to zero in one go
        added = {id(p) for p in parameters if p.dim() == 1 or p.shape[0] == TAPS}
        if parts.output is not parts.table:
            added.add(id(parts.table))
        places, end = {}, 0
        for parameter in sorted(parameters, key=lambda p: id(p) not in added):
            if id(parameter) in added:
                self._zeroed = end + parameter.numel()
            places[id(parameter)] = end
            end += -(-parameter.numel() // _ALIGNED) * _ALIGNED
        self.gradients = torch.zeros(end)
        self._views = [(p, self.gradients[places[id(p)] : places[id(p)] + p.numel()].view(p.shape)) for p in parameters]
        self._of = {id(parameter): view for parameter, view in self._views}
        self._memory: _Memory | None = None

    def __call__(self, inputs: Tensor, targets: Tensor, state: State | None, share: float) -> tuple[float, State]:
        """Inputs and targets (time, batch), ids → the mean loss, nats per character, times `share`; the state after.

        Leaves its gradients in the parameters, unless it is not finite. Raises IndexError for an id that is none of the
        model's.
        """
        with torch.no_grad():
            return self._pass(inputs.contiguous(), targets.contiguous(), state, share)

    def _pass(self, inputs: Tensor, targets: Tensor, state: State | None, share: float) -> tuple[float, State]:
        parts, found = self._parts, self._found
        time, batch = inputs.shape
        symbols, units = parts.output.shape
        memory = self._memory
        if memory is None or memory.streams[0].shape[:2] != inputs.shape:
            memory = self._memory = _Memory.of(time, batch, units, len(parts.recurrent), symbols)
        shape = (time, batch, units, TAPS)
        drops = self._drops()
        x = memory.streams[0]
        if found.embed(*_at(inputs, parts.table, x), time * batch, units, symbols):
            raise IndexError(f"an input is none of the {symbols} symbols")
        after: State = []
        layers: list[LayerState | None] = [*state] if state else [None] * len(parts.recurrent)
        before = [_whole(layer) for layer in layers]
        for index in range(len(parts.recurrent)):
            h, kept = before[index]
            x, between, end = memory.streams[2 * index : 2 * index + 3]
            states, new = memory.states[index], torch.empty(batch, TAPS - 1, units)
            gain, taps, enter, bias, leave = parts.recurrent[index]
            found.tiled_recurrent(
                *_at(x, gain, taps, kept, enter, bias, h, leave),
                *_at(new, memory.inverses[2 * index], states, between),
                room.of(found.tiled_recurrent_room(batch, units, TAPS)),
                *shape,
                *drops[2 * index],
            )
            after.append((states[-1].clone(), new))
            found.tiled_feed_forward(
                *_at(between, *parts.feed_forward[index], memory.inverses[2 * index + 1], end),
                room.of(found.tiled_feed_forward_room(units)),
                *(time * batch, units),
                *drops[2 * index + 1],
            )
        loss = self._head(memory, targets, share)
        if math.isfinite(loss):
            self._back(memory, inputs, before, drops)
            for parameter, view in self._views:
                parameter.grad = view
        return loss, after

    def _head(self, memory: _Memory, targets: Tensor, share: float) -> float:
        """The last norm, the logits, the loss; the logits become their gradient."""
        parts, found = self._parts, self._found
        rows, symbols = memory.logits.shape
        x, normed = memory.streams[-1], memory.normed
        found.norm_forward_float32(
            *_at(x, parts.gain, None, None, None, normed, None, memory.inverses[-1]),
            *(rows, 1, x.shape[-1], 1),
        )
        torch.addmm(parts.bias, normed, parts.output.t(), out=memory.logits)
        total = found.cross_entropy(*_at(memory.logits, targets, memory.logits), rows, symbols, share / rows)
        if total < 0:
            raise IndexError(f"a target is none of the {symbols} symbols")
        return float(total / rows * share)

    def _back(
        self, memory: _Memory, inputs: Tensor, before: list[tuple[Tensor | None, Tensor | None]], drops: list[Drop]
    ) -> None:
        """Every gradient, from that of the logits on; that of the residual stream changes in its place."""
        parts, found = self._parts, self._found
        time, batch = inputs.shape
        rows, units = memory.normed.shape
        shape = (time, batch, units, TAPS)
        of_output, of_x = self._of[id(parts.output)], memory.of_x
        self.gradients[: self._zeroed].zero_()
        torch.mm(memory.logits.t(), memory.normed, out=of_output)
        torch.sum(memory.logits, 0, out=self._of[id(parts.bias)])
        torch.mm(memory.logits, parts.output, out=memory.normed)
        of_x.zero_()
        found.norm_backward_float32(
            *_at(memory.normed, of_x, memory.streams[-1], memory.inverses[-1], None, parts.gain, None, None),
            *_at(of_x, self._of[id(parts.gain)], None, None),
            room.of(4 * units),
            *(rows, 1, units, 1),
        )
        of_h = torch.empty(batch, units)
        for index in reversed(range(len(parts.recurrent))):
            x, between, _ = memory.streams[2 * index : 2 * index + 3]
            narrow_weights = parts.feed_forward[index]
            found.tiled_feed_forward_backward(
                *_at(of_x, between, memory.inverses[2 * index + 1], *narrow_weights, of_x),
                *_at(*(self._of[id(weight)] for weight in narrow_weights)),
                room.of(found.tiled_feed_forward_room(units)),
                *(rows, units),
                *drops[2 * index + 1],
            )
            h, kept = before[index]
            gain, taps, enter, bias, leave = parts.recurrent[index]
            of_gain, of_taps, of_enter, of_bias, of_leave = (self._of[id(w)] for w in (gain, taps, enter, bias, leave))
            found.tiled_recurrent_backward(
                *_at(
                    of_x, x, gain, taps, kept, enter, bias, h, leave, memory.inverses[2 * index], memory.states[index]
                ),
                *_at(of_h.zero_(), of_x, of_gain, of_taps, None, of_enter, of_bias, of_leave),
                room.of(found.tiled_recurrent_room(batch, units, TAPS)),
                *shape,
                *drops[2 * index],
            )
        of_table = self._of[id(parts.table)]
        found.embed_backward(*_at(inputs, of_x, of_table), rows, units)

    def _drops(self) -> list[Drop]:
        """For each branch, from one draw: the same numbers as one draw a branch gives."""
        dropout, count = self._dropout, 2 * len(self._parts.recurrent)
        if not dropout.active:
            return [(0, 0, 1.0)] * count
        limit, scale = max(1, int(dropout.p * 2**32)), 1 / (1 - dropout.p)
        seeds = torch.randint(2**32, (count,), generator=dropout.generator).tolist()
        return [(seed, limit, scale) for seed in seeds]


def _whole(layer: tuple[Tensor, ...] | None) -> tuple[Tensor | None, Tensor | None]:
    return (None, None) if layer is None else (layer[0].contiguous(), layer[1].contiguous())


def _at(*tensors: Tensor | None) -> list[int | None]:
    """Addresses of contiguous tensors."""
    return [None if tensor is None else tensor.data_ptr() for tensor in tensors]
