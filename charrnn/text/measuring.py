"""Measures what models that need no training reach on a corpus, and keeps the figures. No torch here."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray
from platformdirs import user_cache_path

from charrnn.config import UsageError
from charrnn.text.baselines import HELD_OUT_AT_MOST, METHOD, TRAINING_AT_MOST, Baselines
from charrnn.text.corpus import Corpus
from charrnn.text.kneser_ney import Ids, NGrams
from charrnn.text.vocabulary.base import Vocabulary

Utf8 = bytes | bytearray | memoryview

FILE = "baselines.json"
"""In a run's folder, and under another name in the user's cache: one JSON object, a field for each figure."""
_ORDER = 5
_XZ_DICTIONARY = 4 << 20  # bytes
_PART = 1 << 17  # bytes or ids that are worked on at a time


def measure(training: Utf8, held_out: Utf8, alphabet: str) -> Baselines:
    """The losses on a held-out text that follows a training text; `alphabet` holds every character the model knows.

    Both texts are in UTF-8 (lone surrogates as if they were characters). Raises UsageError for texts that are too
    short: 5 characters to learn from, 2 held out.
    """
    learnt, asked = characters_in(training), characters_in(held_out)
    if learnt < _ORDER or asked < 2:
        raise UsageError(
            f"{learnt:,} characters to learn from and {asked:,} held out are too few for 5-grams; "
            f"give a longer text ({_ORDER} and 2 are the least)."
        )
    symbols, unigram, bigram, five_gram = _grams(training, held_out, alphabet)
    return Baselines(
        uniform=math.log(symbols),
        unigram=unigram,
        bigram=bigram,
        five_gram=five_gram,
        xz=_xz(training, held_out, asked),
        training=learnt,
        held_out=asked,
    )


def _grams(training: Utf8, held_out: Utf8, alphabet: str) -> tuple[int, float, float, float]:
    """How many symbols there are, and the losses of the n-grams of 1, 2 and 5."""
    ids, symbols = _numbered((training, held_out), alphabet)
    grams = NGrams(ids, characters_in(training), symbols, _ORDER)
    return symbols, grams.cross_entropy(1), grams.cross_entropy(2), grams.cross_entropy(_ORDER)


def texts(corpus: Corpus) -> tuple[Utf8, Utf8, str]:
    """What `measure` takes: of a long corpus the training text's end and the held-out text's beginning."""
    vocabulary = corpus.vocabulary
    ids, start, characters = corpus.train_ids, len(corpus.train_ids), 0
    while start > 0 and characters < TRAINING_AT_MOST:  # ids may spell several characters, or parts of one
        before = vocabulary.border(ids, max(0, start - _PART))
        characters += vocabulary.characters_in(ids[before:start])
        start = before
    training = _spelled(vocabulary, ids[start:], max(0, characters - TRAINING_AT_MOST))
    held_out = vocabulary.head(corpus.held_out_ids, HELD_OUT_AT_MOST).encode("utf-8", "surrogatepass")
    return training, held_out, vocabulary.alphabet


def _spelled(vocabulary: Vocabulary, ids: Ids, skipped: int) -> bytearray:
    """The text of the ids but for its first `skipped` characters, in UTF-8, made a part at a time."""
    text = bytearray()
    start = 0
    while start < len(ids):
        end = vocabulary.border(ids, start + _PART)
        end = end if end > start else len(ids)
        part = vocabulary.decode(ids[start:end])
        text += part[skipped:].encode("utf-8", "surrogatepass")
        skipped = max(0, skipped - len(part))
        start = end
    return text


def characters_in(text: Utf8) -> int:
    """How many characters a text in UTF-8 has: bytes that begin one."""
    codes = np.frombuffer(text, dtype=np.uint8)
    return sum(int(np.count_nonzero((codes[at : at + _PART] & 0xC0) != 0x80)) for at in range(0, len(codes), _PART))


def _code_points(text: Utf8) -> Iterator[NDArray[np.uint32]]:
    """The characters' numbers, a part at a time."""
    start = 0
    while start < len(text):
        end = min(start + _PART, len(text))
        while end < len(text) and text[end] & 0xC0 == 0x80:
            end -= 1
        part = str(text[start:end], "utf-8", "surrogatepass")
        yield np.frombuffer(part.encode("utf-32-le", "surrogatepass"), dtype="<u4")
        start = end


def _numbered(texts: Sequence[Utf8], alphabet: str) -> tuple[Ids, int]:
    """The texts in a row as the places of their characters in the alphabet, and how many characters that has."""
    known = np.zeros(0x110000, dtype=bool)
    for text in (*texts, alphabet.encode("utf-8", "surrogatepass")):
        for codes in _code_points(text):
            known[codes] = True
    symbols = int(known.sum())
    places: Ids = np.zeros(len(known), dtype=np.min_scalar_type(symbols))
    places[known] = np.arange(symbols)
    ids: Ids = np.empty(sum(map(characters_in, texts)), dtype=places.dtype)
    at = 0
    for text in texts:
        for codes in _code_points(text):
            ids[at : at + len(codes)] = places[codes]
            at += len(codes)
    return ids, symbols


def _xz(training: Utf8, held_out: Utf8, characters: int) -> float | None:
    """Nats per character that the held-out bytes add to an archive of the training bytes."""
    try:
        import lzma
    except ImportError:
        return None
    # Eleven times the dictionary is what it takes of memory. One as large as the text finds the same matches as the
    # preset's 64 MiB; with several bytes to a character the text is larger than what is worth that.
    size = min(max(4096, len(training) + len(held_out)), _XZ_DICTIONARY)
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": size}]

    def compressed(*texts: Utf8) -> int:
        archive = lzma.LZMACompressor(format=lzma.FORMAT_RAW, filters=filters)
        parts = (text[at : at + _PART] for text in texts for at in range(0, len(text), _PART))
        return sum(len(archive.compress(part)) for part in parts) + len(archive.flush())

    return (compressed(training, held_out) - compressed(training)) * 8 * math.log(2) / characters


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
