"""Who is at the other end of a Unix socket, and connecting to nobody but oneself. No torch here.

An engine serves its own user alone, not even root: who may become that user can do so (`sudo -u`) and is served then.
"""

from __future__ import annotations

import ctypes
import os
import socket
import stat
import struct
import sys
import time
from pathlib import Path
from typing import Protocol

from charrnn.config import UsageError
from charrnn.runs.lock import is_live, whose
from charrnn.runs.sockets import socket_path

CONNECTS_WITHIN = 5.0
ANSWERS_WITHIN = 3.0
"""Seconds in which an engine that has just taken its run's lock, or is about to give it back, is waited for."""

_CREDENTIALS = struct.Struct("iII")  # struct ucred of Linux: process, user and group
_UNKNOWN = 0xFFFF_FFFF


class Connected(Protocol):
    """A connected Unix socket, asyncio's too."""

    def fileno(self) -> int: ...

    def getsockopt(self, level: int, optname: int, buflen: int, /) -> bytes: ...


def peer_user(connection: Connected) -> int | None:
    """The id of the user at the other end, as the kernel says; None if it does not.

    Linux has SO_PEERCRED (unix(7)), macOS and the BSDs getpeereid(3); both give the credentials of connect and listen.
    """
    if sys.platform == "linux":
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        user = int(_CREDENTIALS.unpack(found)[1])
    else:
        effective, group = ctypes.c_uint32(_UNKNOWN), ctypes.c_uint32()
        get = getattr(ctypes.CDLL(None), "getpeereid", None)
        if get is None or get(connection.fileno(), ctypes.byref(effective), ctypes.byref(group)):
            return None
        user = effective.value
    return None if user == _UNKNOWN else user


def connect(path: str) -> socket.socket:
    """A connection to the socket at `path`, which must be this user's, and so must be who listens there.

    Nothing has been said yet. Raises UsageError where it is somebody else's, OSError when nobody answers.
    """
    found = os.lstat(path)
    if not stat.S_ISSOCK(found.st_mode):
        raise UsageError(f"{path} is no socket, so no engine answers there; remove it.")
    if found.st_uid != os.getuid():
        raise UsageError(f"{path} belongs to another user (id {found.st_uid}); nothing was said to it.")
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(CONNECTS_WITHIN)  # a queue that nobody empties would hold us for good
        connection.connect(path)
        connection.settimeout(None)
        user = peer_user(connection)
        if user != os.getuid():
            named = "unknown" if user is None else str(user)
            raise UsageError(f"Another user's process (user id {named}) listens at {path}; nothing was said to it.")
    except BaseException:
        connection.close()
        raise
    return connection


def connect_to_run(run: Path, within: float = ANSWERS_WITHIN) -> socket.socket | None:
    """A connection to the run's engine; None when the run is not live, or not any more.

    Raises UsageError where it is live but its engine does not answer within so many seconds, or not to this user.
    """
    until = time.monotonic() + within
    while is_live(run):
        try:
            return connect(str(socket_path(run)))
        except OSError as error:
            if time.monotonic() >= until:
                raise UsageError(
                    f"The run {run.name} is live in {whose(run)}, but its engine does not answer ({error.strerror}); "
                    "try again in a moment, or end that process."
                ) from None
        time.sleep(0.05)
    return None
