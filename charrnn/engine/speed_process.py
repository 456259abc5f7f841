"""The process that measures how fast networks train here: `python -m charrnn.engine.speed_process`.

Reads {"seconds": …, "networks": [{"model": …, "training": …, "symbols": …}, …]} from standard input and writes a line
{"devices": ["cpu", …]}, then {"network": its number, "speed": characters a second} for each that can be trained. It
ends when standard input's writer has gone and nobody reads.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from typing import Any

import msgspec
import numpy as np
import torch

from charrnn.config import ModelConfig, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids
from charrnn.training.trainer import Trainer

_CHARACTERS = 400_000
_FIRST_STEPS = 2
"""Steps before the clock starts: the first ones allocate."""


def devices() -> list[str]:
    """Where torch can train here."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return ["cpu", *(name for name, is_there in there.items() if is_there)]


def speed(model: ModelConfig, training: TrainingConfig, symbols: int, seconds: float) -> float:
    """Characters a second that such a network learns from random ones. Raises UsageError for what cannot be."""
    torch.set_num_threads(training.threads or 1)
    torch.manual_seed(1)
    ids: Ids = (
        np.random.default_rng(1).integers(0, symbols, _CHARACTERS).astype(np.uint8 if symbols < 256 else np.int32)
    )
    trainer = Trainer(LanguageModel(symbols, model), ids, ids[:0], training, training.device)
    if trainer.in_shares:
        torch.set_num_threads(1)
    for _ in range(_FIRST_STEPS):
        trainer.step()
    _finish(trainer)
    begun, before = time.perf_counter(), trainer.chars_done
    while (passed := time.perf_counter() - begun) < seconds:
        trainer.step()
        _finish(trainer)
    return (trainer.chars_done - before) / passed


def _finish(trainer: Trainer) -> None:
    if trainer.device.type == "cuda":
        torch.cuda.synchronize(trainer.device)


def main() -> int:
    asked: dict[str, Any] = json.load(sys.stdin)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # keys come first
    _say(devices=devices())
    for number, network in enumerate(asked["networks"]):
        with contextlib.suppress(UsageError, RuntimeError, ValueError):  # for want of memory, say
            model = msgspec.convert(network["model"], ModelConfig)
            training = msgspec.convert(network["training"], TrainingConfig)
            _say(network=number, speed=speed(model, training, int(network["symbols"]), float(asked["seconds"])))
    return 0


def _say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
