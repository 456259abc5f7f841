"""The optimiser, its learning rate, and the clipping of gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from charrnn.config import TrainingConfig, UsageError
from charrnn.training.lean_torch import Adam, AdamW
from charrnn.training.muon import Muon
from charrnn.training.precision import bfloat16_pays


def make_optimiser(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """Adam as the lecture uses it (Kingma and Ba 2015, arXiv:1412.6980), or AdamW where weights decay.

    Decay (Loshchilov and Hutter 2019, arXiv:1711.05101) acts on matrices, not on biases. Raises UsageError for a
    learning rate, decay or clip that is none. Or Muon, where the configuration says so.
    """
    _check_rate(config.lr)
    if not 0 <= config.weight_decay < math.inf:
        raise UsageError(f"A weight decay of {config.weight_decay} is none; give --weight-decay 0 or more.")
    if not 0 <= config.clip < math.inf:
        raise UsageError(f"A clip of {config.clip} is none; give --clip 0 (never) or a gradient norm above it.")
    if config.optimiser == "muon":
        return _muon(model, config)
    parameters = list(model.parameters())
    fused = parameters[0].device.type in ("cpu", "cuda")
    if not config.weight_decay:
        return Adam(parameters, lr=config.lr, fused=fused)
    matrices = [parameter for parameter in parameters if parameter.dim() > 1]
    vectors = [parameter for parameter in parameters if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return AdamW(groups, lr=config.lr, fused=fused)


def _muon(model: nn.Module, config: TrainingConfig) -> Optimizer:
    """Matrices inside the network are Muon's; embedding and output, whose rows are symbols, stay Adam's."""
    named = dict(model.named_parameters())
    inside = {name: p for name, p in named.items() if p.dim() == 2 and min(p.shape) > 8 and "layers." in name}
    if not inside:
        raise UsageError("Muon moves matrices, and this network has none inside; give --optimiser adam.")
    decayed = [p for name, p in named.items() if name not in inside and p.dim() == 2 and name.startswith("output.")]
    taken = {id(p) for p in [*inside.values(), *decayed]}
    others = [p for p in named.values() if id(p) not in taken]
    first = next(iter(inside.values()))
    dtype = torch.bfloat16 if bfloat16_pays(first.device) else torch.float32
    return Muon(
        inside.values(),
        decayed,
        others,
        lr=config.lr,
        weight_decay=config.weight_decay,
        dtype=dtype,
        threads=config.threads or 1,
    )


def learning_rate(optimiser: Optimizer) -> float:
    """The rate the next step is taken with."""
    return float(optimiser.param_groups[0]["lr"])


def set_learning_rate(optimiser: Optimizer, rate: float) -> None:
    """From the next step on. Raises UsageError for a rate that is none."""
    _check_rate(rate)
    for group in optimiser.param_groups:
        group["lr"] = rate


def clip_gradients(parameters: Iterable[nn.Parameter], limit: float) -> Tensor:
    """Scale the gradients down to this global norm if they are above it (0: never); their norm before that, a scalar.

    Pascanu, Mikolov and Bengio 2013, arXiv:1211.5063.
    """
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(())
    norm: Tensor = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(gradients)))
    if limit:
        torch._foreach_mul_(gradients, (limit / (norm + 1e-6)).clamp(max=1.0))
    return norm


def _check_rate(rate: float) -> None:
    if not 0 < rate < math.inf:
        raise UsageError(f"A learning rate of {rate} is none; give --lr a number above 0, such as 0.003.")
