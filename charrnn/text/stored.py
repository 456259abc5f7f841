"""A corpus's ids on disk, made once: in the cache, under the digest of their text and all that decides them.

    CACHE/ids/KEY.ids    the ids, one after the other, as uint8, uint16 or uint32
    CACHE/ids/KEY.json   how many, their type, the vocabulary
    CACHE/places/KEY.json  of a source: its files' stamps, and the ids that were made of it

A source whose files have the stamps (size, times, inode) that are written down for them is not read again, as git's
index does it. A stamp cannot be trusted of a file that changed in the moment in which it was read: another change
within the clock's grain would leave it as it is. So stamps are only written down if every file had been at rest for
`AT_REST` seconds before, and had the same ones after the reading. No torch here.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import mmap
import os
import tempfile
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

import numpy as np

from charrnn.config import CorpusConfig, UsageError
from charrnn.text import cache
from charrnn.text.downloads import Progress
from charrnn.text.sources import Reading, Source, stamps_of
from charrnn.text.vocabulary import Characters, Ids, Vocabulary, from_facts
from charrnn.text.vocabulary import vocabulary_of as named_vocabulary

FORMAT = 1
AT_REST = 2.0  # seconds: the coarsest clock of a file system in use (FAT)
_PORTION = 1 << 20
_NOT_OF_THE_IDS = ("source", "name", "sha256", "ascii", "encoding", "validation")  # they act on the text, or later


@dataclass(frozen=True, eq=False)
class StoredIds:
    """Ids mapped from an open file, which stay as they are whatever becomes of text and cache.

    `descriptor` is that file; it is closed when the ids are no longer held.
    """

    ids: Ids
    descriptor: int
    vocabulary: Vocabulary
    sha256: str
    note: str
    warning: str = ""


def load(source: Source, config: CorpusConfig, progress: Progress) -> StoredIds:
    """The ids of a source under a corpus's settings: those in the cache, else made now. Raises UsageError.

    A portion of the text is in memory at a time.
    """
    folder = cache.cache_folder()
    try:
        known = _known(folder, source, config)
        if known is None:
            known = _make(folder, source, config, progress)
            cache.trim(folder)
    except OSError as error:
        raise UsageError(
            f"The corpus's ids cannot be kept in {folder} ({error.strerror or error}); make room there, or set "
            "CHARRNN_CACHE to a folder that has some."
        ) from None
    return known


def find(config: CorpusConfig) -> StoredIds | None:
    """The ids of the text whose digest `config` records, if the cache has them still. Raises UsageError."""
    return _open(cache.cache_folder(), config.sha256, config)


def vocabulary_of(config: CorpusConfig, chunks: Iterable[str]) -> tuple[Vocabulary, str]:
    """The vocabulary that the settings ask for, and what is to be told of it; takes in all of the text."""
    if config.tokens == "printable":
        vocabulary: Vocabulary = Characters.printable()
        replaced = len(vocabulary.unknown(Characters.of_chunks(chunks).symbols))
        return vocabulary, f"{replaced:,} characters outside string.printable replaced by '?'" if replaced else ""
    chunks = iter(chunks)
    vocabulary = named_vocabulary(config.tokens, chunks, config.max_vocabulary)
    for _ in chunks:  # bytes need not look at a text to know it
        pass
    return vocabulary, "rare words spelled by characters" if config.tokens == "word" else ""


def mapped(file: IO[bytes], dtype: np.dtype[Any] | str, count: int) -> Ids:
    """The ids in a file, shape (count,), without reading them: pages that the system keeps, shared by who maps them."""
    return np.memmap(cast(Any, file), dtype=dtype, mode="r", shape=(count,))


def forget_pages(ids: Ids) -> None:
    """Gives pages of mapped ids back to the system, which keeps them while it can and maps them again when needed.

    Else, in the course of a pass, all of a large corpus comes to count as this process's memory.
    """
    if isinstance(ids.base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        ids.base.madvise(mmap.MADV_DONTNEED)


def with_remark(note: str, remark: str) -> str:
    """How bytes became characters, then how characters became ids."""
    return ", ".join(part for part in (note, remark) if part)


def _settings(config: CorpusConfig) -> dict[str, Any]:
    return {name: value for name, value in asdict(config).items() if name not in _NOT_OF_THE_IDS}


def _key(*parts: object) -> str:
    return hashlib.sha256(json.dumps([FORMAT, *parts], sort_keys=True).encode()).hexdigest()


def _ids_place(folder: Path, sha256: str, config: CorpusConfig) -> Path:
    return cache.part(folder, "ids") / f"{_key(sha256, _settings(config))}.ids"


def _source_place(folder: Path, source: Source, config: CorpusConfig) -> Path:
    key = _key(source.place, config.ascii, config.encoding, _settings(config))
    return cache.part(folder, "places") / f"{key}.json"


def _known(folder: Path, source: Source, config: CorpusConfig) -> StoredIds | None:
    """The ids of a source that is as it was when they were made."""
    if source.stamps is None:
        return None
    entry = cache.read_json(_source_place(folder, source, config))
    if entry is None or entry.get("stamps") != source.stamps:
        return None
    return _open(folder, str(entry["sha256"]), config, str(entry["note"]), str(entry["warning"]))


def _make(folder: Path, source: Source, config: CorpusConfig, progress: Progress) -> StoredIds:
    begun = time.time()
    reading = Reading(source, progress)
    with tempfile.TemporaryFile(dir=folder) as text:
        digest = hashlib.sha256()
        vocabulary, remark = vocabulary_of(config, _copied(reading.chunks(), text, digest.update))
        sha256, note = digest.hexdigest(), reading.note
        warning = f"The text has {reading.damage}." if reading.damage else ""
        made = _open(folder, sha256, config, note, warning)
        if made is None:
            place = _ids_place(folder, sha256, config)
            file, dtype, count = _write(place, vocabulary, remark, text, progress)
            made = _stored(file, dtype, count, vocabulary, sha256, with_remark(note, remark), warning)
    if source.stamps is not None and _at_rest(source, begun):
        entry = {"stamps": source.stamps, "sha256": sha256, "note": note, "warning": warning}
        cache.write_json(_source_place(folder, source, config), entry)
    return made


def _at_rest(source: Source, begun: float) -> bool:
    """Whether the source's stamps tell this content from any other (see the module's docstring)."""
    if source.held is not None:
        return True  # its stamp is its digest
    changed = max(max(int(row[2]), int(row[3])) for row in source.stamps or []) / 1e9
    return changed < begun - AT_REST and stamps_of(source.paths) == source.stamps


def _copied(chunks: Iterable[str], text: IO[bytes], digest: Callable[[bytes], None]) -> Iterator[str]:
    """The chunks; a private copy of them for the second passage, which a change of the source thus cannot reach."""
    for chunk in chunks:
        data = chunk.encode("utf-8", "surrogatepass")
        digest(data)
        text.write(data)
        yield chunk


def _again(text: IO[bytes], progress: Progress) -> Iterator[str]:
    """The chunks that were copied."""
    total = text.tell()
    text.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("surrogatepass")
    while data := text.read(_PORTION):
        yield decoder.decode(data)
        progress("encoding", text.tell(), total)


def _write(
    place: Path, vocabulary: Vocabulary, remark: str, text: IO[bytes], progress: Progress
) -> tuple[BinaryIO, np.dtype[Any], int]:
    count = 0
    dtype = vocabulary.dtype
    with cache.new_file(place.parent) as new:
        for ids in vocabulary.encode_chunks(_again(text, progress)):
            new.write(ids.astype(dtype, copy=False).data)
            count += len(ids)
        facts = {
            "dtype": dtype.name,
            "count": count,
            "vocabulary": vocabulary.facts(),
            "remark": remark,
        }
        cache.write_json(place.with_suffix(".json"), facts)
        file = cache.keep(new, place)
    return file, dtype, count


def _open(folder: Path, sha256: str, config: CorpusConfig, note: str = "", warning: str = "") -> StoredIds | None:
    """The ids of a text by its digest, if they are there and whole."""
    place = _ids_place(folder, sha256, config)
    facts = cache.read_json(place.with_suffix(".json"))
    file = cache.use(place) if facts else None
    if facts is None or file is None:
        return None
    dtype, count = np.dtype(str(facts["dtype"])), int(facts["count"])
    if os.fstat(file.fileno()).st_size != count * dtype.itemsize:
        file.close()
        return None
    vocabulary = from_facts(facts["vocabulary"])
    note = with_remark(note, facts["remark"])
    return _stored(file, dtype, count, vocabulary, sha256, note, warning)


def _stored(file: BinaryIO, dtype: np.dtype[Any], count: int, *facts: Any) -> StoredIds:
    with file:
        ids = mapped(file, dtype, count)
        descriptor = os.dup(file.fileno())
    weakref.finalize(ids, os.close, descriptor)
    return StoredIds(ids, descriptor, *facts)
