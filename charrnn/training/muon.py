"""Muon: every matrix inside the network moves by a step all of whose singular values are about one.

Momentum as usual; what is taken of it is U Vᵀ, where U Σ Vᵀ is the momentum's singular value decomposition, so that
directions that many characters share do not drown those that few have. K. Jordan et al., "Muon: an optimizer for hidden
layers in neural networks" (2024), whose five Newton–Schulz iterations and coefficients these are; the scale, which lets
one learning rate and decay serve Muon and Adam alike, is from Liu et al. 2025, arXiv:2502.16982.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import torch
from torch import Tensor, nn

from charrnn.model.gated_tiles import room, tiles_fit
from charrnn.native.library import library
from charrnn.training.lean_torch import AdamW

MOMENTUM = 0.95
_ITERATIONS = 5
_A, _B, _C = 3.4445, -4.7750, 2.0315


def orthogonalised(matrix: Tensor, dtype: torch.dtype) -> Tensor:
    """About U Vᵀ of the matrix (rows, columns): its singular values brought to about one, in `dtype`."""
    x = matrix.to(dtype)
    upright = x.shape[0] > x.shape[1]
    if upright:
        x = x.t().contiguous()
    x = x / (x.norm() + 1e-7)
    for _ in range(_ITERATIONS):
        square = x @ x.t()
        x = torch.addmm(x, torch.addmm(square, square, square, beta=_B, alpha=_C), x, beta=_A)
    return x.t() if upright else x


class Muon(AdamW):
    """Muon for matrices, AdamW for all else, behind one learning rate; decay acts on Muon's matrices and `decayed`."""

    def __init__(
        self,
        matrices: Iterable[nn.Parameter],
        decayed: Iterable[nn.Parameter],
        others: Iterable[nn.Parameter],
        *,
        lr: float,
        weight_decay: float,
        dtype: torch.dtype,
        threads: int = 1,
    ) -> None:
        """`matrices` (each of two dimensions) are orthogonalised in `dtype`, on a CPU by so many threads."""
        groups: list[dict[str, Any]] = [
            {"params": list(matrices), "weight_decay": weight_decay, "muon": True},
            {"params": list(decayed), "weight_decay": weight_decay, "muon": False},
            {"params": list(others), "weight_decay": 0.0, "muon": False},
        ]
        fused = groups[0]["params"][0].device.type in ("cpu", "cuda")
        super().__init__([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.99), fused=fused)
        self._dtype = dtype
        on_cpu = groups[0]["params"][0].device.type == "cpu"
        self._pool: ThreadPoolExecutor | None = None
        if on_cpu and threads > 1:
            self._pool = ThreadPoolExecutor(threads, "muon", initializer=torch.set_num_threads, initargs=(1,))

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """Along the gradients that are there; a closure is not for this one. Raises ValueError for one."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        groups = self.param_groups
        for group in groups:
            if group["muon"]:
                # the largest first, so that the threads end together
                moved = sorted((p for p in group["params"] if p.grad is not None), key=lambda p: -p.numel())
                run = map if self._pool is None else self._pool.map
                list(cast(Any, run)(lambda p, g=group: self._move(p, g["lr"], g["weight_decay"]), moved))
        try:
            self.param_groups = [group for group in groups if not group["muon"]]
            super().step()
        finally:
            self.param_groups = groups
        return None

    @torch.no_grad()
    def _move(self, matrix: nn.Parameter, rate: float, decay: float) -> None:
        gradient = cast(Tensor, matrix.grad)
        state = self.state[matrix]
        if not state:
            state["step"] = torch.zeros(())  # AdamW expects one when it loads a state
            state["exp_avg"] = torch.zeros_like(matrix)
        state["step"] += 1
        if _moved_by_tiles(matrix, gradient, state["exp_avg"], rate, decay, self._dtype):
            return
        momentum: Tensor = state["exp_avg"].lerp_(gradient, 1 - MOMENTUM)
        direction = orthogonalised(gradient.lerp(momentum, MOMENTUM), self._dtype)
        if decay:
            matrix.mul_(1 - rate * decay)
        matrix.add_(direction, alpha=-_scaled(rate, matrix))


def _scaled(rate: float, matrix: Tensor) -> float:
    return rate * 0.2 * math.sqrt(max(matrix.shape))


def _moved_by_tiles(
    matrix: Tensor, gradient: Tensor, momentum: Tensor, rate: float, decay: float, dtype: torch.dtype
) -> bool:
    """The same step in one call where the CPU has tile registers and both sizes fit them."""
    found, (rows, columns) = library(), matrix.shape
    tensors = (matrix, gradient, momentum)
    plain = all(t.dtype == torch.float32 and t.device.type == "cpu" and t.is_contiguous() for t in tensors)
    if found is None or not plain or not tiles_fit(found, dtype, rows) or not tiles_fit(found, dtype, columns):
        return False
    found.tiled_muon(
        *(tensor.data_ptr() for tensor in tensors),
        room.of(found.tiled_muon_room(rows, columns)),
        *(rows, columns, _ITERATIONS),
        *(1 - MOMENTUM, _A, _B, _C),
        *(1 - rate * decay, _scaled(rate, matrix)),
    )
    return True
