"""Looking at stream and corpus through one of the network's units. A part of the workbench."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.app import App

from charrnn.engine.questions import Question
from charrnn.engine.questions.units import LONGEST_TEXT, UnitHeard, UnitOfCorpus, UnitRead, WatchUnit
from tui.hearers import Hearers
from tui.leaving import Leaving
from tui.lensing import Lensing
from tui.panes.workspace import Workspace
from tui.session import Session
from tui.settings import Settings
from tui.unit_lens import UnitLens

if TYPE_CHECKING:
    from textual.timer import Timer

    from charrnn.engine.client import EngineClient
    from tui.panes.unit_strip import UnitStrip

LOOK_EVERY = 0.5
"""Seconds between two looks at what of the corpus is in sight, and two drawings of the strip."""
READ_AGAIN = 6.0
"""Seconds after which newer weights read the corpus in sight once more."""
WHEN_SLOW = 4
"""How many times as long over a line that carries little."""
LEAST_ROWS = 6
"""Rows of the stream below which a strip would take too large a part."""


@dataclass
class _Probe:
    """The unit that is looked through, while it is; `asked` is the range of the corpus that was asked for, and when."""

    unit: str
    panes: Workspace
    client: EngineClient | None
    timer: Timer
    corpus: UnitLens
    strip: UnitStrip | None = None
    asked: tuple[int, int] = (0, 0)
    asked_at: float = 0.0
    looks: int = 0
    held: list[UnitHeard] = field(default_factory=list)


class Probing(Lensing, App[Leaving]):
    """A unit's lens stands among the stream's; while that is the one in use, the engine tells what the unit says."""

    session: Session
    settings: Settings
    hearers: Hearers
    _client: EngineClient | None
    _probe: _Probe | None = None
    _number = 0

    if TYPE_CHECKING:  # the workbench has these

        def ask(self, question: Question) -> bool: ...

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_cells(self) -> None:
        from tui.screens.units import UnitsScreen

        if self.session.connected:
            self.push_screen(UnitsScreen(self._probe.unit if self._probe else ""), self.look_through_unit)
        else:
            self.say("info", "The engine has gone; enter starts it again, and then it ranks its units.")

    def action_lens(self) -> None:
        super().action_lens()
        self._follow_lens()

    def action_unit_off(self) -> None:
        if self._probe is None:
            self.say("info", "No unit is looked through; m lists them.")
        self.look_through_unit("")

    def look_through_unit(self, unit: str | None) -> None:
        """From now on stream and corpus are coloured by that unit; "": by none; None: as before."""
        if unit is None:
            return
        text = self.panes.stream.text
        if isinstance(text.lens, UnitLens):
            text.look_through(None)
        self._follow_lens()
        self.lenses[:] = [lens for lens in self.lenses if not isinstance(lens, UnitLens)]
        if unit:
            lens = UnitLens(unit)
            self.lenses.append(lens)
            self.panes.show_stream()
            text.look_through(lens)
            self._follow_lens()

    def unit_of_text(self, drawn: Callable[[], object]) -> UnitLens | None:
        """The lens of the unit that is looked through for a text that is typed; None where none is."""
        from tui.unit_of_text import UnitOfTextLens

        return UnitOfTextLens(self._probe.unit, self.ask, self.hearers, drawn) if self._probe else None

    def _follow_lens(self) -> None:
        """The engine reads for a unit exactly as long as the stream is seen through it."""
        lens = self.panes.stream.text.lens
        unit = lens.unit if isinstance(lens, UnitLens) else ""
        if self._probe is not None and self._probe.unit != unit:
            self._end_probe(self._probe)
        if self._probe is None and unit:
            self._begin_probe(unit)

    # ---- while one is looked through -------------------------------------------------------------------------

    def _begin_probe(self, unit: str) -> None:
        if not self.ask(WatchUnit(unit)):
            return
        probe = _Probe(unit, self.panes, self._client, self.set_interval(LOOK_EVERY, self._look_again), UnitLens(unit))
        self._probe = probe
        self.hearers.add(UnitHeard, self._hear_stream)
        self.hearers.add(UnitRead, self._hear_corpus)
        self.panes.corpus.text.look_through(probe.corpus)
        if self.panes.plan.framed and self.panes.stream.text.size.height > LEAST_ROWS:
            from tui.panes.unit_strip import UnitStrip

            probe.strip = UnitStrip()
            self.panes.stream.mount(probe.strip, before=self.panes.stream.input)
        self._look_again()

    def _end_probe(self, probe: _Probe) -> None:
        self._probe = None
        probe.timer.stop()
        self.hearers.remove(UnitHeard, self._hear_stream)
        self.hearers.remove(UnitRead, self._hear_corpus)
        if probe.panes.corpus.text.lens is probe.corpus:
            probe.panes.corpus.text.look_through(None)
        if probe.strip is not None:
            probe.strip.remove()
        if self.session.connected and probe.client is self._client:
            self.session.send(WatchUnit(None))

    def _look_again(self) -> None:
        """Draws the strip, and asks for the corpus in sight."""
        probe = self._probe
        if probe is None:
            return
        if probe.panes is not self.panes:  # another run has the screen
            self.lenses[:] = [lens for lens in self.lenses if not isinstance(lens, UnitLens)]
            self._end_probe(probe)
            return
        lens = self.panes.stream.text.lens
        if not isinstance(lens, UnitLens) or lens.unit != probe.unit:
            self._end_probe(probe)
            return
        if probe.client is not self._client and self.session.connected:  # another engine: its positions begin again
            lens.forget()
            probe.client = self._client
            self.ask(WatchUnit(probe.unit))
        probe.looks += 1
        if self.settings.slow and probe.looks % WHEN_SLOW != 1:
            return
        for heard in probe.held:
            self._take(heard, lens)
        probe.held.clear()
        if probe.strip is not None:
            end = self._end_in_sight()
            probe.strip.show(lens.values(max(0, end - probe.strip.columns), end))
        self._ask_of_corpus(probe)

    def _ask_of_corpus(self, probe: _Probe) -> None:
        text = self.panes.corpus.text
        first, end = text.sight
        if not self.panes.corpus.display or end <= first or end - first > LONGEST_TEXT or not self.session.connected:
            return
        now = time.monotonic()
        covered = probe.asked[0] <= first and end <= probe.asked[1]
        stale = READ_AGAIN * (WHEN_SLOW if self.settings.slow else 1)
        if covered and (now - probe.asked_at < stale or self.session.state != "training"):
            return
        around = end - first
        probe.asked, probe.asked_at = (max(0, first - around // 2), end + around // 2), now
        self._number += 1
        self.session.send(UnitOfCorpus(self._number, probe.unit, *probe.asked))

    def _hear_stream(self, heard: UnitHeard) -> None:
        probe, lens = self._probe, self.panes.stream.text.lens
        if probe is None or not isinstance(lens, UnitLens) or heard.unit != probe.unit:
            return
        if self.settings.slow:
            probe.held.append(heard)
        else:
            self._take(heard, lens)

    def _take(self, heard: UnitHeard, lens: UnitLens) -> None:
        """Draws the rows of the stream in sight whose colours are others now."""
        first, end = lens.put(heard.position, heard.values)
        text = self.panes.stream.text
        for number in range(text.top, min(text.top + text.size.height, text.row_count())):
            if end > first and any(first <= at < end for at in text.transcript.positions(number) if at >= 0):
                text.refresh_rows(number, number + 1)

    def _hear_corpus(self, read: UnitRead) -> None:
        probe = self._probe
        if probe is None or read.number != self._number or read.unit != probe.unit:
            return
        first, end = probe.corpus.put(read.first, read.values)
        if end > first:
            self.panes.corpus.text.refresh()

    def _end_in_sight(self) -> int:
        """The stream's position after the last character in sight."""
        text = self.panes.stream.text
        for number in reversed(range(text.top, min(text.top + text.size.height, len(text.transcript.index)))):
            places = [at for at in text.transcript.positions(number) if at >= 0]
            if places:
                return places[-1] + 1
        return 0
