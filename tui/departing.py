"""The keys that leave the workbench: detach, save and stop. A part of the workbench."""

from __future__ import annotations

import asyncio

from textual.app import App

from tui.leaving import SAVING_TAKES, Leaving, with_way_back
from tui.session import Session


class Departing(App[Leaving]):
    """What the keys do to end the workbench, and the run with it or not; the workbench has the session."""

    session: Session
    _leaving: Leaving | None

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def action_detach(self) -> None:
        self.detach(0)

    def detach(self, status: int) -> None:
        """Leaves the run as it is, and says how that is."""
        waits = {
            "paused": "The run stays paused",
            "finished": "The stream goes on for a while",
            "disconnected": "The engine has gone",
        }
        goes_on = "The engine has ended" if self.session.ended else waits.get(self.session.state, "Training goes on")
        self.exit(Leaving(status, with_way_back(self.session, goes_on)))

    def action_stop(self) -> None:
        self.stop(0)

    async def action_quit(self) -> None:
        self.stop(0)

    def action_interrupt(self) -> None:
        self.stop(130)

    def stop(self, status: int, patience: float = SAVING_TAKES) -> None:
        """Has the engine write a checkpoint and end, and leaves when it has; a second call leaves at once."""
        if self.session.ended is not None or not self.session.connected:
            ended = self.session.ended
            text = with_way_back(self.session, ended.text if ended else "The engine has gone")
            self.exit(Leaving(status or (ended.status if ended else 1), text))
        elif self._leaving is not None:
            self._leave_it_to_the_engine()
        else:
            self._leaving = Leaving(status, with_way_back(self.session, ""))
            self.session.stop()
            self.say("info", "Saving… The screen closes when the checkpoint is written; q again leaves at once.", None)
            asyncio.get_running_loop().call_later(patience, self._leave_it_to_the_engine)

    def _leave_it_to_the_engine(self) -> None:
        status = self._leaving.status if self._leaving else 0
        self.exit(Leaving(status, with_way_back(self.session, "The engine finishes saving on its own")))
