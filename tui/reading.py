"""A text, and the corpus, under the model's eyes, from wherever that is asked for. A part of the workbench."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App

from charrnn.engine.questions import Question
from charrnn.engine.questions.reading import LONGEST_TEXT, PassageRated, PassagesRated
from tui.hearers import Hearers
from tui.leaving import Leaving
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.settings import Settings

if TYPE_CHECKING:
    from tui.typed import Typed
    from tui.unit_lens import UnitLens


class Reading(App[Leaving]):
    """What the keys do; the workbench has the session, the panes, and asks the engine."""

    session: Session
    settings: Settings
    panes: Workspace
    hearers: Hearers
    _typed: Typed | None = None
    _passages: PassagesRated | None = None
    _passages_of: object = None

    if TYPE_CHECKING:  # the workbench has these

        def ask(self, question: Question) -> bool: ...

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

        def unit_of_text(self, drawn: Callable[[], object]) -> UnitLens | None: ...

    def action_read(self) -> None:
        """The screen for a text, with what was typed there before."""
        from tui.screens.reading import ReadingScreen
        from tui.typed import Typed

        if isinstance(self.screen, ReadingScreen):
            return
        if self._typed is None:
            self._typed = Typed(LONGEST_TEXT)
        screen = ReadingScreen(self._typed, self.ask, slow=self.settings.slow)
        unit = self.unit_of_text(screen.text.refresh)
        if unit is not None:  # what colours the stream colours the text
            screen.lenses.append(unit)
            screen.text.lens = unit
        self.push_screen(screen)

    def action_corpus_passages(self) -> None:
        """The screen with the passages, those that were found before among them."""
        from tui.screens.passages import PassagesScreen

        if isinstance(self.screen, PassagesScreen):
            return
        if self._passages_of is not self.session.welcome:
            self._passages, self._passages_of = None, self.session.welcome
        screen = PassagesScreen(self.ask, self._passages)

        def closed(passage: PassageRated | None) -> None:
            self._passages = screen.rated
            if passage is not None:
                self.panes.show("corpus")
                self.panes.corpus.text.focus()
                self.panes.corpus.go_to_passage(passage.at, passage.text)

        self.push_screen(screen, closed)
