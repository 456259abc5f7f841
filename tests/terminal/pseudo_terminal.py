"""A program behind a pseudo-terminal, and the screen that a person would see."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Iterator

import pyte

# What pyte does not read: private modes and queries; none of it draws.
UNREAD = re.compile(rb"\x1b\[[?>=<][0-9;:]*[ -/]*[@-~]|\x1b\[[0-9;:]*[ -/]+[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")


class Terminal:
    """A child behind a pseudo-terminal; `screen` is what a person would see."""

    def __init__(self, command: list[str], size: tuple[int, int] = (120, 34), **environment: str) -> None:
        self.columns, self.rows = size
        self.screen = pyte.Screen(*size)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = bytearray()
        self.status: int | None = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGHUP, signal.SIG_DFL)  # whoever runs this may ignore it (nohup), a terminal does not
            os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", **environment})
            os.execvp(command[0], command)
        self.resize(*size)
        self.before = termios.tcgetattr(self.fd)

    def resize(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.screen.resize(rows, columns)

    def read(self, seconds: float) -> bool:
        if not select.select([self.fd], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        self.stream.feed(UNREAD.sub(b"", data))
        return bool(data)

    def until(self, condition: Callable[[], object], seconds: float = 10.0) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, "\n".join(self.screen.display)
            self.read(0.02)

    def shows(self, *texts: str, seconds: float = 10.0) -> None:
        self.until(lambda: all(text in "\n".join(self.screen.display) for text in texts), seconds)

    def press(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def end(self, seconds: float = 10.0) -> int:
        """Reads on until the child has ended; its exit status."""
        end = time.monotonic() + seconds
        while self.status is None:
            assert time.monotonic() < end, "the workbench did not end"
            if not self.read(0.02):
                time.sleep(0.01)
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
        while select.select([self.fd], [], [], 0)[0] and self.read(0):
            pass
        return self.status

    def close(self) -> None:
        """Ends the child if it is still there."""
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def left(self) -> str:
        """What was written to the normal screen after the alternate one was left."""
        _, _, after = bytes(self.raw).rpartition(b"\x1b[?1049l")
        return UNREAD.sub(b"", after).decode(errors="replace")

    def is_clean(self) -> bool:
        """Whether the modes that the screen switched on are off again."""
        for mode in (b"1049", b"1000", b"1003", b"1006", b"2004", b"1004"):
            assert self.raw.rfind(b"\x1b[?" + mode + b"l") > self.raw.rfind(b"\x1b[?" + mode + b"h"), mode
        assert self.raw.rfind(b"\x1b[?25h") > self.raw.rfind(b"\x1b[?25l")
        return True


@contextlib.contextmanager
def terminal(*command: str, size: tuple[int, int] = (120, 34), **environment: str) -> Iterator[Terminal]:
    one = Terminal(list(command), size, **environment)
    try:
        yield one
    finally:
        one.close()
