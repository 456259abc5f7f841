"""What a preset means for a text on this machine, before anything is begun. No torch here.

Parameters and memory are computed from the settings. How fast it trains is what an earlier run with the same network
and batch did; where there is none it is measured for a moment, in a process of its own that may load torch, and kept
in the cache. All of it is an estimate, and says what it goes by.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from charrnn.config import Device, ModelConfig, RunConfig, TrainingConfig, UsageError
from charrnn.model.size import parameters, training_bytes
from charrnn.picks import Value
from charrnn.presets import PRESETS, corpus_config, resolve
from charrnn.runs.durable import read_plain, replace_file
from charrnn.text.cache import cache_folder
from charrnn.text.preview import Look

PRINTABLE = 100
"""Symbols of the lecture's vocabulary."""
MEASURED_FOR = 0.7
"""Seconds of training by which a speed is measured."""
_SPEEDS = "speeds.json"
_SPEEDS_AT_MOST = 1 << 20
_MODEL = ("cell", "hidden", "layers", "embedding", "residual", "tie")
_TRAINING = ("batch", "length", "sampling_of_text", "optimiser", "precision", "device", "threads")

Speeds = dict[str, tuple[float, str]]
"""Characters a second, and what says so ("as python-docs-3", "measured"), under `speed_key`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What a preset means: `speed` in characters a second and `pass_seconds` for once through the training part.

    Both are None while nothing is known; `source` says what the speed goes by, `memory` is bytes.
    """

    preset: str
    config: RunConfig
    symbols: int
    parameters: int
    memory: int
    speed: float | None
    source: str
    pass_seconds: float | None

    @property
    def network(self) -> str:
        """As in "mingru 2×128"."""
        return f"{self.config.model.cell} {self.config.model.layers}×{self.config.model.hidden}"


def estimates(
    look: Look, options: Mapping[str, Value], *, device: Device, cores: int, speeds: Mapping[str, tuple[float, str]]
) -> list[Estimate]:
    """What each preset means for a text of which `look` shows the beginning. Raises UsageError."""
    return [_estimate(name, look, options, device, cores, speeds) for name in PRESETS]


def _estimate(
    name: str,
    look: Look,
    options: Mapping[str, Value],
    device: Device,
    cores: int,
    speeds: Mapping[str, tuple[float, str]],
) -> Estimate:
    given = {**options, "preset": name}
    corpus = corpus_config(given, source=look.source, name=look.name)
    learnt = round((look.characters or 0) * (1 - corpus.validation))
    config = resolve(given, corpus=corpus, characters=learnt or 10_000_000, device=device, cores=cores)
    symbols = PRINTABLE if corpus.tokens == "printable" else max(2, look.symbols or PRINTABLE)
    speed, source = speeds.get(speed_key(config.model, config.training), (None, ""))
    return Estimate(
        preset=name,
        config=config,
        symbols=symbols,
        parameters=parameters(config.model, symbols),
        memory=training_bytes(config, symbols),
        speed=speed,
        source=source,
        pass_seconds=learnt / speed if speed and learnt else None,
    )


def speed_key(model: ModelConfig, training: TrainingConfig) -> str:
    """The same for all runs that should be as fast as each other on one machine."""
    values = [getattr(model, name) for name in _MODEL] + [getattr(training, name) for name in _TRAINING]
    return " ".join(map(str, [*values, "noise" if training.noise else "", "average" if training.average else ""]))


def kept_speeds() -> Speeds:
    """What was measured on this machine before; nothing where that cannot be read."""
    try:
        content = json.loads(read_plain(_place(), _SPEEDS_AT_MOST))
        return {str(key): (float(value), "measured") for key, value in content.items() if 0 < float(value) < 1e12}
    except (OSError, UsageError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def keep_speed(key: str, speed: float) -> None:
    """Keeps a measured speed for later; where that cannot be, nothing happens."""
    known = {name: value for name, (value, _) in kept_speeds().items()} | {key: round(speed, 1)}
    try:
        replace_file(_place(), json.dumps(known, indent=1).encode())
    except (OSError, UsageError):
        return


def _place() -> Path:
    return cache_folder() / _SPEEDS


async def measure(asked: list[Estimate]) -> AsyncGenerator[list[str] | tuple[str, float], None]:
    """Measures in a process of its own: yields the devices that torch finds, then for each network its speed.

    A speed is the key of `speed_key` with characters a second. What cannot be measured is left out; closing the
    iterator ends the process.
    """
    different = {speed_key(one.config.model, one.config.training): one for one in asked}
    keys = list(different)
    wanted = [
        {"model": asdict(one.config.model), "training": asdict(one.config.training), "symbols": one.symbols}
        for one in different.values()
    ]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "charrnn.engine.speed_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,  # ctrl+c is for the screen
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        process.stdin.write(json.dumps({"seconds": MEASURED_FOR, "networks": wanted}).encode())
        process.stdin.close()
        async for line in process.stdout:
            said: dict[str, Any] = json.loads(line)
            if "devices" in said:
                yield [str(device) for device in said["devices"]]
            else:
                yield keys[int(said["network"])], float(said["speed"])
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
