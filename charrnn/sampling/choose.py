"""From logits to the next character's id."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.addresses import address, native_fits
from charrnn.native.library import library

# Beyond these a temperature's limit is reached in float64: the likeliest shares all, or all share alike.
_COLDEST, _HOTTEST = 1e-30, 1e30


def probabilities(logits: Tensor, knobs: Knobs) -> Tensor:
    """The probability of each next character, (…, vocabulary) float64, from its logits (…, vocabulary).

    In this order, each filter acting on what the one before left, scaled to sum to 1 again:

    1. temperature: softmax(logits / temperature). Ackley, Hinton and Sejnowski, Cognitive Science 9 (1985).
    2. top-k: the k likeliest; among equals the lower id. Fan, Lewis and Dauphin (2018), arXiv:1805.04833.
    3. top-p: the fewest likeliest that together reach p. Holtzman et al. (2020), arXiv:1904.09751.
    4. min-p: those at least min_p times as likely as the likeliest. Nguyen et al. (2024), arXiv:2407.01082.

    Greedy gives the likeliest (the first among equals) probability 1 and ignores the rest. At temperature 0 the
    likeliest share all. Any input gives finite probabilities and leaves at least one character: NaN counts as −∞, a
    logit of +∞ leaves only its like, and where every logit is −∞ all characters are as likely.
    """
    logits, top = _finite_at_the_top(logits.detach().double())
    if knobs.greedy:
        return torch.zeros_like(logits).scatter_(-1, logits.argmax(-1, keepdim=True), 1.0)
    chances = torch.softmax((logits - top) / _temperature(knobs), -1)
    if 0 < knobs.top_k < chances.shape[-1] or knobs.top_p < 1:
        chances = _likeliest(chances, knobs)
    if knobs.min_p > 0:
        chances = chances * (chances >= min(knobs.min_p, 1.0) * chances.amax(-1, keepdim=True))
        chances = chances / chances.sum(-1, keepdim=True)
    return chances


def choose(logits: Tensor, knobs: Knobs, generator: torch.Generator) -> int:
    """An id drawn from `probabilities(logits, knobs)` with this generator, which greedy leaves alone."""
    return draw(probabilities(logits, knobs), knobs, generator)


class Choice(NamedTuple):
    """An id, its probability under the knobs, and whether all the logits that it was chosen from were finite."""

    symbol: int
    probability: float
    finite: bool


class Chooser:
    """Chooses as `choose` does, one character after the other; fast for usual knobs."""

    def __init__(self, symbols: int) -> None:
        """For logits of this many symbols."""
        self._kernels = library()
        self._symbols = symbols
        self._noise = torch.empty(symbols, dtype=torch.float64)
        self._chances = np.empty(symbols)
        self._room = self._noise.data_ptr(), self._chances.ctypes.data
        self._logits: Tensor | None = None  # those of the last choice: a stream's are often the same memory
        self._place: int | None = None  # where they lie, if the kernels can read them

    def choose(self, logits: Tensor, knobs: Knobs, generator: torch.Generator) -> Choice:
        """From logits (vocabulary,) on the CPU.

        `torch.multinomial` draws the symbol whose chance divided by exponential noise is the highest: so does the
        kernel, with the same noise, and both ways draw the same.
        """
        kernels = self._kernels
        if logits is not self._logits:
            self._logits, self._place = logits, address(logits, self._symbols) if native_fits(logits) else None
        if kernels is None or self._place is None:
            return self._with_torch(logits, knobs, generator, bool(torch.isfinite(logits).all()))
        finite = bool(kernels.all_finite(self._place, self._symbols))
        if not finite or knobs.greedy or 0 < knobs.top_k < self._symbols or knobs.top_p < 1:
            return self._with_torch(logits, knobs, generator, finite)
        self._noise.exponential_(generator=generator)
        min_p = min(knobs.min_p, 1.0) if knobs.min_p > 0 else 0.0
        chosen = kernels.pick(self._place, *self._room, self._symbols, _temperature(knobs), min_p)
        return Choice(chosen, float(self._chances[chosen]), True)

    def _with_torch(self, logits: Tensor, knobs: Knobs, generator: torch.Generator, finite: bool) -> Choice:
        chances = probabilities(logits, knobs)
        chosen = draw(chances, knobs, generator)
        return Choice(chosen, chances[chosen].item(), finite)


def _temperature(knobs: Knobs) -> float:
    return min(max(_COLDEST, knobs.temperature), _HOTTEST)  # NaN, too, counts as 0


def draw(chances: Tensor, knobs: Knobs, generator: torch.Generator) -> int:
    """An id drawn with these probabilities (vocabulary,).

    Of independent exponential waiting times with rates p the one with rate p_i ends first with probability p_i: the
    draw of `torch.multinomial`, number for number, in a form that rows with generators of their own can share.
    """
    if not knobs.greedy:
        chances = chances / torch.empty_like(chances).exponential_(generator=generator)
    return int(chances.argmax())


def draw_each(chances: Tensor, knobs: Knobs, generators: Sequence[torch.Generator]) -> list[int]:
    """An id for each row of (streams, vocabulary), drawn as `draw` does with that stream's own generator."""
    if not knobs.greedy:
        waiting = torch.empty_like(chances)
        for row, generator in zip(waiting.unbind(), generators, strict=True):
            row.exponential_(generator=generator)
        chances = chances / waiting
    chosen: list[int] = chances.argmax(-1).tolist()
    return chosen


def _likeliest(chances: Tensor, knobs: Knobs) -> Tensor:
    """Top-k, then top-p, on probabilities (…, vocabulary)."""
    sorted_chances, ids = chances.sort(dim=-1, descending=True, stable=True)
    if 0 < knobs.top_k < chances.shape[-1]:
        sorted_chances[..., knobs.top_k :] = 0
        sorted_chances /= sorted_chances.sum(-1, keepdim=True)
    if knobs.top_p < 1:
        before = sorted_chances.cumsum(-1) - sorted_chances
        left_out = before >= knobs.top_p
        left_out[..., 0] = False
        sorted_chances[left_out] = 0
        sorted_chances /= sorted_chances.sum(-1, keepdim=True)
    return torch.zeros_like(chances).scatter_(-1, ids, sorted_chances)


def _finite_at_the_top(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Logits with a finite maximum, which nothing but NaN, +∞ or −∞ everywhere can prevent; and it, (…, 1)."""
    top = logits.amax(-1, keepdim=True)
    if math.isfinite((top if top.numel() == 1 else top.sum()).item()):  # a maximum is NaN if any of its row is
        return logits, top
    logits = logits.nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
    top = logits.amax(-1, keepdim=True)
    flat = torch.where(logits < math.inf, -math.inf, 0.0)  # for rows whose maximum is +∞
    logits = torch.where(top == math.inf, flat, torch.where(top == -math.inf, 0.0, logits))
    return logits, logits.amax(-1, keepdim=True)
