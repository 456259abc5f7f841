"""The passages of the held-out text that surprise the model most and least; `enter` goes to one in the corpus."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from charrnn.engine.questions.reading import PassageRated, PassagesRated, RatePassages
from charrnn.insight.levels import level_of
from tui import keys, palette
from tui.lenses import SHADES
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.foot import Foot
from tui.screens.picking import PickRows, Row
from tui.screens.reading_panel import glyphs
from tui.terminal import fit

HELP = (
    "The model has never learnt from these passages: a surprising one holds what it has not understood, or what nobody "
    "could foresee. The least surprising ones it could nearly have written itself, or knows from elsewhere in the text."
)
HIGH = 20
"""Rows from which on there is room to explain."""


class PassageRows(PickRows):
    """One of the two lists; the passage that was picked is posted."""

    class Chosen(Message):
        def __init__(self, passage: PassageRated) -> None:
            super().__init__()
            self.passage = passage

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._passages: list[PassageRated] = []

    def show(self, passages: list[PassageRated], words: str) -> None:
        self._passages = passages
        self._fill(words)

    def _fill(self, words: str) -> None:
        rows: list[Row] = [self._row(passage) for passage in self._passages]
        if rows != self.rows or words != self.words:
            self.put(rows, words)

    def _row(self, passage: PassageRated) -> Row:
        room = self.text_columns - 9
        number = f"{passage.nats:5.2f}"
        return [(number, SHADES[level_of(passage.nats)]), ("  " + fit(glyphs(passage.text), room), palette.PLAIN)]

    def on_resize(self, event: events.Resize) -> None:
        self._fill(self.words)
        self.refresh()

    def picked(self, number: int) -> None:
        self.post_message(self.Chosen(self._passages[number]))


class PassagesScreen(Covering[PassageRated]):
    """Answers with the passage to go to. `known` is what was found before; `ask` puts a question to the engine."""

    AUTO_FOCUS = "#worst"
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("passages"), Binding("q,x", "close", show=False)]

    def __init__(self, ask: Callable[[RatePassages], bool], known: PassagesRated | None) -> None:
        super().__init__()
        self.rated = known
        self._worst, self._best = PassageRows("worst"), PassageRows("best")
        self._upper = Pane("Most surprising", self._worst, id="worst-pane")
        self._lower = Pane("Least surprising", self._best, id="best-pane")
        self._foot = Foot(HELP)
        self._explained: bool | None = None
        self._ask = ask
        self._number = known.number if known is not None else 0
        self._asked = False

    def compose(self) -> ComposeResult:
        yield self._upper
        yield self._lower
        yield self._foot

    def on_mount(self) -> None:
        self.app.hearers.add(PassagesRated, self.hear)  # type: ignore[attr-defined]
        self.show()
        if self.rated is None or self.rated.read < self.rated.characters:
            self.action_again()

    def on_unmount(self) -> None:
        self.app.hearers.remove(PassagesRated, self.hear)  # type: ignore[attr-defined]
        if self._asked and self.app.session.connected:  # type: ignore[attr-defined]
            self._ask(RatePassages(self._number + 1, on=False))

    def on_resize(self, event: events.Resize) -> None:
        self._foot.display = event.size.height >= HIGH if self._explained is None else self._explained

    def hear(self, rated: PassagesRated) -> None:
        if rated.number == self._number:
            self.rated = rated
            self.show()

    def show(self) -> None:
        rated = self.rated
        words, progress = "the model begins to read what is held out…", ""
        if rated is not None and not rated.held_out:
            words = "nothing of this text is held out: there is nothing that the model has not learnt from"
        elif rated is not None:
            share = rated.read / max(1, rated.characters)
            progress = (
                f"step {rated.step:,}, {share:.0%} read" if share < 1 else f"by the weights of step {rated.step:,}"
            )
        self._worst.show(rated.worst if rated is not None else [], words)
        self._best.show(rated.best if rated is not None else [], "" if rated is None else words)
        self._upper.upper.show(
            [Part("Most surprising", palette.STRONG, 1), Part("nats per character", palette.QUIET, 3, "nats")],
            [Part(progress, palette.ACCENT, 2)],
        )
        read = ""
        if rated is not None and rated.held_out:
            of = f"{rated.read:,} of {rated.held_out:,} held-out characters"
            read = f"{of} read"
        self._lower.lower.show(
            [Part("enter goes there", palette.PLAIN, 2), Part("r reads again", palette.QUIET, 3)],
            [Part(read, palette.QUIET, 4), Part("esc closes", palette.PLAIN, 1)],
        )
        self._lower.upper.show([Part("Least surprising", palette.STRONG, 1)], [Part("tab", palette.QUIET, 3)])

    def on_passage_rows_chosen(self, message: PassageRows.Chosen) -> None:
        self.dismiss(message.passage)

    def action_again(self) -> None:
        self._number += 1
        self._asked = self._ask(RatePassages(self._number))
        if not self._asked:
            self._worst.show([], "the engine has gone; esc, then enter starts it again")

    def action_explain(self) -> None:
        self._explained = not self._foot.display
        self._foot.display = self._explained

    def action_close(self) -> None:
        self.dismiss()
