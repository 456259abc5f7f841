"""The command palette, safe to leave while it is being filled."""

from __future__ import annotations

from typing import Any

from textual.command import CommandPalette
from textual.worker import Worker

from tui.screens.covering import LeftOnce


class Palette(LeftOnce, CommandPalette):
    """Textual's own fills its list in a worker, which fails where the list has gone with the screen by then."""

    def run_worker(self, *args: Any, **options: Any) -> Worker[Any]:
        return super().run_worker(*args, **{**options, "exit_on_error": False})
