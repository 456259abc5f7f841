"""The keys of the corpus pane, from wherever they are pressed or chosen in the palette. A part of the workbench."""

from __future__ import annotations

import time

from textual.app import App

from charrnn.engine.corpus_messages import (
    CorpusAnswer,
    CorpusFound,
    CorpusRequest,
    CountSymbols,
    FindInCorpus,
    StreamPlaces,
    SymbolsCounted,
)
from tui.leaving import Leaving
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.settings import Settings

PLACES_WHEN_SLOW = 5.0
"""Seconds between two drawings of where the streams read, over a line that carries little; else as they come."""


class Browsing(App[Leaving]):
    """What the keys do to the corpus pane, which comes into sight for it; the workbench has the session, the panes."""

    session: Session
    panes: Workspace
    settings: Settings
    _places_at: float = -PLACES_WHEN_SLOW

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def hear_of_corpus(self, answer: CorpusAnswer) -> None:
        """What the engine says of the corpus's text."""
        if isinstance(answer, SymbolsCounted):
            from tui.screens.alphabet import AlphabetScreen

            if isinstance(self.screen, AlphabetScreen):
                self.screen.show(answer)
        elif not isinstance(answer, StreamPlaces):
            self.panes.corpus.hear(answer)
        elif time.monotonic() - self._places_at >= (PLACES_WHEN_SLOW if self.settings.slow else 0.0):
            self._places_at = time.monotonic()
            self.panes.corpus.hear(answer)

    def ask_of_corpus(self, request: CorpusRequest) -> None:
        """What the pane wants to know of the text; counts have a screen of their own."""
        if not self.session.connected:
            self._say_gone(request)
            return
        if isinstance(request, CountSymbols):
            from tui.screens.alphabet import AlphabetScreen

            corpus = self.session.corpus
            self.push_screen(AlphabetScreen(corpus.name if corpus else ""))
        self.session.send(request)

    def _say_gone(self, request: CorpusRequest) -> None:
        if isinstance(request, FindInCorpus) and request.text:
            self.panes.corpus.hear(CorpusFound(request.number, None, "the engine has gone"))
        elif isinstance(request, CountSymbols):
            self.say("info", "The engine has gone; enter starts it again, and then it counts.")

    def _show_corpus(self) -> None:
        self.panes.show("corpus")
        self.panes.corpus.text.focus()

    def action_corpus_find(self) -> None:
        self._show_corpus()
        self.panes.corpus.action_corpus_find()

    def action_corpus_match(self, direction: int) -> None:
        self._show_corpus()
        self.panes.corpus.action_corpus_match(direction)

    def action_corpus_go(self) -> None:
        self._show_corpus()
        self.panes.corpus.action_corpus_go()

    def action_corpus_held_out(self) -> None:
        self._show_corpus()
        self.panes.corpus.action_corpus_held_out()

    def action_corpus_reader(self) -> None:
        self._show_corpus()
        self.panes.corpus.action_corpus_reader()

    def action_corpus_alphabet(self) -> None:
        self.panes.corpus.action_corpus_alphabet()
