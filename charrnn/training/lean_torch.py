"""torch's Adam without torch's compiler, for processes that never compile anything.

The first optimiser that is made, and the first step that it takes, import TorchDynamo only to keep it from tracing
them: with all that this brings along (Inductor, sympy, ONNX) 900 modules, some 70 MB and a second or more before the
second step (torch 2.13).
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any, cast

import torch
from torch import optim

_EXEMPT = "__dynamo_disable"
_METHODS = ("add_param_group", "zero_grad", "state_dict", "load_state_dict")
_STEP = cast(Callable[..., Any], inspect.unwrap(optim.Adam.step))  # AdamW's too


def without_dynamo() -> None:
    """Says of the methods of torch's optimisers what Dynamo would say: call them as they are.

    The exemption is looked up under a name of torch's own (torch/_compile.py). Where there is no such thing, or Dynamo
    is there already, everything stays as it is.
    """
    if "torch._dynamo" in sys.modules:
        return
    for name in _METHODS:
        plain = getattr(getattr(optim.Optimizer, name, None), "__wrapped__", None)
        if plain is not None and not hasattr(plain, _EXEMPT):
            setattr(plain, _EXEMPT, plain)


class _Lean(optim.Optimizer):
    """Goes before one of torch's own among the bases."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        without_dynamo()
        super().__init__(*arguments, **settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Along the gradients that are there; the closure's value, if there is one."""
        return _STEP(self, closure)


class Adam(_Lean, optim.Adam):
    """torch.optim.Adam, number for number."""


class AdamW(_Lean, optim.AdamW):
    """torch.optim.AdamW, number for number."""
