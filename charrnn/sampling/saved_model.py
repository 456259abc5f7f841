"""A model from a run's checkpoint, ready to write or to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from charrnn.config import RunConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import MODEL, load_tensors, vocabulary_of
from charrnn.runs.directory import read_config
from charrnn.runs.saved import choose_checkpoint
from charrnn.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The model, on the CPU and in evaluation mode, with the tokens it knows; `step` is its training step."""

    model: LanguageModel
    vocabulary: Vocabulary
    config: RunConfig
    step: int


def load_model(run: Path, which: str = "best") -> SavedModel:
    """The model of a run's folder: `best`, `last`, or a step. Raises UsageError, one sentence."""
    config = read_config(run)
    checkpoint = choose_checkpoint(run, which)
    vocabulary = vocabulary_of(checkpoint)
    try:
        model = LanguageModel(len(vocabulary), config.model)
        model.load_state_dict(load_tensors(checkpoint, MODEL))
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"The checkpoint {checkpoint.path} does not fit its run's settings: {first}.") from None
    return SavedModel(model.eval(), vocabulary, config, checkpoint.step)
