"""Training steps of the cell `mingru` with PyTorch's products and with tile registers, side by side.

    python -m tests.benchmarks.gated [--hidden 128 192 256] [--layers 2] [--steps 60]

One thread and 16 streams of 64 characters: a shard of a batch of 32 on two cores. Times are of that thread's CPU, the
least of so many steps, the two ways taking turns; `pass` is forward and backward, `muon` the optimiser's step.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch

from charrnn.config import ModelConfig, TrainingConfig
from charrnn.model import gated_tiles
from charrnn.model.language_model import LanguageModel
from charrnn.native.library import Library, library
from charrnn.training.optimiser import make_optimiser
from charrnn.training.shards import Shards

TIME, STREAMS, SYMBOLS = 64, 16, 65
WAYS = ("PyTorch", "tiles")


def refused(_: Library) -> bool:
    return False


def seconds(work: Callable[[], object]) -> float:
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def least(hidden: int, layers: int, steps: int) -> dict[tuple[str, str], float]:
    """Milliseconds of a pass and of an optimiser's step, (way, what)."""
    allowed = gated_tiles._allowed
    torch.manual_seed(1)
    config = ModelConfig(cell="mingru", hidden=hidden, embedding=hidden, layers=layers, dropout=0.1)
    model = LanguageModel(SYMBOLS, config).train()
    optimiser = make_optimiser(model, TrainingConfig(optimiser="muon", lr=1e-4, threads=1))
    inputs, targets = torch.randint(SYMBOLS, (2, TIME, STREAMS))
    found: dict[tuple[str, str], float] = {}
    shards = {}
    for turn in range(-1, steps):
        for way in WAYS:
            gated_tiles._allowed = refused if way == "PyTorch" else allowed
            shards[way] = shards.get(way) or Shards(model, STREAMS, 1, 1, torch.bfloat16)
            _, state = shards[way].gradients(inputs, targets, None)
            took = {"pass": seconds(lambda w=way, s=state: shards[w].gradients(inputs, targets, s))}
            took["muon"] = seconds(optimiser.step)
            for what, value in took.items() if turn >= 0 else ():
                found[way, what] = min(found.get((way, what), 1e9), value * 1e3)
    gated_tiles._allowed = allowed
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--hidden", type=int, nargs="+", default=[128, 192, 256])
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_args()
    kernels = library()
    if kernels is None or not kernels.tiles_allowed():
        raise SystemExit("This machine has no tile registers (AMX), or the kernels are not compiled.")
    torch.set_num_threads(1)
    print(
        f"{'hidden':>6}  {'what':5}" + "".join(f"{way:>10}" for way in WAYS) + f"{'ratio':>8}   (ms, {TIME}×{STREAMS})"
    )
    for hidden in arguments.hidden:
        found = least(hidden, arguments.layers, arguments.steps)
        for what in ("pass", "muon"):
            old, new = (found[way, what] for way in WAYS)
            print(f"{hidden:6}  {what:5}{old:10.2f}{new:10.2f}{old / new:8.2f}", flush=True)


if __name__ == "__main__":
    main()
