"""An average of the weights of late: less noisy than the newest ones, and therefore what is evaluated and sampled."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from charrnn.config import UsageError
from charrnn.model.language_model import LanguageModel

EVERY = 4
"""Steps between two updates: the average hardly notices, and the cost is a quarter."""


class AveragedModel:
    """A copy of a model whose weights are the exponential moving average of that model's, in float32.

    Each update moves it by max(1 − decay^EVERY, 9 / (updates + 8)) towards the weights: at first, while a fixed decay
    would still hold on to how the weights began, it is the polynomial-decay average with η = 8 of Shamir and Zhang
    2013, arXiv:1212.1824, which spans about the last ninth of the steps whatever their number, and starts as a plain
    copy. So there is no bias to correct.
    """

    def __init__(self, model: LanguageModel, decay: float) -> None:
        """Starts as a copy of the model as it is; `decay` is per step. Raises UsageError unless it is in (0, 1)."""
        if not 0 < decay < 1:
            raise UsageError(f"No weights are averaged with a decay of {decay}; give --average 0 (off) or below 1.")
        self.model = copy.deepcopy(model).float().eval().requires_grad_(False)
        self._source = model
        self._decay = decay
        self.updates = 0

    def after_step(self, step: int) -> None:
        """Call after every step, with the number of steps done: every EVERY-th one counts."""
        if step % EVERY == 0:
            self.update()

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the model's present weights; buffers are taken over as they are."""
        self.updates += 1
        amount = max(1 - self._decay**EVERY, 9 / (self.updates + 8))
        sources: list[Tensor] = [parameter.detach().float() for parameter in self._source.parameters()]
        torch._foreach_lerp_(list(self.model.parameters()), sources, amount)
        for own, buffer in zip(self.model.buffers(), self._source.buffers(), strict=True):
            own.copy_(buffer)
