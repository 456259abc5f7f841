"""Whether a checkpoint's tensors are those of its run's settings, asked before any memory is taken for either."""

from __future__ import annotations

from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from charrnn.config import ModelConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.runs.durable import plain_file
from charrnn.runs.manifest import MODEL
from charrnn.runs.saved import Saved, unreadable
from charrnn.runs.tensor_file import read_header

KIND = "F32"


class _Undrawn(TorchFunctionMode):
    """Shapes have no numbers to draw or to multiply, and PyTorch loads its compiler, for seconds, to do neither."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if getattr(func, "__module__", "") == "torch.nn.init" or name in ("normal_", "uniform_", "mul"):
            return args[0] if args else kwargs["tensor"]
        if name == "__setitem__":
            return None
        return func(*args, **(kwargs or {}))


def require_fit(checkpoint: Saved, config: ModelConfig, vocabulary_size: int) -> None:
    """Raises UsageError unless the checkpoint has exactly the weights of such a network, float32 each.

    The network is made of shapes alone, so that settings which ask for a huge one cost nothing.
    """
    with torch.device("meta"), _Undrawn():
        wanted = {name: tuple(t.shape) for name, t in LanguageModel(vocabulary_size, config).state_dict().items()}
    try:
        with plain_file(checkpoint.path / MODEL) as (descriptor, size):
            header = read_header(descriptor, size)
    except OSError as error:
        raise unreadable(checkpoint.path, error) from None
    except ValueError as error:
        raise _misfit(checkpoint, str(error)) from None
    for name, shape in wanted.items():
        if name not in header:
            raise _misfit(checkpoint, f"{name} is missing")
        if header[name].shape != shape:
            raise _misfit(checkpoint, f"{name} is {_times(header[name].shape)}, and not {_times(shape)}")
        if header[name].dtype != KIND:
            raise _misfit(checkpoint, f"{name} is of the kind {header[name].dtype}, and not {KIND}")
    for name in header.keys() - wanted.keys():
        raise _misfit(checkpoint, f"nothing takes {name[:100]!r}")


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "one number"


def _misfit(checkpoint: Saved, why: str) -> UsageError:
    return UsageError(
        f"The checkpoint {checkpoint.path} does not fit its run's settings ({why}); put its config.toml back, or start "
        "a new run."
    )
