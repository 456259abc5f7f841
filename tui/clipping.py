"""What is copied, and how it gets out: text that was selected, else the stream's. A part of the workbench."""

from __future__ import annotations

import os

from textual.app import App

from tui.driver import TerminalDriver
from tui.leaving import Leaving
from tui.panes.selecting import Selecting
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.settings import Settings


class Clipping(App[Leaving]):
    """What `y` and the mouse do; the workbench has the session and the panes, and says things."""

    session: Session
    panes: Workspace
    settings: Settings

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def action_copy_text(self) -> None:
        """What is selected in the focused pane or in another one; where nothing is, all that the stream has said."""
        rows = list(self.screen.query(Selecting))
        focused = [widget for widget in rows if widget.has_focus]
        text = next((text for widget in [*focused, *rows] if (text := widget.selected_text())), "")
        text = text or self.panes.stream.text.transcript.said()
        if text:
            self._copy(text)
        else:
            self.say("info", "There is no text to copy yet.")

    def on_selecting_selected(self, message: Selecting.Selected) -> None:
        self._copy(message.text)

    def _copy(self, text: str) -> None:
        from tui.copying import clipped, keep

        clipboard = self.settings.clipboard
        if clipboard:
            self.copy_to_clipboard(clipped(text))
        run = self.session.welcome.run if self.session.welcome else "stream"
        self.say(*(keep(text, run) if clipboard else keep(text, run, clipboard=False)))

    def copy_to_clipboard(self, text: str) -> None:
        """Hands `text` to the terminal, by OSC 52."""
        from tui.copying import sequences

        if not text:  # as Textual's inputs do it where nothing is selected
            return
        self._clipboard = text
        if isinstance(self._driver, TerminalDriver):
            self._driver.write(sequences(text, os.environ))
