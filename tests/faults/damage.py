"""Row 6: a checkpoint that was cut off, or has a bit flipped, anywhere in any of its files."""

from __future__ import annotations

import contextlib
import random
import time
from pathlib import Path

import torch

from charrnn.runs.checkpoint import load_tensors, save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.runs.manifest import MANIFEST, MODEL, STATE
from charrnn.runs.recovery import open_checkpoint, resume_point
from charrnn.text.vocabulary import Characters
from tests.faults.promise import Outcome, Promise

FILES = (MANIFEST, MODEL, STATE)
OLDER, NEWER = 100, 200
KIB = 1024


def keep_damages(times: int, folder: Path, seed: int) -> Outcome:
    """Half of the damages are met by an engine that opens the run, half by a reader."""
    chance = random.Random(seed)
    run = folder / "run"
    run.mkdir()
    whole = {step: _saved(run, step) for step in (OLDER, NEWER)}
    place = run / "checkpoints" / f"step-{NEWER:08d}"
    files = {name: (place / name).read_bytes() for name in FILES}
    cuts = [(name, at) for name in FILES for at in range(0, len(files[name]), KIB)]
    cuts += [(name, len(files[name]) - 1) for name in FILES]
    damages: list[tuple[str, str, int]] = [("cut", *cut) for cut in cuts]
    while len(damages) < times:
        name = chance.choice(FILES)
        damages.append(("flip", name, chance.randrange(8 * len(files[name]))))
    chance.shuffle(damages)
    broken, took = [], []
    for number, damage in enumerate(damages[:times]):
        how, name, at = damage
        data = bytearray(files[name])
        if how == "cut":
            del data[at:]
        else:
            data[at // 8] ^= 1 << at % 8
        _put(place / name, data)
        begun = time.perf_counter()
        problem = _met(run, whole, by_engine=number % 2 == 0)
        took.append(time.perf_counter() - begun)
        if problem:
            broken.append(f"{damage}: {problem}")
        aside = run / "checkpoints" / f"damaged-{place.name}"
        if aside.exists():
            aside.rename(place)
        _put(place / name, files[name])
    if resume_point(run).remarks:
        broken.append("the undamaged files are called damaged")
    cut = sum(how == "cut" for how, *_ in damages[:times])
    took.sort()
    words = f"{cut:,} cuts, {times - cut:,} flipped bits; opening took {1000 * took[len(took) // 2]:.1f} ms (median)"
    return Outcome(times, words, tuple(broken))


def _put(path: Path, data: bytes | bytearray) -> None:
    path.unlink()  # a file that is cut to nothing first is written to the disk at once, and that takes its time
    path.write_bytes(data)


def _saved(run: Path, step: int) -> dict[str, dict[str, torch.Tensor]]:
    generator = torch.Generator().manual_seed(step)
    tensors = {
        MODEL: {"embedding": torch.randn(65, 32, generator=generator), "output": torch.randn(65, 64)},
        STATE: {"counters": torch.tensor([step, 1, 0]), "optimiser/0/exp_avg": torch.randn(65, 128)},
    }
    vocabulary = Characters("".join(map(chr, range(0x400, 0x441))))
    facts = {"corpus_sha256": "0" * 64, "versions": {"torch": "2"}, "threads": 2, **vocabulary.facts()}
    save_checkpoint(run, step=step, model=tensors[MODEL], state=tensors[STATE], val_loss=1.0 / step, facts=facts)
    return tensors


def _met(run: Path, whole: dict[int, dict[str, dict[str, torch.Tensor]]], *, by_engine: bool) -> str:
    """What is wrong with how the run opens while its newest checkpoint is damaged, "" for nothing."""
    if by_engine:
        with contextlib.closing(RunFolder.open(run)):
            found = resume_point(run)
    else:
        found = open_checkpoint(run, "best")
    if found.checkpoint is None or found.checkpoint.step != OLDER:
        return f"not detected: {found}"
    if len(found.remarks) != 1 or f"step {NEWER}" not in found.remarks[0] or f"step {OLDER}" not in found.remarks[0]:
        return f"not said: {found.remarks}"
    if not (run / "checkpoints" / f"damaged-step-{NEWER:08d}").is_dir():
        return "not set aside"
    for name, tensors in whole[OLDER].items():
        loaded = load_tensors(found.checkpoint, name)
        if loaded.keys() != tensors.keys() or not all(torch.equal(t, loaded[n]) for n, t in tensors.items()):
            return f"the older {name} is not what was saved"
    return ""


PROMISES = (
    Promise(
        6,
        "checkpoint truncated at any KiB, or with a flipped bit",
        "10,000: detected, the older one loads",
        10_000,
        150,
        keep_damages,
    ),
)
