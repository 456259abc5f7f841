"""`charrnn bench`: what this machine does, in characters a second trained and generated. Loads torch."""

from __future__ import annotations

import json
import string
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any, cast

import torch

from charrnn.config import Device, RunConfig, UsageError
from charrnn.engine.machine import cores
from charrnn.engine.speed_process import devices, speed
from charrnn.model.language_model import LanguageModel
from charrnn.presets import PRESETS, corpus_config, resolve
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary.characters import Characters

NETWORKS = ("fast", "large", "lecture")
"""The presets that are measured; `auto` is one of the first two."""
_CORPUS = 1_000_000
"""Characters of a text for which a preset is asked what it would take."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One preset's network: characters a second that it learns from, and writes in one stream."""

    preset: str
    network: str
    device: str
    threads: int
    parameters: int
    trained: float
    generated: float


def bench(*, device: str = "auto", seconds: float = 3.0, as_json: bool = False) -> int:
    """Measures each preset for twice so long, on random characters; prints a table, or an object a line."""
    there = devices()
    chosen = (there[1] if len(there) > 1 else "cpu") if device == "auto" else device
    if chosen not in there:
        raise UsageError(f"torch finds no {chosen} here; there is {', '.join(there)}.")
    if not as_json:
        print(f"{'preset':<9} {'network':<14} {'device':<8} {'parameters':>11} {'trained':>14} {'generated':>14}")
    for name in NETWORKS:
        if not as_json and sys.stderr.isatty():
            print(f"measuring {name} for {2 * seconds:g} s…", end="\r", file=sys.stderr, flush=True)
        _print(_measure(name, chosen, seconds), as_json=as_json)
    if not as_json:
        print("characters a second; training on random characters, writing in one stream on the CPU")
    return 0


def _print(one: Measured, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(asdict(one)), flush=True)
        return
    where = f"cpu ×{one.threads}" if one.device == "cpu" else one.device
    rates = f"{one.trained:>14,.0f} {one.generated:>14,.0f}"
    print(f"{one.preset:<9} {one.network:<14} {where:<8} {one.parameters:>11,} {rates}", flush=True)


def _measure(preset: str, device: str, seconds: float) -> Measured:
    vocabulary = Characters.printable()
    given: dict[str, Any] = {"preset": preset}
    corpus = corpus_config(given, source="random", name="random characters")
    assert preset in PRESETS
    config: RunConfig = resolve(given, corpus=corpus, characters=_CORPUS, device=cast(Device, device), cores=cores())
    trained = speed(config.model, config.training, len(vocabulary), seconds)
    torch.set_num_threads(1)  # as the engine writes
    model = LanguageModel(len(vocabulary), config.model).eval()
    stream = TextStream(model, vocabulary, prime=string.ascii_letters, seed=1)
    stream.take(200)
    begun, written = time.perf_counter(), 0
    while (passed := time.perf_counter() - begun) < seconds:
        written += len(stream.take(100))
    return Measured(
        preset=preset,
        network=f"{config.model.cell} {config.model.layers}×{config.model.hidden}",
        device=device,
        threads=config.training.threads or 1,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        trained=trained,
        generated=written / passed,
    )
