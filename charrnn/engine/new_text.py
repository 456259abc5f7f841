"""A text other than the one that a run was begun with, in the tokens that its model knows. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from charrnn.config import CorpusConfig, UsageError
from charrnn.runs.events import read_events
from charrnn.runs.saved import list_checkpoints, read_manifest
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Vocabulary, from_facts
from charrnn.text.vocabulary.base import PORTION


def has_newer_text(run: Path) -> bool:
    """Whether the run was given another text than its vocabulary was made of."""
    return any(event.event == "corpus" for event in read_events(run))


def vocabulary_of_newest(run: Path) -> Vocabulary | None:
    """The vocabulary of the run's newest checkpoint; None where there is no checkpoint, or none that can be read."""
    saved = list_checkpoints(run)
    try:
        return from_facts(read_manifest(saved[-1].path).vocabulary_facts()) if saved else None
    except (UsageError, OSError, KeyError, TypeError, ValueError):
        return None  # whoever loads the checkpoint says what is wrong with it


def as_known(corpus: Corpus, config: CorpusConfig, known: Vocabulary | None) -> Corpus:
    """The corpus in the tokens of the vocabulary `known`, if that is another one of the same kind.

    Raises UsageError, naming some, for characters that it has not.
    """
    if known is None or known == corpus.vocabulary or type(known) is not type(corpus.vocabulary):
        return corpus
    unknown = [character for character in corpus.vocabulary.alphabet if character not in known]
    if unknown:
        named = ", ".join(map(repr, unknown[:10])) + (f" and {len(unknown) - 10:,} more" if len(unknown) > 10 else "")
        raise UsageError(
            f"The text {corpus.place} has characters that the run's model does not know ({named}); take them out of "
            "it, or start a new run with it."
        )
    ids = np.concatenate(list(known.encode_chunks(_chunks(corpus)))).astype(known.dtype, copy=False)
    held_out_at = known.border(ids, len(ids) - int(len(ids) * config.validation))
    return replace(corpus, ids=ids, vocabulary=known, held_out_at=held_out_at, descriptor=None)


def _chunks(corpus: Corpus) -> Iterator[str]:
    """The corpus's text, a portion at a time."""
    for first in range(0, len(corpus.ids), PORTION):
        yield corpus.vocabulary.decode(corpus.ids[first : first + PORTION])
