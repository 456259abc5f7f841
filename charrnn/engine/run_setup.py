"""What training starts from, made out of the engine's Build: the run's settings and the corpus in shared memory."""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import replace
from importlib.metadata import version
from typing import cast, get_args

import torch

from charrnn.config import Device, RunConfig, UsageError
from charrnn.engine.machine import cores
from charrnn.engine.trainer_messages import Build
from charrnn.native.library import kernels, problem
from charrnn.presets import check_training, resolve
from charrnn.text.corpus import Corpus
from charrnn.text.stored import mapped
from charrnn.text.vocabulary import from_facts
from charrnn.training.trainer import resolve_device

CHANGEABLE = (
    *("steps", "minutes", "threads", "lr", "cooldown", "average", "patience", "precision", "save_every"),
    "milestones",
)
"""The settings that a run may be given anew when it goes on."""


def run_config(build: Build, own_cores: int | None = None) -> RunConfig:
    """The settings of the run that is to begin or to go on, device and versions of here. Raises UsageError.

    `own_cores` are those that the trainer may use, None for all of them.
    """
    available = own_cores or cores()
    device = _device_named(str(build.options.get("device", "auto")))
    if build.recorded is None:
        config = resolve(
            build.options, corpus=build.corpus, characters=build.held_out_at, device=device, cores=available
        )
    else:
        training = replace(build.recorded.training, device=device)
        changed = {name: value for name, value in build.options.items() if name in CHANGEABLE}
        training = replace(training, **changed)  # type: ignore[arg-type]
        config = replace(build.recorded, corpus=build.corpus, training=training)
        if "patience" in changed:
            check_training(config.training, config.corpus)
    versions = {"python": platform.python_version(), "torch": str(torch.__version__), "charrnn": version("charrnn")}
    versions["kernels"] = kernels() if device == "cpu" else "torch"
    if device == "cpu" and problem():
        print(f"training is slower than it could be, PyTorch does all the work: {problem()}", file=sys.stderr)
    return replace(config, versions=versions)


def corpus_in_memory(build: Build, ids: int) -> Corpus:
    """The corpus whose ids lie in the shared memory behind the descriptor."""
    with os.fdopen(ids, "rb") as file:
        tokens = mapped(file, build.dtype, build.ids)
    return Corpus(
        name=build.corpus.name,
        place=build.corpus.source,
        ids=tokens,
        vocabulary=from_facts(build.vocabulary),
        held_out_at=build.held_out_at,
        sha256=build.corpus.sha256,
        note="",
    )


def _device_named(wanted: str) -> Device:
    for name in get_args(Device):
        if name == wanted:
            return cast(Device, resolve_device(name).type)
    raise UsageError(f"There is no device {wanted!r}; give one of {', '.join(get_args(Device))}.")
