"""Looking behind the stream's characters, and the lens of surprise. A part of the workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.engine.questions import Question
from charrnn.engine.questions.choice import AskChoice, ChoiceTold, HoldStream, SurpriseKnown, WatchSurprise
from tui import keys
from tui.hearers import Hearers
from tui.layout import PaneName
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.settings import Settings


class Choices:
    """Opens and closes the mode; the workbench has the panes, and asks."""

    session: Session
    settings: Settings
    panes: Workspace
    hearers: Hearers
    _zoomed_before: PaneName | None = None
    _gave_room = False
    _surprise_asked = False

    if TYPE_CHECKING:  # the workbench has these

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

        def ask(self, question: Question) -> bool: ...

        def draw_footer(self) -> None: ...

        def _draw_knobs(self) -> None: ...

    def connect_choices(self) -> None:
        """The panes are new, or the engine is: whoever looks through the lens or behind characters asks again."""
        text = self.panes.stream.text
        text.slow = self.settings.slow
        text.ask, text.order, text.hold = self._ask_choice, self.session.send, self._hold
        text.leave, text.show_tree = self.leave_choices, self._show_tree
        for kind, hear in ((ChoiceTold, text.hear_choice), (SurpriseKnown, self._hear_surprise)):
            self.hearers.remove(kind, hear)  # type: ignore[arg-type]
            self.hearers.add(kind, hear)  # type: ignore[arg-type]
        self._surprise_asked = False
        self.watch_surprise()
        if text.choosing:
            self.leave_choices()
        self._gave_room = False

    # ---- the lens --------------------------------------------------------------------------------------------

    def watch_surprise(self) -> None:
        """The engine works out surprise only while somebody looks at it."""
        text = self.panes.stream.text
        wanted = text.lens is text.surprise
        if wanted != self._surprise_asked and self.session.connected:
            self._surprise_asked = wanted
            self.ask(WatchSurprise(wanted))

    def _hear_surprise(self, known: SurpriseKnown) -> None:
        text = self.panes.stream.text
        text.surprise.put(known.position, known.surprise)
        if text.lens is text.surprise:
            text.refresh()

    # ---- the choices -----------------------------------------------------------------------------------------

    def action_inspect(self) -> None:
        """Looks behind the characters, or no longer."""
        text = self.panes.stream.text
        if text.choosing:
            self.leave_choices()
        elif not self.session.connected or self.session.ended is not None:
            self.say("info", "The engine has gone, and with it what was behind the text; enter starts it again.")
        elif not text.transcript.branches.end:
            self.say("info", "The stream has not written anything yet: there is no choice to look at.")
        else:
            self._enter_choices()

    def _enter_choices(self) -> None:
        panes = self.panes
        self._gave_room = panes.plan.kind != "wide" and panes.zoomed != "stream"
        if self._gave_room:
            self._zoomed_before = panes.zoomed
            panes.zoom_to("stream")
        panes.show_stream()
        panes.screen.set_focus(panes.stream.text, scroll_visible=False)
        panes.stream.text.begin_choosing()
        self.draw_footer()

    def leave_choices(self) -> None:
        """The stream goes on at its pace, and the panes are as they were."""
        text = self.panes.stream.text
        if not text.choosing:
            return
        if text.held:
            self._hold(False)
        text.end_choosing()
        text.follow()
        if self._gave_room:
            self._gave_room = False
            self.panes.zoom_to(self._zoomed_before)
        self.draw_footer()

    def _hold(self, held: bool) -> None:
        if self.session.connected:
            self.ask(HoldStream(held))

    def _ask_choice(self, question: AskChoice) -> None:
        if self.session.connected:
            self.ask(question)

    def _show_tree(self) -> None:
        from tui.screens.branches import BranchesScreen

        self.app_push(BranchesScreen(self.panes.stream.text.transcript.branches), self._branch_chosen)

    def app_push(self, screen: object, hear: object) -> None:
        """Shows a screen and hears what it answers."""
        self.push_screen(screen, hear)  # type: ignore[attr-defined]

    def _branch_chosen(self, end: int | None) -> None:
        if end is not None:
            self.panes.stream.text.go_to_branch(end)

    async def perform_choice(self, key: keys.Key) -> None:
        """Does what a key of the mode does, which is opened for it."""
        text = self.panes.stream.text
        if not text.choosing:
            self.action_inspect()
        if text.choosing:
            await self.run_action(key.action, text)  # type: ignore[attr-defined]
