"""What the presets that adapt (`auto`, `fast`, `large`) pick, from the device, the corpus's size and the time there is.

The figures behind the numbers stand in tests/benchmarks/NOTES.md. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping

from charrnn.config import Device

Value = str | int | float | bool

LONG = 5.0
"""Minutes from which on `auto` takes the larger network on a CPU."""

_BLOCKS: dict[str, dict[str, Value]] = {
    "fast": {"hidden": 128, "layers": 2, "batch": 32, "length": 64},
    "large": {"hidden": 256, "layers": 2, "batch": 32, "length": 64},
    "gpu": {"hidden": 512, "layers": 4, "batch": 64, "length": 256},
}
_LEARNT_BY_HEART = 800_000  # characters: below it, a small LSTM needs dropout
_SHORT, _LONG = 3_000_000, 12_000_000  # characters: below the first a network is soon learning by heart


def pick(preset: str, options: Mapping[str, Value], *, characters: int, device: Device) -> tuple[dict[str, Value], str]:
    """Settings of model and training for a text of so many characters to learn from, and why these, in words.

    `options` are the user's own, which come before: what is picked fits them.
    """
    cell = str(options.get("cell", "mingru"))
    picked, reason = (
        _gated(preset, options, characters, device) if cell == "mingru" else _classic(preset, cell, characters, device)
    )
    picked |= {"clip": 1.0, "cooldown": 0.4 if cell == "mingru" else 0.25}
    length = int(options.get("length", picked["length"]))
    most = max(1, characters // (4 * length))
    if int(picked["batch"]) > most:
        picked["batch"] = most
        reason += f"; the corpus is short, so only {most} streams"
    if characters < 200:
        picked["length"] = max(1, min(length, characters // 4))
    return picked, reason


def _gated(preset: str, options: Mapping[str, Value], characters: int, device: Device) -> tuple[dict[str, Value], str]:
    """For the gated block, which learns more than an LSTM from the same text and in the same time."""
    if device != "cpu":
        size, reason = ("fast" if preset == "fast" else "gpu"), f"{device} keeps a wide, deep network busy"
    elif preset == "large" or (preset == "auto" and float(options.get("minutes", 0)) >= LONG):
        size, reason = "large", "there is time for a larger network"
    else:
        size, reason = "fast", "on a CPU many small updates learn fastest"
    picked: dict[str, Value] = {"cell": "mingru", **_BLOCKS[size]}
    picked["embedding"] = options.get("hidden", picked["hidden"])
    muon = options.get("optimiser", "muon") == "muon"
    picked |= {"optimiser": "muon" if muon else "adam", "lr": 0.006 if muon else 0.004, "weight_decay": 0.1}
    picked |= {"warmup": 100, "average": 0.99}
    if characters < _SHORT:
        picked |= {"dropout": 0.15, "noise": 0.03} if size == "fast" else {"dropout": 0.25, "noise": 0.04}
        reason += f"; dropout {picked['dropout']} and noise {picked['noise']}: a short text is soon learnt by heart"
    elif characters < _LONG:
        picked |= {"dropout": 0.05, "noise": 0.01}
        reason += "; a little dropout and noise for a text that is read several times"
    return picked, reason


def _classic(preset: str, cell: str, characters: int, device: Device) -> tuple[dict[str, Value], str]:
    """For the cells whose gates look at the state before."""
    if device != "cpu":
        picked: dict[str, Value] = {"hidden": 512, "layers": 2, "embedding": 128, "batch": 128}
        reason = f"{device} keeps a wide, deep network busy"
    elif preset == "large":
        picked = {"hidden": 512, "layers": 2, "embedding": 128, "batch": 32}
        reason = "a larger network for longer runs"
    else:
        picked = {"hidden": 256, "layers": 1, "embedding": 64, "batch": 32}
        reason = "on a CPU many small updates learn fastest"
    picked |= {"cell": cell, "length": 64, "lr": 0.003}
    if characters < _LEARNT_BY_HEART:
        picked["dropout"] = 0.2
        reason += "; dropout 0.2, because so small a corpus is soon learnt by heart"
    return picked, reason
