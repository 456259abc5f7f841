"""Files and folders that are on the disk when a call returns, and opening files that anybody may have put there.

A file is on the disk once it was synced and the folder that names it was. A sync that fails is told, and never tried
again on the same file: the kernel may by then have marked the pages that it could not write as clean, so that a second
sync would succeed without them (Rebello et al., "Can applications recover from fsync failures?", USENIX ATC 2020). No
torch here.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

PORTION = 1 << 20
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


def write_file(path: Path, portions: Iterable[bytes | memoryview]) -> tuple[int, str]:
    """Writes a file that is not there yet and syncs it: its bytes and their sha256. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
    try:
        for portion in portions:
            data = memoryview(portion).cast("B")
            digest.update(data)
            size += len(data)
            while data:
                data = data[os.write(descriptor, data) :]
        _sync(descriptor)
    finally:
        os.close(descriptor)
    return size, digest.hexdigest()


def replace_file(path: Path, data: bytes) -> None:
    """Puts `data` into a file's place as a whole, synced: either the old bytes are there or these. Raises OSError."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    try:
        write_file(new, [data])
        new.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(path: Path) -> None:
    """Makes a folder and those above it, and syncs each one that got an entry. Raises OSError."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """What was made, renamed or removed in the folder is on the disk then. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
    try:
        _sync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that has nothing to sync for a folder
            raise
    finally:
        os.close(descriptor)


def _sync(descriptor: int) -> None:
    if sys.platform == "darwin":  # there fsync leaves the bytes in the drive's own memory
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


@contextlib.contextmanager
def plain_file(path: Path) -> Iterator[tuple[int, int]]:
    """A descriptor of a regular file, to read, and its size in bytes. Raises OSError.

    Neither the file nor its folder may be a link; a pipe or a device is not opened, so nothing waits or happens.
    """
    folder = os.open(path.parent, _READ | os.O_DIRECTORY)
    try:
        _require_regular(os.stat(path.name, dir_fd=folder, follow_symlinks=False), path)
        descriptor = os.open(path.name, _READ | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)
    try:
        found = os.fstat(descriptor)
        _require_regular(found, path)
        yield descriptor, found.st_size
    finally:
        os.close(descriptor)


def _require_regular(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.ENOTDIR, "it is not a regular file", str(path))


def read_plain(path: Path, at_most: int) -> bytes:
    """The bytes of a regular file. Raises OSError, also (EFBIG) for more of them than `at_most`."""
    with plain_file(path) as (descriptor, size):
        if size > at_most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, and {at_most:,} are the most it may have", str(path))
        return read_exactly(descriptor, size)


def read_exactly(descriptor: int, size: int) -> bytes:
    """The next `size` bytes, fewer where the file ends. Raises OSError."""
    found = []
    while size and (data := os.read(descriptor, min(size, 1 << 30))):
        found.append(data)
        size -= len(data)
    return b"".join(found)


def digest_of(descriptor: int) -> tuple[int, str]:
    """The number and the sha256 of all of a file's bytes, a portion in memory at a time. Raises OSError."""
    digest, size = hashlib.sha256(), 0
    os.lseek(descriptor, 0, os.SEEK_SET)
    while data := os.read(descriptor, PORTION):
        digest.update(data)
        size += len(data)
    return size, digest.hexdigest()
