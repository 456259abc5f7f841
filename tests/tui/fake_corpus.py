"""A text that answers as an engine does, without one: windows of about 4,000 characters that begin where lines do."""

from __future__ import annotations

from collections import Counter

from charrnn.engine.corpus_messages import (
    CorpusFound,
    CorpusWindow,
    CountSymbols,
    FindInCorpus,
    ReadCorpus,
    SymbolCount,
    SymbolsCounted,
)
from charrnn.engine.messages import ClientMessage, EngineMessage
from charrnn.text.casing import fold, minds_case


class FakeCorpus:
    def __init__(self, text: str, size: int = 4000) -> None:
        self.text, self.size = text, size
        self.asked: list[int] = []

    def answers(self, message: ClientMessage) -> list[EngineMessage]:
        match message:
            case ReadCorpus(at):
                self.asked.append(at)
                return [self.window(at)]
            case FindInCorpus(number, wanted, at, backwards) if wanted:
                text = self.text if minds_case(wanted) else fold(self.text)
                if backwards:
                    found = text.rfind(wanted, 0, at + len(wanted) - 1)
                    found = text.rfind(wanted) if found < 0 else found
                else:
                    found = text.find(wanted, at)
                    found = text.find(wanted) if found < 0 else found
                return [CorpusFound(number, None if found < 0 else found)]
            case CountSymbols():
                counts = Counter(self.text).most_common()
                symbols = [SymbolCount(text, number, count) for number, (text, count) in enumerate(counts)]
                return [
                    SymbolsCounted("character", 0.4),
                    SymbolsCounted("character", 1.0, len(self.text), len(counts), len(counts), symbols),
                ]
            case _:
                return []

    def window(self, at: int) -> CorpusWindow:
        at = min(max(0, at), len(self.text) - 1)
        number = at // self.size
        number -= self._start(number) > at
        first = self._start(number)
        return CorpusWindow(first, self.text[first : self._start(number + 1)])

    def _start(self, number: int) -> int:
        first = number * self.size
        line = self.text.find("\n", max(0, first - 1), first + self.size - 1)
        return 0 if number <= 0 else min(len(self.text), first if line < 0 else line + 1)
