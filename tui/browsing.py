"""The keys of the corpus pane, from wherever they are pressed or chosen in the palette. A part of the workbench."""

from __future__ import annotations

from textual.app import App

from charrnn.engine.corpus_messages import CorpusAnswer, CountSymbols, SymbolsCounted
from tui.leaving import Leaving
from tui.panes.corpus_text import CorpusText
from tui.panes.workspace import Workspace
from tui.session import Session


class Browsing(App[Leaving]):
    """What the keys do to the corpus pane, which comes into sight for it; the workbench has the session, the panes."""

    session: Session
    panes: Workspace

    def hear_of_corpus(self, answer: CorpusAnswer) -> None:
        """What the engine says of the corpus's text."""
        if isinstance(answer, SymbolsCounted):
            from tui.screens.alphabet import AlphabetScreen

            if isinstance(self.screen, AlphabetScreen):
                self.screen.show(answer)
        else:
            self.panes.corpus.hear(answer)

    def on_corpus_text_asked(self, message: CorpusText.Asked) -> None:
        if isinstance(message.request, CountSymbols):
            from tui.screens.alphabet import AlphabetScreen

            corpus = self.session.corpus
            self.push_screen(AlphabetScreen(corpus.name if corpus else ""))
        self.session.send(message.request)

    def _show_corpus(self) -> None:
        if not self.panes.shown["corpus"]:
            self.panes.toggle("corpus")
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
