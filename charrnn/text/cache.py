"""The private folder for what can be made again: ids, downloads, and texts on their way. No torch here, and no numpy.

Every file appears whole, by a rename. Who uses one holds a shared lock on it; what nobody uses is dropped, the longest
unused first, once all of it is larger than `MOST_BYTES`.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, BinaryIO, cast

from platformdirs import user_cache_path

from charrnn.config import UsageError

MOST_BYTES = 20_000_000_000
_ABANDONED_AFTER = 60.0  # seconds from a temporary file's making to its lock, at the very most
_UNFINISHED = ".unfinished-"


def cache_folder() -> Path:
    """The folder: $CHARRNN_CACHE, else in the user's cache folder; made if need be (0700, owner checked).

    Raises UsageError if it cannot be, or is somebody else's, or others may look into it.
    """
    chosen = os.environ.get("CHARRNN_CACHE")
    folder = Path(chosen).expanduser().absolute() if chosen else user_cache_path("charrnn") / "corpora"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            raise UsageError(f"{folder} must be a folder of yours with mode 0700; set CHARRNN_CACHE to another one.")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot hold what is kept of a corpus ({error.strerror}); set CHARRNN_CACHE to a folder that can."
        ) from None
    return folder


def part(folder: Path, name: str) -> Path:
    """A folder within the cache, made if need be."""
    place = folder / name
    place.mkdir(mode=0o700, exist_ok=True)
    return place


@contextmanager
def new_file(folder: Path) -> Iterator[IO[bytes]]:
    """A new file in `folder`, open for writing and reading; it is removed at the end unless `keep` gave it a place."""
    with tempfile.NamedTemporaryFile(prefix=_UNFINISHED, dir=folder, delete=False) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield cast(IO[bytes], file)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file.name)


def keep(file: IO[bytes], place: Path) -> BinaryIO:
    """Gives what was written to a new file its place, whole and on disk; it comes back open for reading, in use."""
    file.flush()
    os.fsync(file.fileno())
    opened = open(file.name, "rb")  # noqa: SIM115 - handed over
    for one in (file, opened):
        fcntl.flock(one, fcntl.LOCK_SH)
    os.replace(file.name, place)
    return opened


def use(place: Path) -> BinaryIO | None:
    """A file of the cache, open for reading; for as long as anybody has it open it is not dropped. None: not there."""
    try:
        file = open(place, "rb")  # noqa: SIM115 - handed over
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        gone = os.fstat(file.fileno()).st_nlink == 0
    except BlockingIOError:  # it is being dropped
        gone = True
    if gone:
        file.close()
        return None
    with contextlib.suppress(OSError):
        os.utime(place)  # used now
    return file


def keep_piped(pipe: BinaryIO) -> str:
    """Copies what comes by a pipe to a file of the cache, whose path it returns; whoever uses it is to remove it.

    Raises UsageError if there is no room. Until somebody uses it, it is safe from `trim` for a minute.
    """
    folder = part(cache_folder(), "piped")
    try:
        with tempfile.NamedTemporaryFile(prefix=_UNFINISHED, dir=folder, delete=False) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            try:
                shutil.copyfileobj(pipe, file, 1 << 20)
            except BaseException:
                os.unlink(file.name)
                raise
            return file.name
    except OSError as error:
        raise UsageError(
            f"Standard input cannot be kept in {folder} ({error.strerror}); make room there, or set CHARRNN_CACHE to a "
            "folder that has some."
        ) from None


def write_json(place: Path, value: Any) -> None:
    """Replaces the file at `place` as a whole."""
    with new_file(place.parent) as file:
        file.write(json.dumps(value).encode("ascii"))
        file.flush()
        os.replace(file.name, place)


def read_json(place: Path) -> dict[str, Any] | None:
    """The object in the file at `place`; None if there is none that can be read."""
    try:
        value = json.loads(place.read_bytes())
    except (OSError, ValueError):
        return None
    with contextlib.suppress(OSError):
        os.utime(place)
    return value if isinstance(value, dict) else None


def trim(folder: Path, most: int = MOST_BYTES) -> None:
    """Drops what was used longest ago and is not in use until `most` bytes are left, and what a dead process left."""
    files: list[tuple[float, int, Path]] = []
    for path in folder.glob("*/*"):
        with contextlib.suppress(OSError):
            found = path.stat()
            files.append((found.st_mtime, found.st_size, path))
    total = sum(size for _, size, _ in files)
    for used, size, path in sorted(files):
        unfinished = path.name.startswith(_UNFINISHED)
        if total <= most and not unfinished:
            continue
        if unfinished and time.time() - used < _ABANDONED_AFTER:
            continue
        with contextlib.suppress(OSError), open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()
            total -= size
