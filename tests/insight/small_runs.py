"""A run's folder with weights of several steps, made in a moment: a small network that drifts from state to state."""

from __future__ import annotations

from pathlib import Path

import torch

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.runs.metrics import METRICS, append
from charrnn.runs.milestone_file import save_milestone
from charrnn.text.vocabulary import Characters, Vocabulary
from tests.insight.models import small_model

TEXT = "The quick brown fox jumps over the lazy dog.\n"
MILESTONES, CHECKPOINT = (0, 10, 25, 60), 90


def weights_of(step: int, vocabulary: Vocabulary) -> LanguageModel:
    """What the run's network was after that step."""
    model = small_model("gru", len(vocabulary), seed=step + 1)
    model.requires_grad_(False)
    return model


def small_run(place: Path, prime: str = "The ") -> Path:
    """Four milestones and, last, a checkpoint; the losses of every tenth step are in its record."""
    vocabulary = Characters.of_text(TEXT)
    model = ModelConfig(cell="gru", hidden=16, embedding=16, layers=2)
    config = RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="-", name="fox"),
        model=model,
        training=TrainingConfig(),
        stream=StreamConfig(prime=prime),
    )
    RunFolder.create(place, config).close()
    for step in MILESTONES:
        tensors = weights_of(step, vocabulary).state_dict()
        facts = vocabulary.facts()
        save_milestone(place, step=step, chars=step * 100, model=tensors, val_loss=None, vocabulary=facts)
    tensors = weights_of(CHECKPOINT, vocabulary).state_dict()
    state = {"x": torch.zeros(1)}
    save_checkpoint(place, step=CHECKPOINT, model=tensors, state=state, val_loss=1.5, facts=vocabulary.facts())
    append(
        place / METRICS,
        [
            {"step": step, "chars": step * 100, "seconds": step / 10, "train_loss": 4.0 - step / 50}
            | ({"val_loss": 3.5} if step == 50 else {})
            for step in range(10, 100, 10)
        ],
    )
    return place
