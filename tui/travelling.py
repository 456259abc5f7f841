"""The keys of time travel, from wherever they are pressed or chosen in the palette. A part of the workbench."""

from __future__ import annotations

from textual.app import App

from tui.charts.view import View
from tui.leaving import Leaving
from tui.session import Session


class Travelling(App[Leaving]):
    """The workbench has the session, and what the chart's losses are shown in."""

    session: Session
    chart_view: View

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def action_travel(self) -> None:
        """Opens the screen, with the stream's prime, seed and knobs."""
        self.action_travelling("")

    def action_travelling(self, name: str) -> None:
        """What a key of the screen does; the screen is opened for it where it is not there."""
        from tui.journey import Asked
        from tui.screens.travel import TravelScreen

        session = self.session
        if isinstance(self.screen, TravelScreen):
            if name:
                self.screen.do(name)
        elif name == "close":
            self.say("info", "Time travel is not open.")
        elif not session.connected:
            self.say("info", "The engine has gone; enter starts it again, and then it answers.")
        else:
            alphabet = frozenset(session.corpus.alphabet) if session.corpus and session.corpus.alphabet else None
            asked = Asked(prime=session.status.prime, seed=max(0, session.status.seed), knobs=session.knobs)
            run = session.welcome.run if session.welcome else "run"
            screen = TravelScreen(run, asked, self.chart_view, alphabet)
            self.push_screen(screen)
            if name:
                self.call_after_refresh(screen.do, name)
