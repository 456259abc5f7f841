"""Where engines listen: a private folder of this user's, and short names in it. No torch here."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import socket
import stat
import sys
import tempfile
import time
from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.lock import holder, is_live

LONGEST_PATH = 107 if sys.platform == "linux" else 103
"""Bytes of a socket's path that fit beside the final NUL into sockaddr_un: 108 on Linux, 104 on macOS and the BSDs."""

_NAME = re.compile(r"[0-9a-f]{16}\.sock")
_NAME_BYTES = 21
_LEFT_AFTER = 7 * 86_400.0
"""Seconds after which what nobody answers at, or goes on with, is taken for left behind."""


def socket_folder() -> Path:
    """The private folder of this user's engine sockets, made if need be (0700, owner checked, no link).

    In $XDG_RUNTIME_DIR where that is this user's own, else in the folder for temporary files, else in /tmp: the first
    whose path leaves room for a socket's name. Raises UsageError if somebody else's folder, one that others can reach,
    or a link lies in its place.
    """
    folder = _place()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _refuse_open(folder)
    except FileExistsError:
        raise UsageError(f"{folder} must be a folder of yours with mode 0700; remove what is there.") from None
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made: {error.strerror}; set XDG_RUNTIME_DIR to a folder of yours."
        ) from None
    return folder


def _place() -> Path:
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    name = f"charrnn-{os.getuid()}"
    places = [Path(base, "charrnn")] if os.path.isabs(base) and _is_own(base) else []
    places += [Path(tempfile.gettempdir(), name), Path("/tmp", name)]
    return next((p for p in places if len(os.fsencode(p)) + 1 + _NAME_BYTES <= LONGEST_PATH), places[-1])


def _is_own(base: str) -> bool:
    """Whether the folder is this user's to write, and nobody else's: after `su` it is another user's."""
    try:
        found = os.stat(base)
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o022


def _refuse_open(folder: Path) -> None:
    """Raises UsageError unless the folder is this user's alone, OSError if it cannot be looked at."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.EMLINK, errno.ENOTDIR):
            words = f"{folder} is a link, where a folder of yours with mode 0700 must be; remove it."
            raise UsageError(words) from None
        if not isinstance(error, PermissionError):
            raise
        found = folder.lstat()
    else:
        found = os.fstat(descriptor)
        os.close(descriptor)
    if found.st_uid != os.getuid():
        raise UsageError(
            f"{folder} belongs to another user (id {found.st_uid}), where a folder of yours with mode 0700 must be; "
            "set XDG_RUNTIME_DIR to a folder of yours."
        )
    if stat.S_IMODE(found.st_mode) & 0o077 or found.st_mode & 0o700 != 0o700:
        raise UsageError(
            f"{folder} has mode {stat.S_IMODE(found.st_mode):04o}, so that others may reach your runs; it must have "
            f"mode 0700: chmod 700 {folder}, if what is in it is yours."
        )


def own_socket_path(run: Path) -> Path:
    """Where an engine of this process's environment listens for the run: short, whatever the run's own path is."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(run))).hexdigest()[:16]
    return socket_folder() / f"{digest}.sock"


def socket_path(run: Path) -> Path:
    """Where the engine of the run listens: as it says itself, so that a run is found that was moved, or begun where
    $XDG_RUNTIME_DIR was another; else where it would in this environment.

    What a lock says is believed only of a socket's name in a private folder of this user's. Raises UsageError as
    `socket_folder` does.
    """
    said = holder(run)
    if said is not None and said.socket:
        path = Path(said.socket)
        with contextlib.suppress(OSError, UsageError, ValueError):
            if path.is_absolute() and _NAME.fullmatch(path.name):
                _refuse_open(path.parent)
                return path
    return own_socket_path(run)


def bind(path: Path) -> socket.socket:
    """A listening socket at `path`, for the holder of the run's lock: a dead engine's socket there is removed.

    Raises UsageError where anything else is in the way, and leaves it alone; OSError.
    """
    with contextlib.suppress(FileNotFoundError):
        found = path.lstat()
        if not stat.S_ISSOCK(found.st_mode) or found.st_uid != os.getuid():
            raise UsageError(f"{path} is in the way of the run's socket, and is none of yours; remove it.")
        path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(os.fspath(path))
        os.chmod(path, 0o600)
        listening.listen(64)
    except BaseException:
        listening.close()
        raise
    return listening


def remove_left_behind() -> None:
    """Removes from the folder what dead engines and launches left there a week and longer ago."""
    with contextlib.suppress(OSError, UsageError):
        for path in socket_folder().iterdir():
            with contextlib.suppress(OSError):
                if path.lstat().st_mtime < time.time() - _LEFT_AFTER and _is_left(path):
                    path.unlink()


def _is_left(path: Path) -> bool:
    mode = path.lstat().st_mode
    if path.suffix == ".torchrun" and stat.S_ISREG(mode):
        return not is_live(Path(path.read_text(encoding="utf-8", errors="replace")))
    if not (_NAME.fullmatch(path.name) and stat.S_ISSOCK(mode)):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.setblocking(False)
        return probe.connect_ex(os.fspath(path)) == errno.ECONNREFUSED
