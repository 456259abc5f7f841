"""How the screen looks, changed while it is up: themes, and ASCII glyphs. A part of the workbench."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App
from textual.filter import LineFilter

from tui.glyphs import UTF_8
from tui.leaving import Leaving
from tui.look import Look
from tui.settings import Settings
from tui.themes import THEMES


class Looking(App[Leaving]):
    """What the settings say of the look; the workbench has the settings, and says things."""

    settings: Settings
    _look: Look = Look("auto", "truecolor", UTF_8)

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def take_look(self, look: Look) -> None:
        """Draws everything anew, in that look."""
        self._look = look
        self.no_color = look.depth == "none"
        for screen in self.screen_stack if self.is_running else ():
            screen.refresh()
            for widget in screen.walk_children():
                widget.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line goes through. Textual's own would give the terminal's colours other values."""
        return self._look.filters()

    def action_theme(self, name: str) -> None:
        """Shows that theme until the workbench ends."""
        self.take_look(Look(name, self._look.depth, self._look.charset))
        if self._look.depth == "none":
            self.say("info", f"Theme {name}: without colours (NO_COLOR, or the terminal has none) all look the same.")
        else:
            self.say("info", f'Theme {name}: {THEMES[name].words}. To keep it: theme = "{name}" in the settings.')

    def action_ascii(self) -> None:
        """Shows ASCII instead of frames, bars and foreign scripts, or the other way round."""
        if self.settings.charset not in (UTF_8, "ascii"):
            self.say("info", f"The locale's characters are {self.settings.charset}: there are no others to show.")
            return
        charset = "ascii" if self._look.charset == UTF_8 else UTF_8
        self.take_look(Look(self._look.theme, self._look.depth, charset))
        self.say("info", "ASCII instead of frames and bars." if charset == "ascii" else "Frames, bars, every script.")
