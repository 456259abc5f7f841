"""The line under the corpus in which one types what to find, or where to go."""

from __future__ import annotations

import re

from charrnn.text.casing import fold
from tui.panes.prime import PrimeInput

_SHARE = re.compile(r"(\d{1,3}(?:\.\d+)?) ?%")


class CorpusInput(PrimeInput):
    """As the prime's, escapes included; posts messages of its own. `going`: a place is asked for, not a text."""

    class Applied(PrimeInput.Applied):
        pass

    class Left(PrimeInput.Left):
        pass

    class Unknown(PrimeInput.Unknown):
        pass

    def __init__(self) -> None:
        super().__init__("", "corpus-input")
        self.going = False
        self.symbols: frozenset[str] | None = None

    def ask_what(self, text: str) -> None:
        """What is to be found."""
        self.going = False
        self.alphabet = self.symbols
        self.placeholder = "the text to find (\\n is a new line)"
        self.open(text)

    def ask_where(self) -> None:
        """Where to go."""
        self.going, self.alphabet = True, None
        self.placeholder = "a place: 40 %, or a character's number"
        self.open("")

    def know(self, alphabet: str) -> None:
        """The symbols that the corpus has, "" for any: what else is typed is not in it."""
        self.symbols = frozenset(alphabet) | frozenset(fold(alphabet)) if alphabet else None


def place_in(words: str, characters: int) -> int | None:
    """The character that is meant by "40 %", "1234567" or "1,234,567"; None if it is none of a text of so many."""
    words = words.strip()
    share = _SHARE.fullmatch(words)
    if share:
        part = float(share[1])
        return min(int(part * characters / 100), characters - 1) if part <= 100 else None
    digits = re.sub(r"[ ,._’']", "", words)
    if not re.fullmatch(r"[0-9]{1,18}", digits):
        return None
    return int(digits) if int(digits) < characters else None
