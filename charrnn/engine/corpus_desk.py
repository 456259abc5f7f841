"""What clients ask of the corpus, answered beside the run: in a thread, a piece at a time, with rests. No torch here.

All clients share one desk that does one piece of work at a time and rests after it, so that nobody's requests, however
many, take more than a part of one core from training. Each client has a `Visitor` that holds what it still wants to
know: a few windows, one search, one count; older wishes give way to newer ones.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from charrnn.engine.corpus_messages import (
    LONGEST_SEARCH,
    MOST_SYMBOLS,
    CorpusAnswer,
    CorpusFound,
    CorpusRequest,
    CorpusSearched,
    CorpusWindow,
    CountSymbols,
    FindInCorpus,
    ReadCorpus,
    SymbolCount,
    SymbolsCounted,
)
from charrnn.engine.turns import RESTS, Turns
from charrnn.text.corpus import Corpus
from charrnn.text.counting import Counting
from charrnn.text.finding import Search
from charrnn.text.stored import forget_pages
from charrnn.text.windows import Windows

Result = TypeVar("Result")
Tell = Callable[[CorpusAnswer], Awaitable[None]]

WINDOWS_WAITING = 4
TOLD_EVERY = 0.25
"""Seconds between two words on how far a search or a count has come."""
RESTS_FROM_COUNTING = 4.0
"""Seconds of rest after a second of counting, which anybody can do without."""
_FORGET_EVERY = 32  # pieces: what was mapped of a large corpus is given back to the system


class CorpusDesk:
    """The corpus as clients may look into it. Nothing is known of it until `open`."""

    def __init__(self) -> None:
        self._corpus: Corpus | None = None
        self._windows: Windows | None = None
        self._counting: Counting | None = None
        self._counted: SymbolsCounted | None = None
        self._turns = Turns()
        self._count_turn = asyncio.Lock()
        self._pieces = 0

    def open(self, corpus: Corpus) -> None:
        """From now on there is something to ask for."""
        self._corpus = corpus

    @property
    def is_open(self) -> bool:
        return self._corpus is not None

    @property
    def _text(self) -> Corpus:
        assert self._corpus is not None
        return self._corpus

    async def work(self, piece: Callable[[], Result], rests: float = RESTS) -> Result:
        """Does a piece of work when it is its turn."""
        try:
            return await self._turns.work(piece, rests)
        finally:
            self._pieces += 1
            if self._pieces % _FORGET_EVERY == 0:
                forget_pages(self._text.ids)

    async def window(self, at: int) -> CorpusWindow:
        """The window that holds a character."""
        return CorpusWindow(*await self.work(lambda: self._read(at)))

    def _read(self, at: int) -> tuple[int, str]:
        if self._windows is None:
            self._windows = Windows(self._text.ids, self._text.vocabulary, self._text.positions)
        first, text = self._windows.at(at)
        return first, sendable(text)

    async def find(self, request: FindInCorpus, tell: Tell) -> CorpusFound:
        """Where the next match is; tells how far it has come where it takes long."""
        number, wanted, backwards = request.number, request.text, request.backwards
        if len(wanted) > LONGEST_SEARCH:
            return CorpusFound(number, None, f"{LONGEST_SEARCH:,} characters at most can be searched for")
        corpus = self._text
        search = await self.work(lambda: Search(corpus.ids, corpus.vocabulary, corpus.positions, wanted))
        done, told = 0, time.monotonic()
        for piece in search.pieces(request.at, backwards=backwards):
            found = await self.work(lambda piece=piece: search.look(piece, backwards=backwards))  # type: ignore[misc]
            if found is not None:
                return CorpusFound(number, found)
            done += piece.last - piece.first
            if time.monotonic() - told >= TOLD_EVERY:
                told = time.monotonic()
                await tell(CorpusSearched(number, min(1.0, done / len(corpus.ids))))
        return CorpusFound(number, None)

    async def count(self, tell: Tell) -> SymbolsCounted:
        """The symbols with their counts, from memory once they were counted; tells how far it has come."""
        corpus, told = self._text, 0.0
        if self._counting is None:
            self._counting = Counting(corpus.ids, corpus.vocabulary)
        counting = self._counting
        async with self._count_turn:
            if self._counted is None and await self.work(lambda: counting.recall(corpus.sha256)):
                self._counted = self._summed(counting)
        while self._counted is None:
            if time.monotonic() - told >= TOLD_EVERY:
                told = time.monotonic()
                await tell(SymbolsCounted(corpus.vocabulary.unit, counting.share))
            async with self._count_turn:  # two clients wait for one count
                if self._counted is None and not await self.work(counting.count_next, RESTS_FROM_COUNTING):
                    await self.work(lambda: counting.keep(corpus.sha256))
                    self._counted = self._summed(counting)
        return self._counted

    def _summed(self, counting: Counting) -> SymbolsCounted:
        vocabulary = self._text.vocabulary
        symbols = [SymbolCount(sendable(text), *rest) for text, *rest in counting.commonest(MOST_SYMBOLS)]
        return SymbolsCounted(
            unit=vocabulary.unit,
            share=1.0,
            tokens=int(counting.counts.sum()),
            known=len(vocabulary),
            distinct=int((counting.counts > 0).sum()),
            symbols=symbols,
        )


class Visitor:
    """What one client wants to know of the corpus. `tell` gives it an answer, and returns once that is on its way."""

    def __init__(self, desk: CorpusDesk, tell: Tell) -> None:
        self._desk, self._tell = desk, tell
        self._reads: deque[int] = deque(maxlen=WINDOWS_WAITING)
        self._tasks: dict[type[Any], asyncio.Task[None]] = {}

    def ask(self, request: CorpusRequest) -> None:
        """Sees to a request; before there is a corpus it is passed over."""
        if not self._desk.is_open:
            return
        match request:
            case ReadCorpus(at):
                self._reads.append(at)
                self._begin(ReadCorpus, self._answer_reads)
            case FindInCorpus():
                searching = self._tasks.pop(FindInCorpus, None)
                if searching is not None:
                    searching.cancel()
                if request.text:
                    self._begin(FindInCorpus, lambda: self._answer_search(request))
            case CountSymbols():
                self._begin(CountSymbols, self._answer_count)

    def leave(self) -> None:
        """Nothing is wanted any more."""
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()

    def _begin(self, kind: type[Any], answer: Callable[[], Coroutine[Any, Any, None]]) -> None:
        if kind not in self._tasks or self._tasks[kind].done():
            self._tasks[kind] = asyncio.create_task(answer())

    async def _answer_reads(self) -> None:
        while self._reads:
            await self._tell(await self._desk.window(self._reads.popleft()))

    async def _answer_search(self, request: FindInCorpus) -> None:
        await self._tell(await self._desk.find(request, self._tell))

    async def _answer_count(self) -> None:
        await self._tell(await self._desk.count(self._tell))


def sendable(text: str) -> str:
    """The text with U+FFFD for lone surrogates, which have no form in UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
