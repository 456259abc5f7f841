"""What a client asks of the corpus's text, and what the engine answers. No torch here.

Places are counted in characters from 0, whatever the tokens are. A client is answered in its own time: of its windows
the newest few requests, of its searches the newest.
"""

from __future__ import annotations

import msgspec

LONGEST_SEARCH = 1000
"""Characters that may be searched for."""
MOST_PLACES = 256
"""Streams whose places are told; of more, as many at equal distances."""
MOST_SYMBOLS = 2000
"""Symbols whose counts are told, the commonest."""

# ---- from a client -------------------------------------------------------------------------------------------


class ReadCorpus(msgspec.Struct, frozen=True, tag=True):
    """The window that holds a character, please; the nearest one if there is none such."""

    at: int


class FindInCorpus(msgspec.Struct, frozen=True, tag=True):
    """Search for `text` from a character on, or backwards from the one before it, around the whole text.

    It takes the place of the search before; "" only ends that. Capitals count once there is one in it. `number` comes
    back with the answers.
    """

    number: int
    text: str
    at: int
    backwards: bool = False


class CountSymbols(msgspec.Struct, frozen=True, tag=True):
    """How often is each symbol in the text?"""


CorpusRequest = ReadCorpus | FindInCorpus | CountSymbols
CORPUS_REQUESTS = (ReadCorpus, FindInCorpus, CountSymbols)

# ---- from the engine -----------------------------------------------------------------------------------------


class CorpusWindow(msgspec.Struct, frozen=True, tag=True):
    """A piece of the text that begins at a character: some thousands of characters.

    All windows together are the text; the next one is the one that holds the character after this one's last. They
    begin where lines do, but in lines of thousands of characters.
    """

    at: int
    text: str


class CorpusSearched(msgspec.Struct, frozen=True, tag=True):
    """How much of the text has been searched without finding anything, 0 to 1."""

    number: int
    share: float


class CorpusFound(msgspec.Struct, frozen=True, tag=True):
    """Where the match begins; None: there is none, or what keeps it from being looked for is the `problem`."""

    number: int
    at: int | None
    problem: str = ""


class SymbolCount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """What a token spells, its number in the vocabulary (of a byte: the byte), and how often it is in the text."""

    text: str
    number: int
    count: int


class SymbolsCounted(msgspec.Struct, frozen=True, tag=True):
    """The symbols by their counts, the commonest first; empty while only a `share` of the text is counted.

    `unit` says what a symbol is: "character", "byte" or "word". `tokens` is how many there are in the text,
    `distinct` how many different ones of the `known` are in it.
    """

    unit: str
    share: float
    tokens: int = 0
    known: int = 0
    distinct: int = 0
    symbols: list[SymbolCount] = []


class StreamPlaces(msgspec.Struct, frozen=True, tag=True):
    """The characters at which the streams of the text went on reading about a second ago, in the streams' order.

    `streams` is how many there are: of very many only some are told. Never sent where portions are drawn at random:
    those have no places.
    """

    streams: int
    places: list[int]


CorpusAnswer = CorpusWindow | CorpusSearched | CorpusFound | SymbolsCounted | StreamPlaces
CORPUS_ANSWERS = (CorpusWindow, CorpusSearched, CorpusFound, SymbolsCounted, StreamPlaces)
