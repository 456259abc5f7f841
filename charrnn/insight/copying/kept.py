"""The index of a corpus's training text on disk: in the private cache, made once for each text. No torch here.

CACHE/copying/KEY.index   the text in UTF-8, filled up to eight bytes; its suffix array; its counts of characters
CACHE/copying/KEY.json    how many bytes
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import numpy as np

from charrnn.config import UsageError
from charrnn.insight.copying.index import LARGEST, STEP, CopyingIndex, counts_of, suffix_array
from charrnn.text import cache
from charrnn.text.corpus import Corpus
from charrnn.text.vocabulary import Ids, Vocabulary

FORMAT = 1
_PART = 1 << 18  # ids at a time
Progress = Callable[[str, float], None]
"""Hears what is done ("reading", "sorting", "writing") and how much of that, 0 to 1."""


def place_of(corpus: Corpus) -> Path:
    """Where the index of this corpus's training text is kept. Raises UsageError if there is no cache."""
    what = [FORMAT, corpus.sha256, corpus.held_out_at, corpus.vocabulary.facts()]
    name = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return cache.part(cache.cache_folder(), "copying") / f"{name}.index"


def parts_of(vocabulary: Vocabulary, ids: Ids) -> Iterator[bytes]:
    """The text of ids (tokens,) in UTF-8, a part at a time."""
    start = 0
    while start < len(ids):
        end = vocabulary.border(ids, start + _PART) if start + _PART < len(ids) else len(ids)
        end = end if end > start else len(ids)
        yield vocabulary.decode(ids[start:end]).encode("utf-8", "surrogatepass")
        start = end


def too_large(most: int) -> str:
    """The sentence about a text of more than so many bytes."""
    return f"Copies are looked for in training texts of up to {most // 1_000_000} MB; this one is larger."


def make(
    place: Path, vocabulary: Vocabulary, ids: Ids, progress: Progress = lambda *_: None, *, most: int = LARGEST
) -> None:
    """Indexes the text of ids and keeps that at `place`: some five bytes of memory for each of the text's.

    Raises UsageError where there is no text, or more than `most` bytes of it; OSError.
    """
    with cache.new_file(place.parent) as new:
        written, tokens = 0, max(1, len(ids))
        for number, part in enumerate(parts_of(vocabulary, ids)):
            new.write(part)
            written += len(part)
            if written > most:
                raise UsageError(too_large(most))
            progress("reading", min(1.0, (number + 1) * _PART / tokens))
        if not written:
            raise UsageError("There is no training text to compare with.")
        new.write(bytes(-written % 8))
        new.flush()
        progress("sorting", 0.0)
        text = np.memmap(cast(Any, new), dtype=np.uint8, mode="c", shape=(written,))
        order = suffix_array(text)
        progress("writing", 0.0)
        new.seek(0, os.SEEK_END)
        new.write(order.data)
        new.write(bytes(-order.nbytes % 8))
        new.write(counts_of(text).data)
        cache.keep(new, place).close()
        cache.write_json(place.with_suffix(".json"), {"bytes": written})


def open_kept(place: Path) -> CopyingIndex | None:
    """The index at `place`, mapped; None where there is none that is whole. It stays while it is held."""
    facts = cache.read_json(place.with_suffix(".json"))
    file = cache.use(place) if facts else None
    if facts is None or file is None:
        return None
    with file:
        size = int(facts["bytes"])
        order_at = size + -size % 8
        counts_at = order_at + 4 * size + -4 * size % 8
        counts = -(-size // STEP) + 1
        if size < 1 or os.fstat(file.fileno()).st_size != counts_at + 8 * counts:
            return None
        # A mapping has a descriptor of its own, which keeps the lock on the file.
        text = mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ)
        whole = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        order = np.frombuffer(whole, dtype=np.int32, count=size, offset=order_at)
        return CopyingIndex(text, order, np.frombuffer(whole, dtype=np.int64, count=counts, offset=counts_at).copy())
