"""The keys that arrange the screen, and those that explain it. A part of the workbench."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from textual import events
from textual.app import App, SystemCommand
from textual.screen import Screen

from tui import keys
from tui.layout import PaneName
from tui.leaving import Leaving
from tui.panes.workspace import Workspace


class Arranging(App[Leaving]):
    """What the keys do to the panes; the workbench has the panes, and says things."""

    panes: Workspace

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def on_resize(self, event: events.Resize) -> None:
        # While the app hears of a new size its own one is still the old.
        self.panes.put(event.size)

    def action_toggle_pane(self, name: PaneName) -> None:
        self.panes.toggle(name)
        if not any(self.panes.shown.values()):
            self.say("info", "Every pane is hidden: 1 corpus, 2 loss, 3 stream, 0 all as before.")

    def action_zoom(self) -> None:
        self.panes.zoom(self.focused)

    def action_reset_layout(self) -> None:
        self.panes.reset()

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in keys.TABLE:
            if key.command:
                title = f"{key.command}  ({key.shown.split()[0]})" if key.shown else key.command
                yield SystemCommand(title, key.description, partial(self.run_action, key.action))
