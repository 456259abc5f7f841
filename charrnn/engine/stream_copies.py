"""What of the stream's text is copied: looked up as the text comes, in a thread. No torch here."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from charrnn.engine.questions.copying import LONGEST_TOLD, MOST_TOLD, Copies, CopiesTold, Copy

if TYPE_CHECKING:
    from charrnn.engine.history import TextHistory
    from charrnn.engine.messages import Generated
    from charrnn.insight.copying.index import CopyingIndex
    from charrnn.insight.copying.matching import Copied

LOOKS_BACK = 8_000
"""Characters of the stream's past that are looked at when somebody begins to watch."""
KEPT = 20_000
"""Characters whose copies are known at most."""
METER = 2_000
"""The newest characters, of which the share is told."""
AT_ONCE = 4_000
"""Characters that are looked up before others have their turn."""
_LARGE = 8_000_000
"""Bytes of training text from which on what was read of the index is given back after each look."""


class StreamCopies:
    """Whoever asks first has it catch up with the text; a copy begins and ends within what one stream wrote."""

    def __init__(self, index: CopyingIndex, text: TextHistory) -> None:
        from charrnn.insight.copying.matching import Matcher

        self._index, self._history = index, text
        self._matcher = Matcher(index)
        self._found: deque[Copied] = deque()
        self._text = ""
        self._text_at = 0
        self._primes: deque[tuple[int, int]] = deque()
        self._stream = -1
        self._turn = asyncio.Lock()
        self._position = -1

    @property
    def position(self) -> int:
        """Up to where the stream was looked up."""
        return self._position

    async def catch_up(self) -> None:
        """Looks up what the stream has written since."""
        async with self._turn:
            if self._history.end - self._position > LOOKS_BACK or self._position < 0:
                self._begin_at(max(0, self._history.end - LOOKS_BACK))
            while pieces := self._history.since(self._position, AT_ONCE):
                await asyncio.to_thread(self._look, pieces)

    def _begin_at(self, position: int) -> None:
        """There is a gap: what was known before is of another time."""
        self._found.clear()
        self._primes.clear()
        self._text, self._text_at, self._position = "", position, position
        self._matcher.begin_anew(position)

    def _look(self, pieces: Sequence[Generated]) -> None:
        for piece in pieces:
            if piece.position != self._position:
                self._begin_at(piece.position)
            went_back = getattr(piece, "after", None) is not None
            if piece.prime or went_back or piece.stream != self._stream:
                self._end()
                self._matcher.begin_anew(piece.position)
            self._stream = piece.stream
            self._position = piece.position + len(piece.text)
            self._text += piece.text
            if piece.prime:
                self._primes.append((piece.position, self._position))
                self._matcher.begin_anew(self._position)
            else:
                feed = self._matcher.feed
                self._found += [ended for character in piece.text if (ended := feed(character)) is not None]
        self._forget()

    def _end(self) -> None:
        if self._matcher.copy is not None:
            self._found.append(self._matcher.copy)

    def _forget(self) -> None:
        first = self._position - KEPT
        if len(self._text) > 2 * KEPT:
            self._text_at, self._text = first, self._text[first - self._text_at :]
        while self._found and self._found[0].end <= first:
            self._found.popleft()
        while self._primes and self._primes[0][1] <= first:
            self._primes.popleft()
        if self._index.bytes > _LARGE:
            self._index.forget_pages()

    # ---- what there is to tell -------------------------------------------------------------------------------

    @property
    def settled(self) -> int:
        """Copies that begin before this position do not change any more."""
        copy = self._matcher
        return copy.position - copy.length

    def since(self, first: int) -> Copies:
        """What is known from position `first` on; the copy that the text ends with as it is by now."""
        share, characters = self._share()
        first = max(first, self._text_at)
        return Copies(
            state="ready",
            first=first,
            end=self._position,
            copies=[self._told(copied) for copied in self._all()[-MOST_TOLD:] if copied.begin >= first],
            share=share,
            characters=characters,
        )

    def told(self) -> CopiesTold:
        """The newest characters in a word."""
        share, characters = self._share()
        found = [copied for copied in self._all() if copied.end > self._position - METER]
        longest = max(found, key=lambda copied: copied.length, default=None)
        return CopiesTold(
            share=share,
            characters=characters,
            count=len(found),
            longest=self._told(longest) if longest is not None else None,
        )

    def _all(self) -> list[Copied]:
        copy = self._matcher.copy
        return [*self._found, *([copy] if copy is not None else [])]

    def _told(self, copied: Copied) -> Copy:
        begin = copied.begin - self._text_at
        text = self._text[max(0, begin) : begin + min(copied.length, LONGEST_TOLD)]
        return Copy(copied.begin, copied.end, copied.at, copied.times, text)

    def _share(self) -> tuple[float, int]:
        """The share of the newest characters that are copied, and how many characters those are."""
        from charrnn.insight.copying.matching import covered

        first = max(self._text_at, self._position - METER)
        given = sum(max(0, end - max(first, begin)) for begin, end in self._primes)
        characters = self._position - first - given
        return (covered(self._all(), first) / characters if characters > 0 else 0.0), max(0, characters)
