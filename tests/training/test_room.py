"""What a checkpoint takes is known before the first step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from charrnn.config import ModelConfig, TrainingConfig
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.text.vocabulary import Ids
from charrnn.training.room import checkpoint_bytes
from tests.training.test_trainer import BRIEF, SMALL, trainer_of

GATED = ModelConfig(cell="mingru", hidden=64, layers=2, embedding=64)


@pytest.mark.parametrize(
    ("model", "training"),
    [
        (replace(SMALL, hidden=128), BRIEF),
        (replace(SMALL, hidden=128), replace(BRIEF, average=0.99)),
        (GATED, replace(BRIEF, optimiser="muon", average=0.99)),
    ],
    ids=["adam", "averaged", "muon"],
)
def test_the_estimate_before_the_first_step_is_enough_and_not_twice_as_much(
    ids: Ids, tmp_path: Path, model: ModelConfig, training: TrainingConfig
) -> None:
    trainer = trainer_of(ids, model, training, held_out=100)
    estimated = checkpoint_bytes(trainer)
    for _ in range(3):
        trainer.step()
    (tmp_path / "checkpoints").mkdir()
    weights = trainer.evaluated_model.state_dict()
    saved = save_checkpoint(tmp_path, step=3, model=weights, state=trainer.state(), val_loss=None, facts={})
    real = sum(path.stat().st_size for path in saved.iterdir())
    assert real <= estimated <= 2 * real
    assert real <= checkpoint_bytes(trainer) <= 2 * real
