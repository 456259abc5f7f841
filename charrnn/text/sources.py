"""From a name, a path, a glob, an address or standard input to characters, with the decoding stated.

No torch here, and no numpy: the terminal looks at what it is given with this.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from charrnn.config import UsageError
from charrnn.text import builtin, decoding, downloads, files
from charrnn.text.builtin import BUILT_IN, DEFAULT
from charrnn.text.downloads import Progress
from charrnn.text.folding import fold_chunks, fold_to_ascii

__all__ = ["BUILT_IN", "DEFAULT", "Reading", "Source", "fold_to_ascii", "open_source", "read_source"]

STANDARD_INPUT = "-"
_READ_EARLY = 4_000_000  # bytes
_PACKED = {".gz", ".bz2", ".xz", ".zst"}

Stamps = list[list[str | int]]


@dataclass(frozen=True, slots=True)
class SourceText:
    """Characters and where they came from.

    `name` is short enough for a title, `place` is an absolute path or says which built-in it is, `note` says how the
    bytes became characters ("UTF-8", "UTF-8, folded to ASCII").
    """

    name: str
    place: str
    text: str
    note: str


@dataclass(frozen=True, slots=True)
class Source:
    """A text that can be read, as often as need be; `where` names it in a sentence.

    Either `given`, which makes its pieces, or `paths`. `joined` says that there may be several files, of which binary
    ones are left out. `stamps` tell whether it is still the one that was read before (None: nothing can tell).
    """

    name: str
    place: str
    where: str
    given: Callable[[], Iterable[str]] | None = None
    paths: tuple[Path, ...] = ()
    joined: bool = False
    remark: str = ""
    stamps: Stamps | None = None
    encoding: decoding.Encoding | None = None
    ascii: bool = False
    held: BinaryIO | None = field(default=None, compare=False)

    def close(self) -> None:
        """Gives up a download: the cache may drop it from now on."""
        if self.held is not None:
            self.held.close()

    def forget(self) -> None:
        """Drops a download that was no text, so that the next start fetches what is there then."""
        if self.held is not None:
            self.paths[0].unlink(missing_ok=True)


def open_source(
    source: str,
    *,
    ascii: bool = False,  # noqa: A002
    encoding: str = decoding.AUTO,
    stdin_text: str | None = None,
    piped: str | None = None,
    progress: Progress = lambda *_: None,
) -> Source:
    """Finds what `source` names: a built-in corpus, a file, a folder, a glob, an address (fetched), or `-`.

    Nothing of it is read yet. Of `-`, `stdin_text` is the text or `piped` the file that it was put into. `encoding` is
    a codec's name or "auto"; with `ascii` the text is folded as `fold_to_ascii` says. Raises UsageError, one sentence.
    """
    chosen = None if encoding == decoding.AUTO else decoding.named(encoding)
    if source in BUILT_IN:
        place = builtin.place_of(source)
        return Source(source, place, place, given=lambda: builtin.chunks_of(source), ascii=ascii)
    if source == STANDARD_INPUT:
        place = "standard input"
        if piped is not None:
            return Source("stdin", place, place, paths=(Path(piped),), encoding=chosen, ascii=ascii)
        if stdin_text is None:
            raise UsageError("No text came on standard input; pipe one in, as in `cat FILE | charrnn train -`.")
        return Source("stdin", place, place, given=lambda: _as_decoded(stdin_text), ascii=ascii)
    if downloads.is_address(source):
        came = downloads.fetch(source, progress)
        return Source(
            title(source),
            source,
            source,
            paths=(came.path,),
            remark=f"fetched {came.day}",
            stamps=[[came.path.name]],
            encoding=chosen,
            ascii=ascii,
            held=came.file,
        )
    path = os.path.abspath(os.path.expanduser(source))
    several = files.is_glob(path) or os.path.isdir(path)
    found = tuple(files.find(path))
    return Source(
        title(path),
        path,
        repr(path),
        paths=found,
        joined=several,
        stamps=stamps_of(found),
        encoding=chosen,
        ascii=ascii,
    )


def read_source(
    source: str,
    *,
    ascii: bool = False,  # noqa: A002
    encoding: str = decoding.AUTO,
    stdin_text: str | None = None,
    piped: str | None = None,
) -> SourceText:
    """The whole text of what `open_source` finds, for one that memory holds with ease.

    Lines end in a line feed whatever they ended in before, and a byte order mark is left out. Raises UsageError, one
    sentence, for anything that is not a text to learn from.
    """
    with closing(open_source(source, ascii=ascii, encoding=encoding, stdin_text=stdin_text, piped=piped)) as opened:
        reading = Reading(opened)
        text = "".join(reading.chunks())
    return SourceText(opened.name, opened.place, text, reading.note)


def title(source: str, *, ending: bool = False) -> str:
    """What a corpus is called: a file's name (with its `ending` or not), a folder's, the last part of an address."""
    if not downloads.is_address(source) and files.is_glob(source):
        plain = [part for part in Path(source).parts if not files.is_wild(part)]
        return plain[-1] if plain else source
    path = Path(downloads.name_of(source) if downloads.is_address(source) else source)
    if ending or os.path.isdir(path):
        return path.name or source
    return (Path(path.stem).stem if path.suffix in _PACKED else path.stem) or path.name or source


def stamps_of(paths: Iterable[Path]) -> Stamps | None:
    """What changes when a file does: its size, times (of its content and of its entry), number and disk."""
    try:
        found = [(str(path), path.stat()) for path in paths]
    except (OSError, ValueError):
        return None
    return [[name, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino, s.st_dev] for name, s in found]


class Reading:
    """One passage through a source. `note` says, once `chunks` has come to its end, how bytes became characters."""

    def __init__(self, source: Source, progress: Progress = lambda *_: None) -> None:
        self._source, self._progress = source, progress
        self._encodings: Counter[str] = Counter()
        self._binary = 0
        self._damage = decoding.Damage()
        self._read = 0
        self._total = 2 * sum(map(_size, source.paths))  # each file is looked through, then read

    def chunks(self) -> Iterator[str]:
        """The text, in portions of about a million characters, none of them empty. Raises UsageError."""
        source = self._source
        text = worth_learning(self._joined() if source.given is None else source.given(), source.where)
        if source.ascii:
            text = worth_learning(fold_chunks(text), f"{source.where}, folded to ASCII,")
        return text

    @property
    def note(self) -> str:
        """How bytes became characters, as in "cp1252 by its looks (--encoding overrules), folded to ASCII"."""
        parts = [self._source.remark] if self._source.remark else []
        if self._source.joined:
            parts.append(f"{_count(self._encodings.total(), 'file')} by path, a blank line between")
        if len(self._encodings) > 1:
            parts += [f"{count:,} × {words}" for words, count in self._encodings.most_common()]
        else:
            parts += list(self._encodings) or [decoding.UTF_8.words]
        if self._binary:
            parts.append(f"{_count(self._binary, 'binary file')} left out")
        if self._damage.bytes:
            parts.append(self._damage.words())
        if self._source.ascii:
            parts.append("folded to ASCII")
        return ", ".join(parts)

    @property
    def damage(self) -> str:
        """What could not be decoded, in words; "" if all could."""
        return self._damage.words()

    def _joined(self) -> Iterator[str]:
        between = ""
        for path in self._source.paths:
            last = ""
            for chunk in self._decoded(path):
                yield between + chunk
                between, last = "", chunk
            if last:
                between = "\n" if last.endswith("\n") else "\n\n"
        if self._source.joined and not self._encodings:
            raise UsageError(
                f"{self._source.where} holds no text: {_count(self._binary, 'file')}, all binary; give one with texts."
            )

    def _decoded(self, path: Path) -> Iterator[str]:
        encoding = self._source.encoding
        if encoding is None:
            try:
                encoding = decoding.decide(self._portions(path))
            except decoding.BinaryError as error:
                if not self._source.joined:
                    raise UsageError(
                        f"{self._source.where} is binary ({error.reason}); give a text file, or say with --encoding "
                        "what it is if it is text (utf-16-le, say)."
                    ) from None
                self._binary += 1
                return
        self._encodings[encoding.words] += 1
        yield from decoding.decoded(self._portions(path), encoding, self._damage)

    def _portions(self, path: Path) -> Iterator[bytes]:
        place = repr(str(path)) if self._source.joined else self._source.where
        missing = f"check the path, or name a built-in corpus ({' or '.join(BUILT_IN)})."
        return files.portions(path, place, missing, self._consumed)

    def _consumed(self, count: int) -> None:
        self._read += count
        self._progress("reading", min(self._read, self._total), self._total or None)


def require_target(target: str) -> None:
    """Raise UsageError for what is neither a built-in corpus, an address, nor something that lies at a path."""
    if target in BUILT_IN or target == STANDARD_INPUT:
        return
    if downloads.is_address(target):
        downloads.require_address(target)
        return
    path = os.path.expanduser(target)
    if files.is_glob(path) or os.path.isdir(path):
        files.require(path)
    elif not os.path.exists(path):
        raise UsageError(
            f"There is no file, run or built-in corpus {target!r}; give a text file, a folder, a glob, an http(s) "
            f"address, - for standard input, a run from `charrnn runs`, or one of {', '.join(BUILT_IN)}."
        )


def refuse_early(target: str, piped: str | None = None, encoding: str = decoding.AUTO) -> None:
    """Raise UsageError for what a reading would refuse, as far as that can be found out within milliseconds.

    A long file is not read, nor are folders and addresses: whoever trains on them does.
    """
    if encoding != decoding.AUTO:
        decoding.named(encoding)
    require_target(target)
    path = Path(piped or os.path.expanduser(target))
    if target not in BUILT_IN and path.exists() and not path.is_dir() and path.stat().st_size <= _READ_EARLY:
        read_source(target if piped else str(path), encoding=encoding, piped=piped)


def _as_decoded(text: str) -> list[str]:
    return [text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except (OSError, ValueError):
        return 0


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"


def worth_learning(chunks: Iterable[str], where: str) -> Iterator[str]:
    """The chunks; UsageError once they show that the text is empty, blank, binary, or one character over and over."""
    first = ""  # the first character that is not white space
    blank_after = various = anything = False
    at = 0
    for chunk in chunks:
        if not chunk:
            continue
        nul = chunk.find("\0")
        if nul >= 0:
            raise UsageError(f"{where} is binary (a NUL at character {at + nul}); give a text.")
        anything = True
        at += len(chunk)
        inside = "" if various else chunk.strip()
        if inside:
            various = inside.count(first or inside[0]) != len(inside) or (first != "" and chunk[0].isspace())
            various = various or blank_after
            first = first or inside[0]
        blank_after = first != "" and chunk[-1].isspace()
        yield chunk
    if not anything:
        raise UsageError(f"{where} is empty; give a text with something to learn from.")
    if not first:
        raise UsageError(f"{where} is empty but for white space; give a text with something to learn from.")
    if not various:
        raise UsageError(
            f"{where} has only one distinct character, {first!r}; give a text with at least two different ones."
        )
