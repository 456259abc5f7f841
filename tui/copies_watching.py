"""Watching what the stream copies, for as long as somebody looks; and showing where it is from.

A part of the workbench.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import events
from textual.app import App

from charrnn.engine.client import EngineClient
from charrnn.engine.questions import Question
from charrnn.engine.questions.copying import CopiedCurve, CopiedPoint, Copies, Copy, WatchCopies
from tui.copies_lens import CopiesLens
from tui.hearers import Hearers
from tui.leaving import Leaving
from tui.lenses import Lens
from tui.panes.workspace import Workspace
from tui.pulse import Pulse, rates
from tui.session import Session
from tui.settings import Settings
from tui.terminal import cut

if TYPE_CHECKING:
    from tui.screens.copies import CopiesScreen

LOOK_EVERY = 0.25
"""Seconds between two looks at whether somebody looks."""


class CopiesWatching(App[Leaving]):
    """The engine looks for copies only while the lens is on or the list is open."""

    panes: Workspace
    session: Session
    settings: Settings
    hearers: Hearers
    lenses: list[Lens]
    copied_curve: tuple[CopiedPoint, ...]
    copies_lens: CopiesLens
    _client: EngineClient | None
    _chart_pulse: Pulse
    _copies_pulse: Pulse
    _copies_from: int | None = None
    _copies_asked: EngineClient | None = None

    if TYPE_CHECKING:  # the workbench has these

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

        def ask(self, question: Question) -> bool: ...

    def on_mount(self) -> None:
        self.copies_lens = CopiesLens()
        self.lenses.append(self.copies_lens)
        self._copies_pulse = Pulse(rates(self.settings.slow).status / 2, self._draw_copies)
        self.hearers.add(Copies, self._hear_copies)
        self.hearers.add(CopiedCurve, self._hear_curve)
        self.set_interval(LOOK_EVERY, self._watch_copies)

    # ---- the engine ------------------------------------------------------------------------------------------

    def _watch_copies(self) -> None:
        """Has the engine look for copies, or no longer."""
        client = self._client if self.session.connected else None
        lens_is_on = self.panes.stream.text.lens is self.copies_lens
        if client is not None and (lens_is_on or self._list is not None):
            if self._copies_asked is not client:
                self._copies_asked = client
                self.copies_lens.forget()
                self.ask(WatchCopies())
        elif self._copies_asked is not None:
            if self._copies_asked is client:
                self.ask(WatchCopies(on=False))
            self._copies_asked = None

    def _hear_copies(self, told: Copies) -> None:
        if self._copies_asked is None:  # it was on its way when nobody looked any more
            return
        changed = self.copies_lens.hear(told)
        self._copies_from = changed if self._copies_from is None else min(changed, self._copies_from)
        self._copies_pulse.soon()

    def _hear_curve(self, curve: CopiedCurve) -> None:
        self.copied_curve = tuple(curve.points)
        if self.session.points:
            self._chart_pulse.soon()

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _draw_copies(self) -> None:
        """Draws the rows of the stream that look otherwise by now, the legend, and the list if it is open."""
        changed, self._copies_from = self._copies_from, None
        if self._list is not None:
            self._list.show()
        text = self.panes.stream.text
        if text.lens is not self.copies_lens or changed is None:
            return
        self.panes.stream.show_lower()
        if not text.transcript.characters:
            return
        for number in range(text.top, min(text.top + text.size.height, text.row_count())):
            if max(text.transcript.positions(number), default=-1) >= changed:
                text.refresh_rows(number, text.row_count())
                break

    def copies_in_sight(self) -> tuple[int, int]:
        """The stream's first position in sight and the one after the last."""
        text = self.panes.stream.text
        if not text.transcript.characters:
            return 0, 0
        rows = range(text.top, min(text.top + text.size.height, text.row_count()))
        known = [place for number in rows for place in text.transcript.positions(number) if place >= 0]
        return (min(known), max(known) + 1) if known else (0, 0)

    # ---- the keys and the mouse ------------------------------------------------------------------------------

    @property
    def _list(self) -> CopiesScreen | None:
        """The list of copies, if it is open."""
        if not self._screen_stack:
            return None
        screen = self.screen
        return screen if getattr(screen, "shows_copies", False) else None  # type: ignore[return-value]

    def action_copies(self) -> None:
        if not self.session.connected:
            self.say("info", "The engine has gone; enter starts it again, and then it looks for copies.")
            return
        from tui.screens.copies import CopiesScreen

        corpus = self.session.corpus
        screen = CopiesScreen(self.copies_lens, self.copies_in_sight(), corpus.held_out_at if corpus else 0)
        self.push_screen(screen, self.show_source)
        self._watch_copies()

    def on_click(self, event: events.Click) -> None:
        """A marked piece of the stream was clicked."""
        text = self.panes.stream.text
        if event.widget is not text or text.lens is not self.copies_lens or event.chain != 1:
            return
        if getattr(text, "choosing", False):  # a click moves the cursor there
            return
        number = text.top + event.y - text.gutter.top
        if text.selection is not None or not text.transcript.characters or number >= text.row_count():
            return
        row = "".join(piece for piece, _ in text.transcript.row(number))
        index = cut(row, event.x - text.gutter.left - 1)
        positions = text.transcript.positions(number)
        copy = self.copies_lens.at(positions[index]) if index < len(positions) and positions[index] >= 0 else None
        if copy is not None:
            self.show_source(copy)

    def show_source(self, copy: Copy | None) -> None:
        """Brings the place of the training text into sight that a copy is from."""
        if copy is None:
            return
        corpus = self.panes.corpus
        self.panes.show("corpus")
        corpus.go(copy.at)
        corpus.text.go(copy.at, corpus.text.size.height // 3)
        corpus.text.show_matches(copy.text, copy.at)
        corpus.text.focus()
        times = f", the first of {copy.times:,} places" if copy.times > 1 else ""
        self.say("info", f"{copy.length:,} characters in a row from character {copy.at:,} of the training text{times}.")
