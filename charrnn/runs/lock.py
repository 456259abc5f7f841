"""One engine per run: an advisory lock that is held for as long as the engine lives decides. No torch here.

The kernel gives the lock back when the process is gone, however it went. What is written into the lock's file (process
id, host, when, the socket) is for people and clients: a process id that belongs to somebody else by now means nothing.

Both the file RUN/lock and the run's folder itself are locked (flock). The file can be removed or replaced under its
holder, the folder cannot without the run. Over NFS flock is emulated by locks on bytes, which a folder has none of, so
there the file alone decides; a file system without locks at all is refused.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import stat
import time
from pathlib import Path

import msgspec

from charrnn.config import UsageError
from charrnn.text.visible import visible_line

LOCK = "lock"
_PATIENCE, _PAUSE = 20, 0.01
_LONGEST = 4096
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NOT_PLAIN = (errno.ELOOP, errno.EMLINK, errno.EISDIR, errno.ENXIO)


class TakenError(UsageError):
    """Another engine has the run, or was the first to begin one in its place."""


class Holder(msgspec.Struct, frozen=True):
    """What an engine says of itself in its lock: `started` is the clock's seconds, `socket` a path or ""."""

    pid: int
    host: str = ""
    started: int = 0
    socket: str = ""


class RunLock:
    """The lock of one run, held until `release`, or until the process is gone."""

    def __init__(self, run: Path, file: int, folder: int) -> None:
        self._run, self._file, self._folder = run, file, folder
        self._holder = Holder(os.getpid(), socket.gethostname(), int(time.time()))
        self._write()

    @classmethod
    def take(cls, run: Path) -> RunLock:
        """Takes the run's lock. Raises TakenError where another engine has it, UsageError where it cannot be had."""
        folder = -1
        try:
            folder = _locked_folder(run)
            return cls(run, _locked_file(run / LOCK), folder)
        except OSError as error:
            if folder >= 0:
                os.close(folder)
            raise _in_words(run, error) from None

    @property
    def identity(self) -> tuple[int, int]:
        """Device and number of the run's folder, by which it is told from another that took its place."""
        found = os.fstat(self._folder)
        return found.st_dev, found.st_ino

    def tell_socket(self, path: str) -> None:
        """Notes where the engine listens, so that clients find it whatever their environment says."""
        self._holder = msgspec.structs.replace(self._holder, socket=path)
        self._write()

    def renew(self) -> None:
        """Takes the lock again where its file was removed or replaced. Raises TakenError if another engine was first.

        A run whose folder has gone, is another's now or cannot be written to keeps the lock it has.
        """
        if _is_at(self._run / LOCK, self._file) or not _is_at(Path(os.path.realpath(self._run)), self._folder):
            return
        try:
            file = _locked_file(self._run / LOCK, tries=1)
        except BlockingIOError as error:
            raise _in_words(self._run, error) from None
        except OSError:
            return
        os.close(self._file)
        self._file = file
        self._write()

    def release(self) -> None:
        """Gives the lock back; its file stays, and names nobody any more."""
        with contextlib.suppress(OSError):
            if os.fstat(self._file).st_nlink == 1:
                os.ftruncate(self._file, 0)
        for descriptor in (self._file, self._folder):
            with contextlib.suppress(OSError):
                os.close(descriptor)

    def _write(self) -> None:
        """Information only: a full disk does not keep a run from being held, and a file with two names is left."""
        with contextlib.suppress(OSError):
            if os.fstat(self._file).st_nlink == 1:
                content = msgspec.json.encode(self._holder)
                os.pwrite(self._file, content, 0)
                os.ftruncate(self._file, len(content))


def is_live(run: Path) -> bool:
    """Whether some engine holds the run's lock; one that may not be looked at counts as not live."""
    return _is_held(run, _FOLDER) or _is_held(run / LOCK, os.O_RDONLY | _FILE)


def refuse_live(run: Path) -> None:
    """Raises TakenError where an engine has the run. It may get one a moment later: only `RunLock` decides."""
    if is_live(run):
        raise _in_words(run, BlockingIOError())


def holder(run: Path) -> Holder | None:
    """What stands in the run's lock, of an engine that may be gone; None where nothing that can be read does."""
    try:
        descriptor = os.open(run / LOCK, os.O_RDONLY | _FILE)
    except OSError:
        return None
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            return msgspec.json.decode(os.read(descriptor, _LONGEST), type=Holder)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    finally:
        os.close(descriptor)
    return None


def whose(run: Path) -> str:
    """The process that has a live run, as far as it is known, such as "another process (4711)"."""
    said = holder(run)
    if said is None:
        return "another process"
    elsewhere = said.host != socket.gethostname()
    return f"another process ({said.pid}{' on ' + visible_line(said.host[:64]) if elsewhere else ''})"


def _in_words(run: Path, error: OSError) -> UsageError:
    place = run / LOCK
    if isinstance(error, BlockingIOError):
        return TakenError(f"The run {run.name} is live in {whose(run)}; attach to it with charrnn-tui {run.name}.")
    if error.errno in _NOT_PLAIN:
        return UsageError(f"{place} is not a plain file, as a run's lock must be; remove it.")
    if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
        return UsageError(
            f"The run {run.name} lies where files cannot be locked ({error.strerror}), so that two engines could write "
            "to it at once; move it to another file system."
        )
    return UsageError(f"The run {run.name} cannot be opened for writing: {place}: {error.strerror}.")


def _locked_file(place: Path, tries: int = _PATIENCE) -> int:
    """A descriptor of the file that is at `place` once it is locked. Raises OSError, BlockingIOError if it is held."""
    while True:
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | _FILE, 0o644)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise OSError(errno.ENXIO, os.strerror(errno.ENXIO))
            _lock(descriptor, tries)
            if _is_at(place, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)  # somebody removed it in between: whoever comes next locks another file


def _locked_folder(run: Path) -> int:
    """A descriptor of the folder, locked where folders can be. Raises OSError, BlockingIOError if it is held."""
    descriptor = os.open(run, _FOLDER)
    try:
        _lock(descriptor, _PATIENCE)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        pass
    return descriptor


def _lock(descriptor: int, tries: int) -> None:
    """Takes the lock, or raises BlockingIOError. Who only asks whether it is held has it for a moment too."""
    for left in reversed(range(tries)):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if not left:
                raise
            time.sleep(_PAUSE)


def _is_held(place: Path, flags: int) -> bool:
    try:
        descriptor = os.open(place, flags)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _is_at(place: Path, descriptor: int) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        named, opened = place.lstat(), os.fstat(descriptor)
    except OSError:
        return False
    return (named.st_dev, named.st_ino) == (opened.st_dev, opened.st_ino)
