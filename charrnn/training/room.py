"""How much a trainer's checkpoint will take on a disk, before its first step."""

from __future__ import annotations

from charrnn.training.trainer import Trainer

_BESIDE = 65_536  # names, shapes, the manifest with its vocabulary


def checkpoint_bytes(trainer: Trainer) -> int:
    """About what a checkpoint takes: weights, optimiser, streams and random generators.

    An optimiser has no moments before its first step; Adam then keeps two of each weight, Muon one, and two are taken.
    """
    state = trainer.state()
    weights: int = sum(p.numel() * p.element_size() for p in trainer.model.parameters())
    evaluated = trainer.evaluated_model.state_dict().values()
    begun = any(name.startswith("optimiser/") for name in state)
    held: int = sum(tensor.numel() * tensor.element_size() for tensor in [*evaluated, *state.values()])
    return held + (0 if begun else 2 * weights) + _BESIDE
