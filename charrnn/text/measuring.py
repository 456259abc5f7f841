"""Measures what models that need no training reach on a corpus, and keeps the figures. No torch here."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from pathlib import Path

import msgspec
import numpy as np
from platformdirs import user_cache_path

from charrnn.config import UsageError
from charrnn.text.baselines import HELD_OUT_AT_MOST, METHOD, TRAINING_AT_MOST, Baselines
from charrnn.text.corpus import Corpus
from charrnn.text.kneser_ney import Ids, NGrams

FILE = "baselines.json"
"""In a run's folder, and under another name in the user's cache: one JSON object, a field for each figure."""
_ORDER = 5


def measure(training: str, held_out: str, alphabet: str) -> Baselines:
    """The losses on a held-out text that follows a training text; `alphabet` holds every character the model knows.

    Raises UsageError for texts that are too short: 5 characters to learn from, 2 held out.
    """
    if len(training) < _ORDER or len(held_out) < 2:
        raise UsageError(
            f"{len(training):,} characters to learn from and {len(held_out):,} held out are too few for 5-grams; "
            f"give a longer text ({_ORDER} and 2 are the least)."
        )
    training_ids, held_out_ids, symbols = _numbered(training, held_out, alphabet)
    grams = NGrams(training_ids, held_out_ids, symbols, _ORDER)
    return Baselines(
        uniform=math.log(symbols),
        unigram=grams.cross_entropy(1),
        bigram=grams.cross_entropy(2),
        five_gram=grams.cross_entropy(5),
        xz=_xz(training.encode("utf-8", "surrogatepass"), held_out.encode("utf-8", "surrogatepass"), len(held_out)),
        training=len(training),
        held_out=len(held_out),
    )


def texts(corpus: Corpus) -> tuple[str, str, str]:
    """What `measure` takes: of a long corpus the training text's end and the held-out text's beginning."""
    training = corpus.train_ids[-TRAINING_AT_MOST:]
    held_out = corpus.held_out_ids[:HELD_OUT_AT_MOST]
    vocabulary = corpus.vocabulary  # ids of longer tokens spell more characters than there are of them
    ending, beginning = vocabulary.decode(training)[-TRAINING_AT_MOST:], vocabulary.decode(held_out)[:HELD_OUT_AT_MOST]
    return ending, beginning, vocabulary.alphabet


def _numbered(training: str, held_out: str, alphabet: str) -> tuple[Ids, Ids, int]:
    """Both texts as the places of their characters in the alphabet, and how many characters that has."""
    codes = [
        np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4") for text in (training, held_out, alphabet)
    ]
    known = np.zeros(max(int(part.max(initial=0)) for part in codes) + 1, dtype=bool)
    for part in codes:
        known[part] = True
    symbols = int(known.sum())
    places = (np.cumsum(known) - 1).astype(np.min_scalar_type(symbols))
    return places[codes[0]], places[codes[1]], symbols


def _xz(training: bytes, held_out: bytes, characters: int) -> float | None:
    """Nats per character that the held-out bytes add to an archive of the training bytes."""
    try:
        import lzma
    except ImportError:
        return None
    # Preset 9e's dictionary of 64 MiB would take 700 MB of memory; one as large as the text finds the same matches.
    size = max(4096, len(training) + len(held_out))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": size}]

    def compressed(data: bytes) -> int:
        return len(lzma.compress(data, format=lzma.FORMAT_RAW, filters=filters))

    return (compressed(training + held_out) - compressed(training)) * 8 * math.log(2) / characters


# ---- kept for the next time --------------------------------------------------------------------------------------


def cache_place(corpus: Corpus) -> Path:
    """Where this user's figures of a corpus, cut and read like this one, are kept."""
    what = [METHOD, corpus.sha256, corpus.held_out_at, corpus.characters, corpus.vocabulary.alphabet]
    digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()
    return user_cache_path("charrnn") / "baselines" / f"{digest}.json"


def read(place: Path) -> Baselines | None:
    """Figures that were kept there; None where there are none, or none of this way of measuring."""
    try:
        found = msgspec.json.decode(place.read_bytes(), type=Baselines)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.method == METHOD else None


def baselines_of(corpus: Corpus, run: Path) -> Baselines:
    """A corpus's figures, measured here and now (some seconds) if they never were. Raises UsageError as `measure`."""
    figures = known(corpus, run) or measure(*texts(corpus))
    keep_for(corpus, run, figures)
    return figures


def known(corpus: Corpus, run: Path) -> Baselines | None:
    """A corpus's figures from the run's folder or from the user's cache; None where they were never measured."""
    return read(run / FILE) or read(cache_place(corpus))


def keep_for(corpus: Corpus, run: Path, figures: Baselines) -> None:
    """Keeps figures in both; a place that takes none is done without, for they can be measured again."""
    for place in (run / FILE, cache_place(corpus)):
        if read(place) != figures and (place.parent != run or run.parent.is_dir()):  # unmounted, most likely
            with contextlib.suppress(OSError):
                keep(place, figures)


def keep(place: Path, figures: Baselines) -> None:
    """Writes figures as one JSON object, as a whole or not at all. Raises OSError."""
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = place.with_name(f"{place.name}.{os.getpid()}.new")
    beside.write_bytes(msgspec.json.encode(figures) + b"\n")
    beside.replace(place)
