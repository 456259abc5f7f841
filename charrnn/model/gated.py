"""A residual block around the minimal gated recurrent unit: the cell `mingru`.

For each character, with x on the residual stream of `hidden` numbers and every norm that of `RMSNorm`:

    u_t = Σ_j k_j ⊙ norm(x)_{t−j}, j from 0 to 3           a short causal convolution of each unit
    z = σ(W_z u + b_z), c = W_c u + b_c                      the gate and the candidate
    h_t = (1 − z) ⊙ h_{t−1} + z ⊙ c                          the recurrence
    x ← x + dropout(W_o (h ⊙ SiLU(W_g u + b_g)))             gated, back to the stream
    x ← x + dropout(W_2 relu(W_1 norm(x))²)                  a feed-forward layer, four times as wide

Neither gate nor candidate looks at h_{t−1}, so that everything but the recurrence is a matrix product over the whole
portion. The unit is from Feng et al., "Were RNNs all we needed?" (2024), arXiv:2410.01201; the block around it, gated
and behind a short convolution, is that of Griffin (De et al. 2024, arXiv:2402.19427) and Mamba (Gu and Dao 2023,
arXiv:2312.00752); squared ReLU is from Primer (So et al. 2021, arXiv:2109.08668), the norm from Zhang and Sennrich
2019, arXiv:1910.07467.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from charrnn.model import gated_native
from charrnn.model.dropout import Dropout
from charrnn.model.scan import linear_recurrence

TAPS = 4
EPSILON = 1e-6
LONGEST = 64.0
"""Characters: at first the units forget over times spread evenly, in their logarithms, from 1 to this."""


class RMSNorm(nn.Module):
    """x ⊙ gain / rms(x), the root mean square being over the last dimension."""

    def __init__(self, units: int) -> None:
        """With a gain for each unit, 1 at first."""
        super().__init__()
        self.gain = nn.Parameter(torch.ones(units))

    def forward(self, x: Tensor) -> Tensor:
        """(…, units), the same shape; in float32 at least."""
        found = gated_native.norm(self.gain, x)
        if found is not None:
            return found
        x = x if x.dtype == torch.float64 else x.float()
        normed: Tensor = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON) * self.gain
        return normed


class RecurrentBranch(nn.Module):
    """x + dropout(gated minGRU(convolution(norm(x)))): the first half of the block."""

    def __init__(self, units: int, blocks: int, dropout: Dropout) -> None:
        """`blocks` is how many the stack has: the branch's last weights start the smaller for it."""
        super().__init__()
        self.norm = RMSNorm(units)
        self.taps = nn.Parameter(torch.zeros(TAPS, units))
        self.enter = nn.Linear(units, 3 * units)
        self.leave = nn.Linear(units, units, bias=False)
        self.dropout = dropout
        with torch.no_grad():
            self.taps[0] = 1.0
            self.enter.weight.normal_(0, units**-0.5)
            self.enter.bias.zero_()
            self.enter.bias[:units] = -math.log(LONGEST) * torch.rand(units)
            self.leave.weight.normal_(0, units**-0.5 / math.sqrt(2 * blocks))

    def forward(self, x: Tensor, state: tuple[Tensor, ...] | None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(time, batch, units) → the same, and the state: h (batch, units) and the convolution's inputs before.

        These are (batch, 3, units), normed, the oldest first.
        """
        found = gated_native.recurrent_branch(self, x, state)
        if found is not None:
            return found
        normed = self.norm(x)
        before = normed.new_zeros(x.shape[1], TAPS - 1, x.shape[2]) if state is None else state[1]
        inputs = torch.cat([before.transpose(0, 1), normed])  # (3 + time, batch, units)
        u = sum(self.taps[j] * inputs[TAPS - 1 - j : len(inputs) - j] for j in range(TAPS))
        gate, candidate, opening = self.enter(u).chunk(3, -1)
        z = torch.sigmoid(gate.to(normed.dtype))
        h = linear_recurrence(1 - z, z * candidate, None if state is None else state[0])
        branch = self.leave(h * functional.silu(opening))
        after: Tensor = x + self.dropout(branch)
        return after, (h[-1], inputs[1 - TAPS :].transpose(0, 1))


class FeedForwardBranch(nn.Module):
    """x + dropout(W_2 relu(W_1 norm(x))²): the second half of the block."""

    def __init__(self, units: int, blocks: int, dropout: Dropout) -> None:
        """Four times as wide inside; `blocks` is how many the stack has."""
        super().__init__()
        self.norm = RMSNorm(units)
        self.widen = nn.Linear(units, 4 * units, bias=False)
        self.narrow = nn.Linear(4 * units, units, bias=False)
        self.dropout = dropout
        with torch.no_grad():
            self.widen.weight.normal_(0, units**-0.5)
            self.narrow.weight.normal_(0, (4 * units) ** -0.5 / math.sqrt(2 * blocks))

    def forward(self, x: Tensor) -> Tensor:
        """(time, batch, units) → the same."""
        found = gated_native.feed_forward_branch(self, x)
        if found is not None:
            return found
        branch: Tensor = self.narrow(functional.relu(self.widen(self.norm(x))).square())
        after: Tensor = x + self.dropout(branch)
        return after


class MinGRU(nn.Module):
    """The block whose equations stand at this file's head."""

    def __init__(self, units: int, blocks: int, dropout: Dropout) -> None:
        """One of `blocks` blocks over a residual stream of `units` numbers a character."""
        super().__init__()
        self.recurrent = RecurrentBranch(units, blocks, dropout)
        self.feed_forward = FeedForwardBranch(units, blocks, dropout)

    def forward(self, x: Tensor, state: tuple[Tensor, ...] | None = None) -> tuple[Tensor, tuple[Tensor, ...]]:
        """(time, batch, units) → the same, and the state as `RecurrentBranch.forward` says."""
        x, after = self.recurrent(x, state)
        return self.feed_forward(x), after
