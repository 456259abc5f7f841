"""Opening another run in the same process, and the screen on which one is chosen. A part of the workbench."""

from __future__ import annotations

import asyncio
import gc
import os
import shlex
import socket
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from textual import work
from textual.app import SystemCommand
from textual.screen import Screen

from charrnn.config import UsageError
from charrnn.engine import client
from charrnn.engine.messages import Refused, RunRequest
from tui.arranging import Arranging
from tui.departing import Departing
from tui.leaving import SAVING_TAKES, Leaving
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.terminal import safe_line

if TYPE_CHECKING:
    from tui.screens.opening import OpeningScreen
    from tui.screens.opening_form import Draft


class Opening(Arranging, Departing):
    """`attached`: the run on the screen was live before; `new_here`: nothing was asked for, and no run is there yet.

    Without a run there is only the opening screen.
    """

    panes: Workspace
    session: Session
    runs_folder: str | None = None
    attached = False
    new_here = False
    _connection: socket.socket | None
    _draft: Draft | None = None
    _chosen_here = False
    _chose_text = False

    if TYPE_CHECKING:  # the workbench has these

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

        def _begin_anew(self, connection: socket.socket) -> None: ...

        def new_panes(self) -> Workspace: ...

    @property
    def has_run(self) -> bool:
        """Whether there is a run on the screen, or one on its way."""
        return self._connection is not None

    def greet(self) -> None:
        """Tells one who has named nothing what this is, and how to begin with a text of their own."""
        if self.new_here:
            self.say("info", "This is Python's own language reference; o begins a run on a text of yours.", 12.0)

    # ---- the screen ------------------------------------------------------------------------------------------

    def action_open(self) -> None:
        if not isinstance(self._opening_screen(), Screen):
            self.open_opening()

    def open_opening(self) -> None:
        """Shows the runs there are, and the form of a new one."""
        from charrnn.runs.directory import runs_folder
        from tui.screens.opening import OpeningScreen

        welcome = self.session.welcome
        current = welcome.folder if welcome is not None and self.has_run and self.session.connected else ""
        screen = OpeningScreen(runs_folder(self.runs_folder), self._reach, current=current, draft=self._draft)
        self.push_screen(screen)

    def _opening_screen(self) -> OpeningScreen | None:
        found = [screen for screen in self.screen_stack if screen.name == "opening"]
        return found[0] if found else None  # type: ignore[return-value]

    def on_opening_screen_left_for_good(self) -> None:
        self.exit(Leaving(0))

    async def _reach(self, request: RunRequest) -> str:
        """Reaches the run that was chosen and shows it; "" or a sentence that says why that cannot be."""
        request = replace_folder(request, self.runs_folder)
        self._chose_text = bool(request.run) or not is_run(request.target)
        try:
            reached = await asyncio.to_thread(client.open_run, request)
        except UsageError as error:
            return str(error)
        except OSError as error:
            return f"The engine could not be started: {error.strerror or error}."
        screen = self._opening_screen()
        if screen is None:  # left meanwhile
            reached.connection.close()
            return ""
        self._draft = screen.draft
        screen.pop_until_active()  # its help may stand over it
        screen.dismiss()
        self.take_up(reached)
        return ""

    # ---- another run in its place ----------------------------------------------------------------------------

    @work(exclusive=True, group="take up")
    async def take_up(self, reached: client.Reached) -> None:
        """Puts another run on the screen; the one that was there goes on, as after a detach."""
        left = self.session.welcome if self.has_run and self.session.connected else None
        waits = {"paused": "stays paused", "finished": "stays for a while", "failed": "stays for a while"}
        how = waits.get(self.session.state, "trains on") if self.session.ended is None else ""
        before, panes = self.panes, self.new_panes()
        before.display = False
        await self.screen_stack[0].mount(panes)
        self.attached, self._connection, self._chosen_here = reached.attached, reached.connection, True
        self.panes = panes
        self.panes.put(self.size)
        self.panes.stream.text.focus()
        self._begin_anew(reached.connection)
        if before.is_attached:
            await before.remove()
        gc.unfreeze()  # what start-up made for the run before is garbage now
        if left is not None and how:
            name = shlex.quote(safe_line(left.run))
            self.say("info", f"{left.run} {how}; o finds it again, so does charrnn-tui {name}.", 12.0)

    def refused(self, message: Refused) -> None:
        """An engine would not have the run: where it was chosen on the opening screen, that comes back and says why."""
        if not self._chosen_here:
            self.exit(Leaving(message.status, message.text))
            return
        from tui.screens.opening_form import Draft

        self._connection = None
        draft = self._draft or Draft()
        self._draft = replace(draft, problem=message.text, of_text=self._chose_text)
        if self._opening_screen() is None:
            self.open_opening()
        self._draft = draft

    # ---- leaving while there is no run -----------------------------------------------------------------------

    def detach(self, status: int) -> None:
        if self.has_run:
            super().detach(status)
        else:
            self.exit(Leaving(status))

    def action_stop(self) -> None:
        """On the opening screen it is that screen which is left, not the run behind it."""
        screen = self._opening_screen()
        if screen is not None and self.screen is screen:
            screen.leave()
        else:
            super().action_stop()

    def stop(self, status: int, patience: float = SAVING_TAKES) -> None:
        if self.has_run:
            super().stop(status, patience)
        else:
            self.exit(Leaving(status))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """On the opening screen only what means something there."""
        if screen.name != "opening":
            yield from super().get_system_commands(screen)
            return
        opening = self._opening_screen()
        if opening is not None:
            yield from opening.commands()
        yield SystemCommand("Help", "this help", self.action_help)


def is_run(target: str) -> bool:
    """Whether there is a run's folder at that path."""
    from charrnn.runs.directory import CONFIG

    return os.path.isfile(os.path.join(target, CONFIG))


def replace_folder(request: RunRequest, folder: str | None) -> RunRequest:
    """The request, for runs in that folder."""
    from msgspec.structs import replace as replace_struct

    return replace_struct(request, runs_folder=folder)
