"""The terminal itself: Textual's driver on a descriptor of its own, and standard error kept off the screen."""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from textual.drivers import linux_driver
from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App

RESET = b"\x1b[<u\x1b[?2004l\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1000l\x1b[?1004l\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"


class TerminalDriver(LinuxDriver):
    """Writes to its own copy of standard output, so that whatever a library prints cannot share its stream."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._terminal = os.dup(sys.__stdout__.fileno() if sys.__stdout__ else 1)
        charset = getattr(getattr(app, "settings", None), "charset", "ascii")
        self._charset = "utf-8" if charset == "ascii" else charset  # what is shown may be ASCII by wish alone
        self._output = open(self._terminal, "w", encoding=self._charset, errors="replace", newline="")  # noqa: SIM115
        self._file = self._output

    def run_input_thread(self) -> None:
        # Textual decodes UTF-8, and fails at whatever else a keyboard or a paste may send.
        made = partial(codecs.getincrementaldecoder(self._charset), "replace")
        setattr(linux_driver, "getincrementaldecoder", lambda _: made)  # noqa: B010
        super().run_input_thread()

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._terminal)
        except OSError:
            return 80, 24
        return columns or 80, rows or 24

    def close(self) -> None:
        super().close()
        with contextlib.suppress(OSError):
            self._output.close()


@contextlib.contextmanager
def quiet_standard_error() -> Iterator[None]:
    """Sends what is printed to standard error into a file while a screen is up.

    The end of it is printed afterwards when the screen was left by an error.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            sys.stderr.flush()
            os.dup2(kept, 2)
            os.close(kept)
            if failed:
                size = log.seek(0, os.SEEK_END)
                log.seek(max(0, size - 4000))
                from tui.terminal import safe

                sys.stderr.write(safe(log.read().decode("utf-8", "replace")))


class LastResort:
    """Ends the process after some seconds even if the terminal takes no more output and Textual waits for it.

    Its thread is there from the beginning, and a byte in a pipe wakes it: a signal may come at any moment, also while
    another thread is being started, and a handler that would start one then would wait for itself for good.
    """

    def __init__(self) -> None:
        self._attributes: list[Any] | None = None
        with contextlib.suppress(termios.error):
            self._attributes = termios.tcgetattr(0)
        self._order: tuple[float, int] | None = None
        self._reader, self._writer = os.pipe()
        threading.Thread(target=self._wait, daemon=True).start()

    def arm(self, seconds: float, status: int) -> None:
        """May be called by a signal's handler; the first order counts."""
        if self._order is None:
            self._order = seconds, status
            os.write(self._writer, b"!")

    def _wait(self) -> None:
        os.read(self._reader, 1)
        assert self._order is not None
        seconds, status = self._order
        time.sleep(seconds)
        self._end(status)

    def _end(self, status: int) -> None:
        if self._attributes is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(0, termios.TCSANOW, self._attributes)
        with contextlib.suppress(OSError):
            if select.select([], [1], [], 0)[1]:
                os.write(1, RESET)
        os._exit(status)
