"""One rank's part in tests/training/test_ranks.py: python -m tests.training.ranks_at_work RANK RANKS FOLDER"""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from charrnn.config import Cell, ModelConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids
from charrnn.torchrun import Seat
from charrnn.training.distributed import join
from charrnn.training.ranks import ALONE, Ranks
from charrnn.training.trainer import Trainer

MODEL = ModelConfig(hidden=24, layers=2, embedding=10)
TRAINING = TrainingConfig(batch=8, length=12, lr=0.01, clip=0.5, threads=1, seed=4)
CASES: list[tuple[Cell, int]] = [("lstm", 1), ("gru", 2)]  # with each rank's threads: its own graph, and shards
STEPS, MORE = 30, 12


def text() -> Ids:
    """The same everywhere: a rule with some noise, so that there is something to learn."""
    chance = np.random.default_rng(3)
    ids = np.cumsum(chance.integers(1, 3, 3000)) % 17
    return ids.astype(np.uint8)


def trainer_of(ranks: Ranks, cell: Cell, threads: int, dropout: float = 0.0, **training: Any) -> Trainer:
    torch.manual_seed(2)
    ids = text()
    model = LanguageModel(17, replace(MODEL, cell=cell, dropout=dropout))
    return Trainer(model, ids[:2700], ids[2700:], replace(TRAINING, threads=threads, **training), ranks=ranks)


def losses(trainer: Trainer, steps: int) -> list[float]:
    return [trainer.step().loss for _ in range(steps)]


def save(trainer: Trainer, path: Path, *, write: bool) -> None:
    state = {**trainer.state(), **{f"model.{name}": t for name, t in trainer.model.state_dict().items()}}
    if write:
        path.write_bytes(safetensors.torch.save(state))


def loaded(trainer: Trainer, path: Path) -> Trainer:
    tensors = safetensors.torch.load(path.read_bytes())
    weights = {name: tensors.pop(name) for name in list(tensors) if name.startswith("model.")}
    trainer.model.load_state_dict({name.removeprefix("model."): t for name, t in weights.items()})
    trainer.load_state(tensors)
    return trainer


def digest(trainer: Trainer) -> str:
    """sha256 of all there is of it: weights, optimiser, streams, generators."""
    state = {**trainer.state(), **{f"model.{name}": t for name, t in trainer.model.state_dict().items()}}
    return hashlib.sha256(safetensors.torch.save(state)).hexdigest()


def weights_of(trainer: Trainer) -> list[float]:
    return [float(p.detach().double().abs().sum()) for p in trainer.model.parameters()]


def main(rank: int, size: int, folder: Path) -> None:
    torch.set_num_threads(1)
    ranks = join(Seat(rank, size, rank, size), f"file://{folder / 'meeting'}")
    told: dict[str, Any] = {}
    for cell, threads in CASES:
        trainer = trainer_of(ranks, cell, threads)
        told[cell] = {"losses": losses(trainer, STEPS), "chars": trainer.chars_done, "held_out": trainer.evaluate()}
        checkpoint = folder / f"{cell}-{size}.safetensors"
        save(trainer, checkpoint, write=rank == 0)
        told[cell]["more"] = losses(trainer, MORE)
        told[cell]["weights"] = weights_of(trainer)
        ranks.sums(0)  # the checkpoint is there
        resumed = loaded(trainer_of(ranks, cell, threads), checkpoint)
        told[cell]["resumed"] = losses(resumed, MORE)
        told[cell]["same"] = [digest(trainer), digest(resumed)]
        alone = loaded(trainer_of(ranks, cell, threads), folder / f"{cell}-1.safetensors")
        told[cell]["from_one"] = losses(alone, MORE)

        trainer = trainer_of(ranks, cell, threads, dropout=0.4)
        losses(trainer, 5)
        state = trainer.state()
        weights = {name: t.clone() for name, t in trainer.model.state_dict().items()}
        told[cell]["random"] = [t.tolist()[:64] for name, t in sorted(ranks.own_of(state).items()) if "random" in name]
        told[cell]["dropout"] = losses(trainer, 8)
        again = trainer_of(ranks, cell, threads, dropout=0.4)
        again.model.load_state_dict(weights)
        again.load_state(state)
        told[cell]["dropout_again"] = losses(again, 8)

        before = weights_of(again)
        if rank == size - 1:
            assert again._hidden is not None
            again._hidden[0][0][-1] = torch.nan
        result = again.step()
        told[cell]["not_finite"] = [result.finite, weights_of(again) == before, again.step().finite]
    told["words"] = [word.decode() for word in ranks.bytes_of_each(b"word" * (rank + 1))]
    told["sent"] = len(ranks.bytes_of_first(b"x" * 1000 if rank == 0 else b""))
    told["first"] = [ranks.of_first(lambda: None), ranks.of_first(lambda: 1.5 + rank)]
    ranks.leave()
    (folder / f"told-{rank}.json").write_text(json.dumps(told))


def alone(folder: Path) -> dict[Cell, list[float]]:
    """The same by one process of one thread; it leaves its checkpoints for the ranks to go on from."""
    told = {}
    for cell, _ in CASES:
        trainer = trainer_of(ALONE, cell, 1)
        told[cell] = losses(trainer, STEPS)
        save(trainer, folder / f"{cell}-1.safetensors", write=True)
        told[cell] += losses(trainer, MORE)
    return told


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
