"""Dropout whose random numbers may come from a generator of its own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Dropout(nn.Module):
    """Zeroes numbers with probability p while training, and scales the others by 1 / (1 − p).

    Srivastava et al., JMLR 15 (2014). With a `generator` of its own (CPU), it draws from that one instead of
    PyTorch's global generator, so that models trained in several threads draw the same numbers in every run.
    """

    def __init__(self, p: float) -> None:
        """p from 0 (nothing happens) to below 1."""
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Any shape, the same shape."""
        if not self.active:
            return x
        if self.generator is None:
            return functional.dropout(x, self.p)
        kept = torch.empty_like(x).bernoulli_(1 - self.p, generator=self.generator)
        return x * kept.div_(1 - self.p)

    @property
    def active(self) -> bool:
        """Whether anything is dropped at all."""
        return self.training and self.p > 0

    def seed(self) -> int:
        """A number of 32 bits from the same generator, for a kernel that makes its own random numbers of it."""
        return int(torch.randint(2**32, (), generator=self.generator))

    def __deepcopy__(self, _: object) -> Dropout:
        """A copy draws from the global generator until it is given one: generators cannot be shared by threads."""
        return Dropout(self.p).train(self.training)
