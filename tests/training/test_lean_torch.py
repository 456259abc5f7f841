"""torch's Adam without torch's compiler: the same numbers, and nothing imported for them."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn, optim

from charrnn.training import lean_torch

STEPS = """
import sys, torch
from charrnn.training.lean_torch import {name}
weights = torch.nn.Parameter(torch.ones(3))
optimiser = {name}([weights], lr=0.1, fused=True)
for _ in range(2):
    optimiser.zero_grad()
    (weights ** 2).sum().backward()
    optimiser.step()
optimiser.load_state_dict(optimiser.state_dict())
print("torch._dynamo" in sys.modules, "sympy" in sys.modules)
"""


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_steps_do_not_import_the_compiler(name: str) -> None:
    done = subprocess.run([sys.executable, "-c", STEPS.format(name=name)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_the_numbers_are_torchs(name: str) -> None:
    def learned(kind: type[optim.Optimizer]) -> list[torch.Tensor]:
        torch.manual_seed(3)
        layer = nn.Linear(5, 4)
        groups = [{"params": [layer.weight], "weight_decay": 0.1}, {"params": [layer.bias], "weight_decay": 0.0}]
        optimiser = kind(groups, lr=0.05, fused=True)  # type: ignore[call-arg]
        for _ in range(5):
            optimiser.zero_grad()
            layer(torch.randn(7, 5)).square().mean().backward()
            optimiser.step()
        moments = [value for state in optimiser.state.values() for value in state.values()]
        return [*layer.parameters(), *moments]

    ours, theirs = learned(getattr(lean_torch, name)), learned(getattr(optim, name))
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_closure_is_called_with_gradients_and_its_value_given_back() -> None:
    weights = nn.Parameter(torch.ones(2))
    optimiser = lean_torch.Adam([weights], lr=0.1)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = weights.square().sum()
        loss.backward()
        return loss

    assert optimiser.step(closure).item() == 2
    assert weights.max() < 1
