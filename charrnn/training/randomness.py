"""The random generators that dropout draws from: their states, saved and taken up again, on whatever device."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def random_states(device: torch.device, generators: Sequence[torch.Generator]) -> dict[str, Tensor]:
    """The state of PyTorch's own generators, of the CPU and of the device, and of the shards'; all on the CPU."""
    states = {"random/cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["random/cuda"] = torch.cuda.get_rng_state(device)
    if device.type == "mps":
        states["random/mps"] = torch.mps.get_rng_state()
    return states | {f"random/shard/{index}": generator.get_state() for index, generator in enumerate(generators)}


def load_random_states(
    states: dict[str, Tensor], device: torch.device, generators: Sequence[torch.Generator], rank: int, seed: int
) -> None:
    """Takes up one rank's states where there is one for a generator; the others are seeded anew, each differently.

    A state is of one kind of device, and there are as many as there were threads and ranks: a run that goes on
    elsewhere has none for some. `seed` should be another one at every step, so that it does not draw the same again.
    Raises KeyError where rank 0 has no state at all.
    """
    seeds = (seed + rank * 4096 + number for number in range(4096))
    if rank == 0 or "random/cpu" in states:
        torch.set_rng_state(states["random/cpu"])
    else:
        torch.manual_seed(next(seeds))
    known = states.get(f"random/{device.type}")
    if device.type == "cuda":
        if known is None:
            torch.cuda.manual_seed(next(seeds))
        else:
            torch.cuda.set_rng_state(known, device)
    if device.type == "mps":
        if known is None:
            torch.mps.manual_seed(next(seeds))
        else:
            torch.mps.set_rng_state(known)
    for index, generator in enumerate(generators):
        known = states.get(f"random/shard/{index}")
        if known is None:
            generator.manual_seed(next(seeds))
        else:
            generator.set_state(known)
