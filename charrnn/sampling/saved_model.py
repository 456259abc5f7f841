"""A model from a run's checkpoint, ready to write or to be measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from charrnn.config import RunConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import load_tensors, vocabulary_of
from charrnn.runs.directory import read_config
from charrnn.runs.manifest import MODEL
from charrnn.runs.recovery import open_checkpoint
from charrnn.sampling.fitting import require_fit
from charrnn.text.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class SavedModel:
    """The model, on the CPU and in evaluation mode, with the tokens it knows; `step` is its training step.

    `remarks` say, a sentence each, which checkpoints were found damaged on the way to this one.
    """

    model: LanguageModel
    vocabulary: Vocabulary
    config: RunConfig
    step: int
    remarks: tuple[str, ...] = ()


def load_model(run: Path, which: str = "best") -> SavedModel:
    """The model of a run's folder: `best`, `last`, or a step. Raises UsageError, one sentence.

    The folder may come from somebody else: all of the checkpoint is verified and compared with the settings before
    memory is taken for it, and nothing in it is ever executed.
    """
    config = read_config(run)
    found = open_checkpoint(run, which)
    checkpoint = found.checkpoint
    assert checkpoint is not None
    vocabulary = vocabulary_of(checkpoint)
    require_fit(checkpoint, config.model, len(vocabulary))
    model = LanguageModel(len(vocabulary), config.model)
    try:
        model.load_state_dict(load_tensors(checkpoint, MODEL))
    except RuntimeError as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"The checkpoint {checkpoint.path} does not fit its run's settings: {first}.") from None
    return SavedModel(model.eval(), vocabulary, config, checkpoint.step, found.remarks)
