"""What one unit says of a text that is typed: a lens that asks the engine itself."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from charrnn.engine.questions import Question
from charrnn.engine.questions.units import UnitOfText, UnitRead
from tui.hearers import Hearers
from tui.unit_lens import UnitLens

_NUMBERS = count(1_000_000_000)
"""Apart from those of what is asked of the corpus."""


class UnitOfTextLens(UnitLens):
    """`drawn` is called when what is known of the text has changed."""

    def __init__(
        self, unit: str, ask: Callable[[Question], object], hearers: Hearers, drawn: Callable[[], object]
    ) -> None:
        super().__init__(unit)
        self._ask, self._hearers, self._drawn = ask, hearers, drawn
        self._number = 0

    def text_is(self, text: str) -> None:
        """The text is this one now; "": there is none, and nothing is waited for any more."""
        self._hearers.remove(UnitRead, self._hear)
        if text:
            self._number = next(_NUMBERS)
            self._hearers.add(UnitRead, self._hear)
            self._ask(UnitOfText(self._number, self.unit, text))

    def _hear(self, read: UnitRead) -> None:
        if read.number == self._number:
            self.forget()
            self.put(read.first, read.values)
            self._drawn()
