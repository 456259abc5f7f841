"""The terminal itself: Textual's driver on a descriptor of its own, and standard error kept off the screen."""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import select
import signal
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver

from tui.frames import Frame

if TYPE_CHECKING:
    from textual.app import App

RESET = (
    b"\x1b[r\x1b[8h\x1b[<u\x1b[?2004l\x1b[?1006l\x1b[?1015l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1004l"
    b"\x1b[?7h\x1b[?1049l\x1b[?25h\x1b[0m"
)

RESTING, ATTENTIVE, ATTENTION = 0.1, 0.02, 5
"""Seconds between two looks whether to end; between those for the rest of a key that began with esc, and how many."""


class TerminalDriver(LinuxDriver):
    """Writes to its own copy of standard output, so that whatever a library prints cannot share its stream.

    It knows when the terminal has not yet taken what was written, and how to be suspended and come back.
    """

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._loop = asyncio.get_running_loop()
        self._terminal = os.dup(sys.__stdout__.fileno() if sys.__stdout__ else 1)
        self.frame = Frame()
        """What stands on the terminal."""
        charset = getattr(getattr(app, "settings", None), "charset", "ascii")
        self._charset = "utf-8" if charset == "ascii" else charset  # what is shown may be ASCII by wish alone
        self._file = cast(Any, _Output(self._terminal, self._charset, self._taken))
        self._slow = bool(getattr(getattr(app, "settings", None), "slow", False))
        self._given = 0
        self._done = 0
        self._when_free: Callable[[], None] | None = None

    def _get_terminal_size(self) -> tuple[int, int]:
        try:
            columns, rows = os.get_terminal_size(self._terminal)
        except OSError:
            return 80, 24
        return columns or 80, rows or 24

    # ---- a line that is slow ---------------------------------------------------------------------------------

    def write(self, data: str) -> None:
        self._given += 1
        super().write(data)

    def is_busy(self, when_free: Callable[[], None]) -> bool:
        """Whether the terminal has not yet taken all that was written; if so `when_free` is called once it has."""
        if self._done == self._given:
            return False
        self._when_free = when_free
        if self._done == self._given:  # just now, in the other thread, which saw nobody waiting
            self._when_free = None
            return False
        return True

    def _taken(self) -> None:
        """In the writing thread, after each piece."""
        self._done += 1
        if self._done == self._given and self._when_free is not None:
            when_free, self._when_free = self._when_free, None
            with contextlib.suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(when_free)

    # ---- what the terminal tells -----------------------------------------------------------------------------

    def run_input_thread(self) -> None:
        """As Textual's, but an esc that stands alone is a key as soon as ESCDELAY is over, not at the next tenth of a
        second: q right after it is q, not alt+q. What is no text in the terminal's character set reads as �.
        """
        parser = XTermParser(self._debug)
        decode = codecs.getincrementaldecoder(self._charset)("replace").decode
        attentive = 0
        while not self.exit_event.is_set():
            ready, _, _ = select.select([self.fileno], [], [], ATTENTIVE if attentive else RESTING)
            attentive = max(0, attentive - 1)
            if ready:
                data = b""
                with contextlib.suppress(OSError):
                    data = os.read(self.fileno, 4096)
                if not data:  # the terminal has gone; SIGHUP ends this
                    self.exit_event.wait(RESTING)
                    continue
                attentive = ATTENTION if b"\x1b" in data else attentive
                text = decode(data)
                for event in parser.feed(text) if text else ():  # none, while a character is not yet whole
                    self.process_message(event)
            for event in parser.tick():
                self.process_message(event)

    def _enable_mouse_support(self) -> None:
        """Over a slow line the mouse is heard of while a button is down, not wherever it goes."""
        super()._enable_mouse_support()
        if self._mouse and self._slow:
            self.write("\x1b[?1003l\x1b[?1002h")

    def _disable_mouse_support(self) -> None:
        super()._disable_mouse_support()
        if self._mouse and self._slow:
            self.write("\x1b[?1002l")

    # ---- the modes of the terminal ---------------------------------------------------------------------------

    def start_application_mode(self) -> None:
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.frame.forget()
        # Characters stand in the order in which they were written, or text from right to left would draw the panes'
        # frames into its own order (ECMA-48's BDSM, as VTE and mintty have it).
        self.write("\x1b[8l")

    def stop_application_mode(self) -> None:
        self.write("\x1b[8h\x1b[r\x1b[0m")
        super().stop_application_mode()

    def _sigtstp_application(self, *_: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and the process is about to
            self._loop.call_soon_threadsafe(self.suspend)

    def _sigcont_application(self, *_: object) -> None:
        """Whoever was stopped from outside finds a screen that a shell has written on."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._draw_anew)

    def _draw_anew(self) -> None:
        self.frame.forget()
        self._app.refresh()

    @property
    def can_come_back(self) -> bool:
        """Whether there is a shell to suspend to: not where this is all that the terminal runs."""
        return os.getsid(0) != os.getpgrp()

    def suspend(self) -> None:
        """Gives the terminal back and stops this process and those started with it; returns when they go on."""
        if not self.can_come_back or self._writer_thread is None:
            return
        self.suspend_application_mode()
        while True:
            os.kill(0, signal.SIGSTOP)
            # A shell's bg wakes it too, but the terminal is another's then.
            with contextlib.suppress(OSError):
                if os.tcgetpgrp(self._terminal) != os.getpgrp():
                    continue
            break
        self.resume_application_mode()
        self._draw_anew()
        came_back = getattr(self._app, "came_back", None)
        if came_back is not None:
            came_back()


class _Output:
    """The file that Textual's thread writes to: `taken` is called after each piece that the terminal took."""

    def __init__(self, terminal: int, charset: str, taken: Callable[[], None]) -> None:
        self._terminal = terminal
        self._charset = charset
        self._taken = taken

    def fileno(self) -> int:
        return self._terminal

    def write(self, text: str) -> int:
        data = text.encode(self._charset, "replace")
        try:
            while data:
                data = data[os.write(self._terminal, data) :]
        except OSError:
            pass  # the terminal is gone; SIGHUP says so
        self._taken()
        return len(text)

    def flush(self) -> None:
        """Nothing waits here."""


@contextlib.contextmanager
def quiet_standard_error() -> Iterator[Callable[[], None]]:
    """Sends what is printed to standard error into a file while a screen is up.

    The end of it is printed afterwards when the screen was left by an error: by an exception, or because what this
    yields was called.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        failed, told = True, False

        def fail() -> None:
            nonlocal told
            told = True

        try:
            yield fail
            failed = told
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
