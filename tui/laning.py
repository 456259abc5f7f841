"""The lanes' keys. A part of the workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App

from tui.leaving import Leaving
from tui.session import Session

if TYPE_CHECKING:
    from tui.lanes import Plan
    from tui.screens.lanes import LanesScreen


class Laning(App[Leaving]):
    """What lanes there were last is remembered, for as long as the run is the same."""

    session: Session
    _lanes_last: tuple[str, Plan] | None = None

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def action_lanes(self) -> None:
        """Shows the lanes that there were last, else three temperatures."""
        self.lanes_screen()

    def action_lane(self, what: str) -> None:
        """Does to the lanes what a key of theirs says; they come into sight first."""
        there = self._lanes_open()
        if what == "close":
            if there is not None:
                there.do(what)
            return
        screen = there or self.lanes_screen()
        if screen is not None:
            screen.do(what)

    def _lanes_open(self) -> LanesScreen | None:
        found = [screen for screen in self.screen_stack if screen.name == "lanes"]
        return found[0] if found else None  # type: ignore[return-value]

    def lanes_screen(self) -> LanesScreen | None:
        """The screen of the lanes, in sight; None, and a sentence, where there can be none."""
        there = self._lanes_open()
        if there is not None:
            return there
        session = self.session
        if not session.connected or session.ended is not None:
            self.say("info", "The engine has gone; enter starts it again, and then it writes lanes.")
            return None
        if session.corpus is None or session.welcome is None:  # no prime yet; the model may come later
            self.say("info", "The corpus is still being read; lanes can be opened in a moment.")
            return None
        from tui.lanes import by_temperature
        from tui.screens.lanes import LanesScreen

        run = session.welcome.folder
        last = self._lanes_last
        plan = last[1] if last is not None and last[0] == run else None
        if plan is None:
            plan = by_temperature(session.knobs, session.status.seed, session.status.prime)
        screen = LanesScreen(plan)
        self.push_screen(screen, lambda left: self._remember_lanes(run, left))
        return screen

    def _remember_lanes(self, run: str, left: Plan | None) -> None:
        if left is not None:
            self._lanes_last = (run, left)
