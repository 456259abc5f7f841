"""The keys that arrange the screen, and those that explain it. A part of the workbench."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import App, SystemCommand
from textual.await_complete import AwaitComplete
from textual.screen import Screen

from tui import keys, offering
from tui.layout import PANES, PaneName
from tui.leaving import Leaving
from tui.panes.status import BottomBar
from tui.panes.workspace import Workspace
from tui.session import Session

if TYPE_CHECKING:
    from textual.command import Provider


def _commands() -> type[Provider]:
    from tui.commands import Commands  # not before the palette is opened

    return Commands


class Arranging(App[Leaving]):
    """What the keys do to the panes; the workbench has the panes, and says things. `table` is the keys in force."""

    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    session: Session
    panes: Workspace
    table: tuple[keys.Key, ...] = keys.TABLE

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    async def perform_choice(self, key: keys.Key) -> None:
        """What a key of the choices does."""
        raise NotImplementedError

    def on_mount(self) -> None:
        self.set_keymap(keys.keymap(self.table))
        self.draw_footer()

    def on_resize(self, event: events.Resize) -> None:
        # While the app hears of a new size its own one is still the old.
        self.panes.put(event.size)
        self.draw_footer()

    def on_descendant_focus(self) -> None:
        self.draw_footer()

    # ---- the footer ------------------------------------------------------------------------------------------

    def pane_with_focus(self) -> str:
        """The pane whose own keys count now; "prime" while that is edited, "" for none."""
        if self.panes.stream.input.has_focus:
            return "prime"
        if self.panes.stream.text.choosing and self.panes.stream.text.has_focus:
            return "choice"
        screen = self.panes.screen if self.panes.is_mounted else None
        return self.panes.name_of(screen.focused) or "" if screen is not None else ""

    def draw_footer(self) -> None:
        """Has the footer show what keys there are now; nothing is drawn where that is as before."""
        self.panes.bottom.show_keys(
            keys.footer(
                self.pane_with_focus(),
                self.table,
                idle=offering.idle(self.session, self.panes),
                labels=offering.labels(self.session, self.panes),
            )
        )

    async def on_bottom_bar_clicked(self, message: BottomBar.Clicked) -> None:
        await self.perform(message.key)

    async def perform(self, key: keys.Key) -> None:
        """Does what a key does, whatever has the focus: a pane's own key is that pane's, which is brought into sight.

        A key that only the widget with the focus knows is pressed.
        """
        if not key.action:
            self.simulate_key({"esc": "escape"}.get(key.shown, key.shown))
        elif key.pane == "choice":
            await self.perform_choice(key)
        elif key.pane in PANES:
            self.panes.show(key.pane)
            body = self.panes.pane(key.pane).body
            self.panes.screen.set_focus(body, scroll_visible=False)
            name = f"action_{key.action.partition('(')[0]}"
            owner = next((one for one in (body, self.panes.pane(key.pane)) if hasattr(one, name)), body)
            await self.run_action(key.action, owner)
        else:
            await self.run_action(key.action)
        self.draw_footer()

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_toggle_pane(self, name: PaneName) -> None:
        self.panes.toggle(name)
        if not any(self.panes.shown.values()):
            shown = {key.id: key.shown.split()[0] for key in self.table if key.keys}
            ways = [f"{shown[f'show-{pane}']} {pane}" for pane in PANES if f"show-{pane}" in shown]
            ways += [f"{shown['reset']} all as before"] if "reset" in shown else []
            self.say("info", f"Every pane is hidden: {', '.join(ways)}.")
        self.draw_footer()

    def action_zoom(self) -> None:
        self.panes.zoom(self.panes.screen.focused)
        self.draw_footer()

    def action_move_line(self, down: int, right: int) -> None:
        if not self.panes.move_line(down, right):
            lines = "no panes stand side by side" if right else "nothing stands over the stream"
            self.say("info", f"There is no line to move: {lines}.")

    def action_reset_layout(self) -> None:
        self.panes.reset()
        self.draw_footer()

    def action_focus_next(self) -> None:
        self._focus_next(1)

    def action_focus_previous(self) -> None:
        self._focus_next(-1)

    def _focus_next(self, direction: int) -> None:
        """While one pane has the whole screen, the next one gets it."""
        if self.panes.zoomed is not None and self.screen is self.panes.screen:
            self.panes.zoom_next(direction)
        elif direction > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def pop_screen(self) -> AwaitComplete:
        """The last screen stays: a second esc may come while the one above it is going."""
        return super().pop_screen() if len(self.screen_stack) > 1 else AwaitComplete.nothing()  # type: ignore[no-untyped-call]

    # ---- help and palette ------------------------------------------------------------------------------------

    def action_help(self) -> None:
        self.help_on(self.pane_with_focus())

    def help_on(self, pane: str) -> None:
        """All keys, those of `pane` first."""
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen(self.table, pane))

    def action_command_palette(self) -> None:
        """Every action by its name, where the palette is not there already."""
        from tui.screens.commanding import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())

    def commands(self) -> list[keys.Key]:
        """What the palette offers, that of the pane with the focus first."""
        offered = [key for _, table in keys.grouped(self.table, self.pane_with_focus()) for key in table]
        return [key for key in offered if key.command]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """The same for whoever else asks Textual for it."""
        for key in self.commands():
            yield SystemCommand(key.command, key.description, partial(self.perform, key))
