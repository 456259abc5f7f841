"""The same prime and seed asked of a run's younger selves, from gibberish to words."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from charrnn.config import Knobs, UsageError
from charrnn.insight.eras import Era, KeptState, kept_states
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import load_tensors, vocabulary_of
from charrnn.runs.directory import read_config
from charrnn.runs.manifest import MODEL, Manifest
from charrnn.runs.saved import DamagedError, Saved, read_manifest, unreadable
from charrnn.sampling.fitting import require_fit
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Vocabulary


class Traveller:
    """One network of a run, into which the weights of any state that the run has kept are loaded."""

    def __init__(self, model: LanguageModel, vocabulary: Vocabulary) -> None:
        """The model becomes the traveller's own: its weights are overwritten."""
        self._model, self._vocabulary = model.eval(), vocabulary
        self._stream: TextStream | None = None

    @classmethod
    def like(cls, model: LanguageModel, vocabulary: Vocabulary) -> Traveller:
        """With a copy of a model that somebody else needs."""
        return cls(copy.deepcopy(model), vocabulary)

    @classmethod
    def of_state(cls, run: Path, state: KeptState) -> Traveller:
        """Of a run on disk. Raises UsageError where the settings or that state cannot be read."""
        config = read_config(run)
        saved = Saved(state.path, state.step, None)
        with _damage_told(state.path):
            _sound_manifest(state.path)
            vocabulary = vocabulary_of(saved)
            require_fit(saved, config.model, len(vocabulary))
        return cls(LanguageModel(len(vocabulary), config.model), vocabulary)

    def open(self, state: KeptState) -> int | None:
        """Takes on the weights of a state, every byte of which is verified; the characters learnt from, if known.

        Raises UsageError for one that is damaged, has gone or is of another network or vocabulary.
        """
        saved = Saved(state.path, state.step, None)
        with _damage_told(state.path):
            manifest = _sound_manifest(state.path)
            if vocabulary_of(saved) != self._vocabulary:
                raise UsageError(f"The weights {state.path} are of a model that knows other characters.")
            require_fit(saved, self._model.config, len(self._vocabulary))
            self._model.load_state_dict(load_tensors(saved, MODEL))
        return manifest.chars

    def begin(self, prime: str, seed: int, knobs: Knobs) -> TextStream:
        """A stream from the state that was opened last; the one before it ends."""
        if self._stream is None:
            self._stream = TextStream(self._model, self._vocabulary, prime=prime, seed=seed, knobs=knobs)
        self._stream.knobs = knobs
        self._stream.restart(prime, seed)
        return self._stream

    def write(self, state: KeptState, *, prime: str, seed: int, length: int, knobs: Knobs) -> Era:
        """What the model wrote then: opens the state and takes `length` characters. Raises UsageError as `open`."""
        chars = self.open(state)
        stream = self.begin(prime, seed, knobs)
        text = stream.take(length)
        known = state.chars if chars is None else chars
        return Era(state.step, known, state.train_loss, state.val_loss, stream.prime, text)


@contextmanager
def _damage_told(path: Path) -> Iterator[None]:
    """A checkpoint's advice, to give another, is none here: the others come anyway."""
    try:
        yield
    except DamagedError as error:
        raise UsageError(f"The weights {path} are damaged or none of charrnn's ({error.why}).") from None


def _sound_manifest(path: Path) -> Manifest:
    """What belongs to a state, if its weights have the size that was written. Raises UsageError."""
    manifest = read_manifest(path)
    try:
        size = (path / MODEL).lstat().st_size
    except OSError as error:
        raise unreadable(path, error) from None
    if size != manifest.files.model.bytes:
        raise DamagedError(path, f"{MODEL}: {size:,} bytes, and {manifest.files.model.bytes:,} were written")
    return manifest


def travel(
    run: Path, prime: str | None = None, seed: int = 1, length: int = 400, knobs: Knobs | None = None
) -> list[Era]:
    """What the run in this folder wrote after `prime` at each state that it has kept, by rising step.

    The states are its milestones and checkpoints, the draws of chance the same at each. `prime` None is the prime of
    the run's settings; what the model does not know is left out of it. States that are damaged are passed over.
    Raises UsageError where there is none that is whole.
    """
    return list(eras_of(run, prime=prime, seed=seed, length=length, knobs=knobs))


def eras_of(
    run: Path,
    *,
    prime: str | None = None,
    seed: int = 1,
    length: int = 400,
    knobs: Knobs | None = None,
    remarks: list[str] | None = None,
) -> Iterator[Era]:
    """As `travel`, one after the other as they are made; what is passed over becomes a sentence in `remarks`."""
    config = read_config(run)
    states = kept_states(run)
    if not states:
        raise UsageError(f"The run {run.name} has kept no state of itself yet; let it train for a while first.")
    traveller: Traveller | None = None
    first_problem: UsageError | None = None
    whole = 0
    for state in states:
        try:
            traveller = traveller or Traveller.of_state(run, state)
            asked = config.stream.prime if prime is None else prime
            era = traveller.write(state, prime=asked, seed=seed, length=length, knobs=knobs or Knobs())
        except UsageError as error:
            first_problem = first_problem or error
            if remarks is not None and state.path.exists():  # else the run has made room meanwhile
                remarks.append(f"Step {state.step:,} is passed over: {error}")
            continue
        whole += 1
        yield era
    if not whole and first_problem is not None:
        raise first_problem
