"""A look at a text before anything is begun: its beginning, how it is decoded, about how long it is.

No more than `HEAD` bytes are decoded, nothing is fetched, and of a folder only so many files are counted: this is for a
screen that shows what a path means while it is typed. No torch here, and no numpy.
"""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast

from charrnn.config import UsageError
from charrnn.text import builtin, decoding, downloads, files
from charrnn.text.builtin import BUILT_IN
from charrnn.text.sources import STANDARD_INPUT, title, worth_learning

if TYPE_CHECKING:

    class _Closing(Protocol):
        """A generator, as far as it is used."""

        def __iter__(self) -> Iterator[Any]: ...

        def close(self) -> None: ...


HEAD = 1 << 18
"""Bytes of a text that are decoded."""
FILES = 2_000
"""Files of a folder or glob that are counted."""
UNPACKED = 15
"""Portions (of a megabyte) more of a packed text that are unpacked to see how long it is."""
_TRIED = 12
"""Files of a folder that may be binary before it is given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look at a text shows.

    `source` is what a run would be given; `characters` how many it has, about so many unless `exact`, None where
    nobody knows yet; `symbols` how many distinct ones its beginning has; `note` says how bytes became characters.
    """

    source: str
    name: str
    head: str
    note: str
    characters: int | None
    exact: bool
    symbols: int


def look_at(target: str, *, encoding: str = decoding.AUTO) -> Look:
    """The text that `target` names. Raises UsageError, one sentence, for what a run would refuse as far as one sees."""
    if target == STANDARD_INPUT:
        raise UsageError("Standard input can be the text only from the start: cat FILE | charrnn-tui -.")
    if target in BUILT_IN:
        return _built_in(target)
    if downloads.is_address(target):
        downloads.require_address(target)
        name = title(target, ending=True)
        return Look(
            source=target,
            name=name,
            head="",
            note="fetched once, when the run begins",
            characters=None,
            exact=False,
            symbols=0,
        )
    path = os.path.abspath(os.path.expanduser(target))
    if not os.path.exists(path) and not files.is_glob(path):
        raise UsageError(f"There is no file or folder {target!r}; check the path.")
    if os.path.isdir(path) or files.is_glob(path):
        return _several(path, encoding)
    return _single(path, encoding)


def _built_in(name: str) -> Look:
    with closing(cast("_Closing", builtin.chunks_of(name))) as chunks:
        head = ""
        for chunk in chunks:
            head += chunk
            if name != "python-docs" and len(head) >= HEAD:
                break
    size = builtin.bytes_of(name)
    return Look(
        source=name,
        name=name,
        head=head,
        note=BUILT_IN[name],
        characters=size or len(head),
        exact=size is None,
        symbols=len(set(head)),
    )


@dataclass(frozen=True, slots=True)
class _Beginning:
    """A file's beginning: its text, its encoding in words, and how many characters a byte on the disk makes."""

    text: str
    words: str
    rate: float
    whole: bool


def _single(path: str, encoding: str) -> Look:
    try:
        begun = _beginning(Path(path), repr(path), encoding)
    except decoding.BinaryError as error:
        raise UsageError(
            f"{path!r} is binary ({error.reason}); choose a text, or give --encoding on the command line if it is one."
        ) from None
    if begun.whole:
        for _ in worth_learning([begun.text], repr(path)):
            pass
    characters = len(begun.text) if begun.whole else round(begun.rate * os.stat(path).st_size)
    return Look(
        source=path,
        name=os.path.basename(path),
        head=begun.text,
        note=begun.words,
        characters=characters,
        exact=begun.whole,
        symbols=len(set(begun.text)),
    )


def _several(path: str, encoding: str) -> Look:
    if "**" in path and files.is_glob(path):  # how far it goes nobody knows
        return Look(
            source=path,
            name=title(path),
            head="",
            note="the files are found when the run begins",
            characters=None,
            exact=False,
            symbols=0,
        )
    found, complete = files.some(path, FILES)
    heads: list[_Beginning] = []
    binary = 0
    for file in found:
        try:
            heads.append(_beginning(file, repr(str(file)), encoding))
        except decoding.BinaryError:
            binary += 1
        if sum(len(head.text) for head in heads) >= HEAD or (binary >= _TRIED and not heads):
            break
    if not heads:
        raise UsageError(f"{path!r} holds no text among its first {binary:,} files, all binary; choose another one.")
    text = ""
    for head in heads:
        text += ("\n" if text.endswith("\n") else "\n\n" if text else "") + head.text
    rate = sum(head.rate for head in heads) / len(heads)
    size = sum(_size(file) for file in found)
    whole = complete and len(heads) + binary == len(found) and all(head.whole for head in heads)
    count = f"{len(found):,} files" if complete else f"more than {len(found):,} files"
    kinds = ", ".join(dict.fromkeys(head.words for head in heads))
    return Look(
        source=path,
        name=title(path),
        head=text,
        note=f"{count} by path, {kinds}" + (f", {binary:,} binary left out" if binary else ""),
        characters=len(text) if whole else round(rate * size),
        exact=whole,
        symbols=len(set(text)),
    )


def _beginning(path: Path, place: str, encoding: str) -> _Beginning:
    """Raises UsageError where the file cannot be read, BinaryError where it is no text."""
    consumed = 0

    def count(number: int) -> None:
        nonlocal consumed
        consumed += number

    portions = files.portions(path, place, "check the path.", count)
    first = next(portions, b"")
    read, packed = len(first), consumed != len(first)
    for portion in islice(portions, UNPACKED if packed else 1):
        read += len(portion)
    cast("_Closing", portions).close()
    more = read > HEAD
    head = _whole_characters(first[:HEAD]) if more else first
    chosen = decoding.decide([head]) if encoding == decoding.AUTO else decoding.named(encoding)
    damage = decoding.Damage()
    text = "".join(decoding.decoded([head], chosen, damage))
    rate = len(text) / max(1, len(head)) * read / max(1, consumed)
    words = ", ".join(part for part in (chosen.words, damage.words()) if part)
    return _Beginning(text, words, rate, whole=not more)


def _whole_characters(head: bytes) -> bytes:
    """Without the beginning of a character that was cut off."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        return head[: len(head) // 4 * 4]
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(head)
    return head[: len(head) - len(decoder.getstate()[0])]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0
