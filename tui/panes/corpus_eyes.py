"""The corpus under the model's eyes: what is in sight is coloured by the live model's surprise, again and again."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from charrnn.engine.questions.reading import LONGEST_TEXT, CorpusSeen, WatchCorpus
from tui import palette
from tui.panes.corpus_text import CorpusText
from tui.panes.frame import Part
from tui.text_surprise import SurpriseLens

if TYPE_CHECKING:
    from tui.panes.corpus import CorpusPane

HELP = "Faint text went without saying, reversed text nobody would have guessed. It is read again as the model learns."
LOOK_AFTER = 3.0
"""Seconds between two looks whether the text is still in sight, and whether there is another engine to be asked."""
AGAIN_WHEN_SLOW = 12.0
"""Seconds for which newer colours of the same text wait, over a line that carries little."""


class Eyes:
    """The lens on the pane's text, and the questions to the engine; `on` while somebody looks through it."""

    def __init__(self, pane: CorpusPane, text: CorpusText) -> None:
        self.on = False
        self.seen: CorpusSeen | None = None
        self.lens = SurpriseLens()
        self._pane, self._text = pane, text
        self._number = 0
        self._asked: tuple[int, int] | None = None
        self._welcome: object = None
        self._drawn_at = -math.inf

    @property
    def _app(self) -> Any:
        return self._pane.app

    def open(self) -> None:
        self.on, self.seen, self._asked = True, None, None
        self.lens = SurpriseLens()
        self._app.hearers.add(CorpusSeen, self.hear)
        self._text.look_through(self.lens)
        self._app.say("info", HELP)
        self.look_after()

    def close(self) -> None:
        self.on = False
        self._app.hearers.remove(CorpusSeen, self.hear)
        self._text.look_through(None)
        self._end()

    def look_after(self) -> None:
        """Asks, or ends it, as the text is in sight now or not."""
        session = self._app.session
        if not session.connected:
            self._asked = None
        elif not self._pane.is_on_screen or self._app.screen is not self._pane.screen:
            self._end()
        else:
            if self._welcome is not session.welcome:
                self._asked = None
            self.moved()

    def moved(self) -> None:
        """Something else may be in sight; what is a page away is asked for with it."""
        first, end = self._text.sight
        if not self.on or first >= end or not self._app.session.connected:
            return
        if self._asked is not None and self._asked[0] <= first and end <= self._asked[1]:
            return
        page = end - first
        begin = max(0, first - page)
        self._asked = (begin, min(end + page, begin + LONGEST_TEXT))
        self._number += 1
        self._welcome = self._app.session.welcome
        self._drawn_at = -math.inf
        self._app.ask(WatchCorpus(self._number, *self._asked))

    def _end(self) -> None:
        if self._asked is not None and self._app.session.connected:
            self._number += 1
            self._app.ask(WatchCorpus(self._number, 0, 0))
        self._asked = None

    def hear(self, seen: CorpusSeen) -> None:
        """Draws the rows whose colours are others now."""
        now = time.monotonic()
        if seen.number != self._number or (self._app.settings.slow and now - self._drawn_at < AGAIN_WHEN_SLOW):
            return
        self._drawn_at = now
        rows = range(self._text.top, min(self._text.top + self._text.size.height, self._text.row_count()))
        spans = [self._text.span(row) for row in rows]
        before = [self.lens.levels(*span) for span in spans]
        self.seen = seen
        self.lens.take(seen.at, seen.nats)
        for row, span, levels in zip(rows, spans, before, strict=True):
            if self.lens.levels(*span) != levels:
                self._text.refresh_rows(row, row + 1)
        self._pane.show_title()

    def parts(self, held_out_at: int) -> list[Part]:
        """For the pane's title: the mean of what is in sight, whether that is held out, by which weights."""
        if self.seen is None:
            return [Part("surprise: the model is reading…", palette.ACCENT, 1, "surprise")]
        first, end = self._text.sight
        part = "held out" if first >= held_out_at else "learnt from" if end <= held_out_at else "partly held out"
        inside = self.lens.nats[max(0, first - self.lens.first) : max(0, end - self.lens.first)]
        known = [nats for nats in inside if not math.isnan(nats)]
        mean = f"surprise {math.fsum(known) / len(known):.2f} nats" if known else "surprise"
        return [
            Part(mean, palette.ACCENT, 1),
            Part(part, palette.ACCENT, 2),
            Part(f"step {self.seen.step:,}", palette.ACCENT, 3),
        ]
