"""`ctrl+z` and the way back: the terminal is the shell's meanwhile, the engine goes on. A part of the workbench."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from textual.app import App

from charrnn.config import UsageError
from charrnn.engine import client
from tui.driver import TerminalDriver
from tui.leaving import Leaving
from tui.session import Session

JUST_NOW = 30.0
"""Seconds after coming back in which a lost connection is taken for one that the engine gave up on meanwhile."""


class Suspending(App[Leaving]):
    """What the key does to the process; the workbench has the session, and says things."""

    session: Session
    _came_back_at = float("-inf")

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def action_suspend_process(self) -> None:
        driver = self._driver
        if not isinstance(driver, TerminalDriver):
            self.say("info", "Suspending needs a terminal.")
        elif not driver.can_come_back:
            self.say("info", "There is no shell to go back to here: d detaches, and training goes on.")
        else:
            driver.suspend()

    def came_back(self) -> None:
        """The driver has the terminal again."""
        self._came_back_at = asyncio.get_running_loop().time()

    @property
    def just_came_back(self) -> bool:
        return asyncio.get_running_loop().time() - self._came_back_at < JUST_NOW

    async def found_again(self) -> socket.socket | None:
        """A new connection to the engine that would not wait longer for one who was suspended; None if it has ended."""
        welcome = self.session.welcome
        if welcome is None or not self.just_came_back:
            return None
        self._came_back_at = float("-inf")
        try:
            return await asyncio.to_thread(client.attach_to, Path(welcome.folder))
        except (OSError, UsageError):
            return None
