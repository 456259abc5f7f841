"""`charrnn-tui`: the engine is started first, then the screen, so that both load at the same time."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING

from msgspec.structs import replace

from charrnn.config import UsageError
from charrnn.engine import client
from charrnn.options import Wanted, parse_workbench

if TYPE_CHECKING:
    from tui.leaving import Leaving
    from tui.settings import Settings

_SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def complain(text: str) -> None:
    """One sentence on standard error."""
    from tui.glyphs import UTF_8, stand_ins
    from tui.surroundings import charset_of
    from tui.terminal import safe_line

    words, charset = safe_line(text), charset_of(os.environ)
    print(f"charrnn-tui: {words if charset == UTF_8 else stand_ins(words, charset)}", file=sys.stderr)


def keyboard_from_terminal() -> bool:
    """Makes the terminal standard input when that was a pipe; False when there is no terminal."""
    if os.isatty(0):
        return True
    try:
        terminal = os.open("/dev/tty", os.O_RDWR)
    except OSError:
        return False
    os.dup2(terminal, 0)
    os.close(terminal)
    return True


def main() -> int:
    """Runs the workbench, or prints plain lines when standard output is no terminal; returns the exit status."""
    from tui import keys
    from tui.settings import in_force
    from tui.settings_text import add_options
    from tui.surroundings import why_not_drawn

    wanted = parse_workbench(sys.argv[1:], add_options)
    request = wanted.request
    try:
        settings = in_force(wanted.own)
        keys.remapped(settings.keys)
    except UsageError as error:
        complain(str(error))
        return 2
    if wanted.serve:
        return serve_pages(wanted)
    in_browser = os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")  # the process behind one page
    on_screen = in_browser or (sys.stdout is not None and sys.stdout.isatty())
    if on_screen and not in_browser and not keyboard_from_terminal():
        complain("there is no terminal to read keys from; use charrnn train, or give the corpus as a file.")
        return 2
    reason = "" if settings.plain or in_browser else why_not_drawn(os.environ)
    if on_screen and not (settings.plain or reason or wanted.named) and has_earlier_runs(request.runs_folder):
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        return run_on_screen(None, settings, in_browser=in_browser, runs_folder=request.runs_folder)
    try:
        reached = client.open_run(
            request if on_screen else replace(request, train=True), attach_only=wanted.attach_only
        )
    except UsageError as error:
        complain(str(error))
        return 2
    except OSError as error:
        complain(f"the engine could not be started: {error}")
        return 1
    if not on_screen:
        from tui.plain import run_plain

        return run_plain(reached.connection, attached=reached.attached)
    if settings.plain or reason:
        from tui.speaking import run_speaking

        folder = request.runs_folder
        return left(
            run_speaking(reached.connection, settings, attached=reached.attached, reason=reason, runs_folder=folder)
        )
    # Until the loop can handle them they wait, or a signal in this half second would leave the engine alone.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    return run_on_screen(
        reached.connection,
        settings,
        attached=reached.attached,
        in_browser=in_browser,
        runs_folder=request.runs_folder,
        new_here=not wanted.named,
    )


def serve_pages(wanted: Wanted) -> int:
    """Serves the workbench to browsers until it is interrupted or its run ends; returns the exit status."""
    try:
        from tui.serving import listening, serve
    except ImportError:
        complain("--serve needs textual-serve; install it with: pip install 'charrnn[serve]'")
        return 2
    request, connection = wanted.request, None
    arguments = ["--runs-folder", request.runs_folder] if request.runs_folder else []
    try:
        place = listening(wanted.port)
        if wanted.named:
            connection = client.open_run(request, attach_only=wanted.attach_only).connection
    except UsageError as error:
        complain(str(error))
        return 2
    except OSError as error:
        complain(f"the engine could not be started: {error}")
        return 1
    for name, value in wanted.own.items():  # the pages' processes find them there
        os.environ[f"CHARRNN_{name.upper()}"] = str(value).lower()
    status, words = asyncio.run(serve(arguments, connection, place))
    if words:
        complain(words)
    return status


def left(leaving: Leaving) -> int:
    """Says what is to be said when the workbench has been left; the exit status."""
    if leaving.text:
        complain(leaving.text)
    return leaving.status


def has_earlier_runs(folder: str | None) -> bool:
    """Whether there is something to choose from."""
    from charrnn.runs.directory import runs_folder
    from charrnn.runs.glance import any_runs

    return any_runs(runs_folder(folder))


def run_on_screen(
    connection: socket.socket | None,
    settings: Settings,
    *,
    attached: bool = False,
    in_browser: bool = False,
    runs_folder: str | None = None,
    new_here: bool = False,
) -> int:
    """Draws until the user leaves; returns the exit status. Without a connection, the user first chooses a run.

    `new_here`: nothing was asked for, and there is no earlier run.

    SIGTERM ends the run that this workbench began, after a checkpoint; one that only `attached` leaves it training.
    """
    # Textual reads this at import. At its 60 frames a second a key waits up to 17 ms for the next frame, while the
    # frames themselves are bounded by the app's own pulses.
    os.environ.setdefault("TEXTUAL_FPS", "200")
    # How long a lone esc may turn out to be the beginning of another key: at Textual's 100 ms, esc and a quick p are
    # taken for alt+p. What a terminal sends for one key arrives together, over SSH too.
    os.environ.setdefault("ESCDELAY", "40")
    # As many colours as the terminal has: Rich, which Textual asks, takes COLORTERM's word behind GNU screen, too.
    os.environ.setdefault(
        "TEXTUAL_COLOR_SYSTEM", {"16": "standard", "none": "standard"}.get(settings.depth, settings.depth)
    )
    from tui.app import Workbench
    from tui.driver import LastResort, TerminalDriver, quiet_standard_error
    from tui.leaving import Leaving

    # In a browser the driver is the one that the server names.
    app = Workbench(connection, None if in_browser else TerminalDriver, settings)
    app.attached, app.runs_folder, app.new_here = attached, runs_folder, new_here
    last_resort = LastResort()  # stays armed to the end: a thread that Textual left behind must not hold that up

    async def run() -> Leaving | None:
        loop = asyncio.get_running_loop()

        # Not loop.add_signal_handler: a terminal that reads nothing blocks Textual's writes, and with them the loop.
        def terminated(*_: object) -> None:
            last_resort.arm(1.0 if app.attached else 2.7, 143)
            if app.attached:
                loop.call_soon_threadsafe(app.detach, 143)
            else:
                loop.call_soon_threadsafe(app.stop, 143, 1.5)

        def hung_up(*_: object) -> None:
            last_resort.arm(1.0, 129)
            loop.call_soon_threadsafe(app.exit, Leaving(129))

        signal.signal(signal.SIGTERM, terminated)
        signal.signal(signal.SIGHUP, hung_up)
        signal.signal(signal.SIGINT, lambda *_: loop.call_soon_threadsafe(app.action_interrupt))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        return await app.run_async(mouse=settings.mouse)

    with quiet_standard_error() as fail:
        leaving = asyncio.run(run())
        for number in _SIGNALS:  # nobody is there to hear them
            signal.signal(number, signal.SIG_IGN)
        if leaving is None:
            fail()
    if leaving is None:
        return app.return_code or 1
    return left(leaving)


if __name__ == "__main__":
    sys.exit(main())
