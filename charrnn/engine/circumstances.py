"""What a run's numbers depend on besides its seed: recorded with every checkpoint, compared when the run goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import msgspec
import torch

from charrnn.config import RunConfig, TrainingConfig
from charrnn.engine.run_setup import CHANGEABLE

_SAID: dict[str, Callable[[Any], str]] = {
    "device": str,
    "threads": lambda n: f"{n} thread{'' if n == 1 else 's'}",
    "processes": lambda n: f"{n} process{'' if n == 1 else 'es'}",
    "processor": lambda name: f"a processor with {name}",
    "torch": lambda version: f"torch {version}",
    "kernels": lambda name: f"kernels {name}",
    "charrnn": lambda version: f"charrnn {version}",
}


def facts_of(config: RunConfig, processes: int) -> dict[str, Any]:
    """For a manifest: the corpus, versions, threads, processes, device, processor, and the settings that may change."""
    training = config.training
    on_cpu = training.device == "cpu"
    return {
        "corpus_sha256": config.corpus.sha256,
        "versions": config.versions,
        "threads": training.threads,
        "processes": processes,
        "device": training.device,
        "processor": torch.backends.cpu.get_cpu_capability() if on_cpu else training.device,
        "settings": {name: getattr(training, name) for name in CHANGEABLE},
    }


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """What is not as it was and keeps a run from being the same bit for bit: "2 threads then, 1 thread now", or "".

    Both are `facts_of` some run. What an older manifest does not say is taken to be as it is now.
    """
    before, after = _flat(then), _flat(now)
    differing = [name for name in _SAID if name in before and before[name] != after.get(name)]
    if "device" in differing:
        differing = ["device"]  # all else goes without saying
    return "; ".join(f"{_SAID[name](before[name])} then, {_SAID[name](after.get(name))} now" for name in differing)


def training_then(then: Mapping[str, Any], training: TrainingConfig) -> TrainingConfig:
    """`training` with those settings as they were that a manifest says. Raises msgspec.ValidationError."""
    recorded = then.get("settings")
    known = recorded if isinstance(recorded, dict) else {}
    return msgspec.convert(
        asdict(training) | {name: known[name] for name in CHANGEABLE if name in known}, TrainingConfig
    )


def changed_settings(before: TrainingConfig, after: TrainingConfig) -> dict[str, list[Any]]:
    """The settings of CHANGEABLE that differ, each with both values."""
    pairs = {name: [getattr(before, name), getattr(after, name)] for name in CHANGEABLE}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _flat(facts: Mapping[str, Any]) -> dict[str, Any]:
    versions = facts.get("versions")
    return {**(versions if isinstance(versions, dict) else {}), **facts}
