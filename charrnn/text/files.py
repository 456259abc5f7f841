"""Files on this machine: which ones a folder or a glob means; their bytes, unpacked. No torch here, and no numpy."""

from __future__ import annotations

import bz2
import glob
import gzip
import lzma
import os
import stat
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import IO, BinaryIO, cast

from charrnn.config import UsageError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

PORTION = 1 << 20  # bytes

_WILD = frozenset("*?[")
_DAMAGE = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zstd.ZstdError)


def is_wild(part: str) -> bool:
    """Whether part of a path is a pattern."""
    return bool(_WILD & set(part))


def is_glob(target: str) -> bool:
    """Whether the target is a pattern, and not the name of something that lies there."""
    return is_wild(target) and not os.path.exists(target)


def require(target: str) -> None:
    """Raise UsageError for a glob or folder without a file; the first one that is found ends the search."""
    if is_glob(target):
        if next(glob.iglob(target, recursive=True), None) is None:
            raise _no_match(target)
    elif next(_below(Path(target)), None) is None:
        raise _no_files(target)


def find(target: str) -> list[Path]:
    """The regular files that a path, a folder or a glob means, in the order of their paths' parts. Raises UsageError.

    A folder means all that is in it and below, but nothing hidden; a file that is named is taken as it is.
    """
    if is_glob(target):
        matches = [Path(match) for match in glob.glob(target, recursive=True)]
        found = {file for match in matches for file in (_below(match) if match.is_dir() else _regular(match))}
        if not found:
            raise _no_match(target)
        return sorted(found, key=lambda path: path.parts)
    path = Path(target)
    if not os.path.isdir(path):
        return [path]
    found = set(_below(path))
    if not found:
        raise _no_files(target)
    return sorted(found, key=lambda path: path.parts)


def some(target: str, at_most: int) -> tuple[list[Path], bool]:
    """The first files that a path, a folder or a glob means, in the order in which they are found, and whether that is
    all of them. Raises UsageError.
    """
    if is_glob(target):
        matches = (Path(match) for match in glob.iglob(target, recursive=True))
        found: Iterator[Path] = (
            file for match in matches for file in (_below(match) if match.is_dir() else _regular(match))
        )
    elif os.path.isdir(target):
        found = _below(Path(target))
    else:
        return [Path(target)], True
    first = list(islice(found, at_most + 1))
    if not first:
        raise _no_match(target) if is_glob(target) else _no_files(target)
    return sorted(first[:at_most], key=lambda path: path.parts), len(first) <= at_most


def _no_match(pattern: str) -> UsageError:
    return UsageError(f"No file matches {pattern!r}; check the pattern, and quote it so that the shell leaves it.")


def _no_files(folder: str) -> UsageError:
    return UsageError(f"The folder {folder!r} has no files in it that are not hidden; give one that holds texts.")


def _below(folder: Path) -> Iterator[Path]:
    def refuse(error: OSError) -> None:
        raise UsageError(f"The folder {str(error.filename)!r} cannot be read ({error.strerror}); give another one.")

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if not name.startswith("."):
                yield from _regular(Path(place, name))


def _regular(path: Path) -> list[Path]:
    return [path] if path.is_file() else []


def portions(path: Path, place: str, missing: str, consumed: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """The bytes of a regular file, unpacked if it is packed (gzip, bzip2, xz, zstd, told by its first bytes).

    `consumed` is called with the number of bytes read from the disk since its last call. Raises UsageError, which calls
    the file `place`, and ends with `missing` (what to do) where there is none.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise UsageError(f"{place} is not a regular file; pipe its text in instead, and give `-` as the source.")
        with path.open("rb") as raw:
            yield from _unpacked(raw, consumed)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"There is no file {place}; {missing}") from None
    except PermissionError:
        raise UsageError(f"{place} may not be read by this user; change its permissions (chmod u+r).") from None
    except _DAMAGE as error:
        raise _damaged(place, error) from None
    except (OSError, ValueError) as error:  # too long a name, a NUL in it, a disk that fails
        if isinstance(error, OSError) and error.errno is None:  # bz2 says it so
            raise _damaged(place, error) from None
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{place} cannot be read ({reason}); give another text file.") from None


def _unpacked(raw: BinaryIO, consumed: Callable[[int], None]) -> Iterator[bytes]:
    source = _unpacking(raw)
    told = 0
    while portion := source.read(PORTION):
        now = raw.tell()
        consumed(now - told)
        told = now
        yield portion


def _unpacking(raw: BinaryIO) -> BinaryIO:
    head = raw.read(10)
    raw.seek(0)
    opened: IO[bytes] = raw
    if head.startswith(b"\x1f\x8b\x08"):
        opened = cast(IO[bytes], gzip.GzipFile(fileobj=raw))
    elif head.startswith(b"BZh") and head[4:10] in (b"1AY&SY", b"\x17rE8P\x90"):
        opened = bz2.BZ2File(raw)
    elif head.startswith(b"\xfd7zXZ\0"):
        opened = lzma.LZMAFile(raw)  # noqa: SIM115 - `raw` is closed by who opened it
    elif head.startswith(b"\x28\xb5\x2f\xfd"):
        opened = cast(IO[bytes], zstd.ZstdFile(raw))
    return cast(BinaryIO, opened)


def _damaged(place: str, error: BaseException) -> UsageError:
    words = str(error).strip().rstrip(".") or type(error).__name__
    return UsageError(f"{place} is damaged ({words[0].lower() + words[1:]}); fetch or pack it again.")
