"""Text that came in bulk: of a run that wrote for hours the end is shown at once, what came before is filled in."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from charrnn.engine.branches import cut_short
from charrnn.engine.history import cut_off
from charrnn.engine.messages import Generated
from tui.transcript import Transcript

AT_ONCE = 8_000
"""Characters that are added without further ado; a screen has fewer."""
SLICE = 0.03
"""Seconds of work on what waits before the screen and the keys have their turn."""
FLOWING, LONGEST_WAIT = 0.05, 0.3
"""Text that came less than so long ago is followed by more, most likely; for its end is waited so long at most."""


class Backlog:
    """What a transcript still has to take in; `add` and then `work` until that returns False."""

    def __init__(self, transcript: Transcript, clock: Callable[[], float] = time.perf_counter) -> None:
        self._transcript = transcript
        self._clock = clock
        self._waiting: deque[Generated] = deque()
        self._length = 0
        self._first_came = self._last_came = 0.0
        self._older: deque[Generated] = deque()
        self._before: Transcript | None = None

    def add(self, pieces: Sequence[Generated]) -> None:
        """Takes text of the engine; a little of it is in the transcript at once."""
        self._last_came = self._clock()
        if not self._waiting:
            self._first_came = self._last_came
        self._waiting.extend(pieces)
        for piece in pieces:
            self._transcript.branches.add(piece)
        self._length += sum(len(piece.text) for piece in pieces)
        if self._length <= AT_ONCE and (self._transcript.characters or self._length < AT_ONCE // 2):
            self._take_all()

    def work(self) -> bool:
        """Puts as much of what waits into the transcript as a slice of time allows; whether there is more to do."""
        now = self._clock()
        end = now + SLICE
        if self._length > AT_ONCE and not self._transcript.characters:
            if now - self._last_came < FLOWING and now - self._first_came < LONGEST_WAIT:
                return True
            self._begin_at_the_end()
        if self._length <= AT_ONCE:
            self._take_all()
        while self._waiting and self._clock() < end:
            self._take_next()
        while self._older and self._before is not None and self._clock() < end:
            self._before.add(self._next(self._older))
        if self._before is not None and not self._older:
            self._transcript.prepend(self._before)
            self._before = None
        return bool(self._waiting or self._older)

    def _next(self, pieces: deque[Generated]) -> Generated:
        piece = pieces.popleft()
        if pieces is self._waiting:
            self._length -= len(piece.text)
        return piece

    def _take_all(self) -> None:
        while self._waiting:
            self._take_next()

    def _take_next(self) -> None:
        piece = self._next(self._waiting)
        if piece.after is not None and self._before is not None:  # it may go back to what is not there yet
            while self._older:
                self._before.add(self._next(self._older))
            self._transcript.prepend(self._before)
            self._before = None
        self._transcript.add(piece)

    def _begin_at_the_end(self) -> None:
        """Parts what waits: its end is for the transcript, all before for another one that will stand before it.

        Of what the stream went back on only the text that came of it is shown.
        """
        self._waiting = deque(self._transcript.branches.line())
        end: deque[Generated] = deque()
        length = 0
        while self._waiting and length < AT_ONCE // 2:
            piece = self._waiting.pop()
            end.appendleft(piece)
            length += len(piece.text)
        # A line's beginning is where the two can meet without a seam.
        cut = end[0].text.find("\n") + 1
        if cut:
            first = end.popleft()
            self._waiting.append(cut_short(first, cut))
            if cut < len(first.text):
                end.appendleft(cut_off(first, cut))
        if not self._waiting or not end:
            self._waiting.extend(end)
            self._length = sum(len(piece.text) for piece in self._waiting)
            return
        self._transcript.follow_on(self._waiting[-1])
        self._older, self._waiting = self._waiting, end
        self._length = sum(len(piece.text) for piece in end)
        self._before = Transcript(self._transcript.columns, self._transcript.limit)
        self._before.branches = self._transcript.branches
