"""The lanes: several streams side by side, from one prime and in step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size

from charrnn.engine.questions.lanes import (
    LONGEST_PRIME,
    CloseLanes,
    LaneOpened,
    LanesEnded,
    LanesOpened,
    LanesText,
    OpenLanes,
)
from tui import keys
from tui.escapes import written
from tui.lane_text import LaneText
from tui.lanes import Plan
from tui.notices import Notices
from tui.panes.frame import Pane
from tui.panes.lane_columns import Column, LaneColumns
from tui.panes.prime import PrimeInput
from tui.panes.status import BottomBar, newest_loss
from tui.pulse import Pulse, rates
from tui.screens import lanes_frame
from tui.screens.lanes_frame import Explanation
from tui.screens.lanes_keys import LanesKeys
from tui.session import Session
from tui.terminal import safe_line

if TYPE_CHECKING:
    from tui.app import Workbench

EXPLAINED_FROM = 22
"""Rows of a screen from which on the two sentences stand there unasked."""
KEPT = ("pause", "slower", "faster")
"""Keys of the whole workbench that mean the same here."""
TITLES_EVERY, TITLES_EVERY_SLOWLY = 1.0, 4.0
"""Seconds between two looks at the live step and loss."""
_numbers = count(1)


class LanesScreen(LanesKeys):
    """Answers with the lanes as they were last. Only its own keys mean something while it is open."""

    AUTO_FOCUS = "#lane-columns"
    CSS = "LanesScreen { layout: vertical; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("lanes"),
        *(
            Binding(",".join(key.keys), f"app.{key.action}", key.description, show=False, id=key.id)
            for key in keys.TABLE
            if key.id in KEPT
        ),
        Binding("escape", "app.lane('close')", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll_pages(-1)", show=False),
        Binding("pagedown", "scroll_pages(1)", show=False),
    ]
    app: Workbench

    def __init__(self, plan: Plan) -> None:
        super().__init__(name="lanes")
        self._plan = plan
        self._number = 0
        self._opened: list[LaneOpened] = []
        self._live_step = 0
        self._held = False
        self._connected = True
        self._session: Session | None = None
        self._explained: bool | None = None
        self._columns = LaneColumns()
        self._pane = Pane("Lanes", self._columns, id="lanes")
        self._explanation = Explanation()
        self._input = PrimeInput(name="lanes-prime")
        self._bar = BottomBar()
        self.notices = Notices(self._bar)
        self._pulse: Pulse | None = None
        self._hears: tuple[tuple[type[Any], Callable[[Any], None]], ...] = (
            (LanesOpened, self._hear_opened),
            (LanesText, self._hear_text),
            (LanesEnded, self._hear_ended),
        )

    @property
    def is_modal(self) -> bool:
        """Keys that arrange or steer what is covered would do so unseen."""
        return True

    def compose(self) -> ComposeResult:
        yield self._pane
        yield self._input
        yield self._explanation
        yield self._bar

    def on_mount(self) -> None:
        self._session = self.app.session
        slow = self.app.settings.slow
        self._pulse = Pulse(rates(slow).stream, self._columns.draw)
        self._input.cursor_blink = self.app.settings.animation
        self._input.alphabet = self.app.panes.stream.input.alphabet
        for kind, hear in self._hears:
            self.app.hearers.add(kind, hear)
        self._put(self.app.size)
        self.set_interval(TITLES_EVERY_SLOWLY if slow else TITLES_EVERY, self._draw_titles)
        self.open()

    def on_unmount(self) -> None:
        for kind, hear in self._hears:
            self.app.hearers.remove(kind, hear)
        if self._pulse is not None:
            self._pulse.stop()
        if self.app.session.connected:
            self.app.session.send(CloseLanes())

    def on_resize(self, event: events.Resize) -> None:
        self._put(event.size)
        self.call_after_refresh(self._draw_titles)

    def _put(self, size: Size) -> None:
        self._bar.put(size)
        self._pane.set_class(size.height < 14 or size.width < 50, "-bare")
        explained = self._explained
        if explained is None:
            explained = size.height >= EXPLAINED_FROM
        self._explanation.display = explained
        self._explanation.show(self._plan.explained, size.width)

    # ---- the engine ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Asks for the lanes as they are to be now, from the prime."""
        self._number = next(_numbers)
        self._opened, self._held = [], False
        plan = self._plan
        self._columns.put([Column(plan.name(at), LaneText(plan.prime, 1, 1)) for at in range(len(plan.wishes))])
        self._explanation.show(plan.explained, self.app.size.width)
        self._draw_titles()
        if not self.app.ask(OpenLanes(self._number, plan.prime, list(plan.wishes))):
            self._say("error", "The engine has gone; esc leads back, and enter starts it again there.", None)

    def _hear_opened(self, answer: LanesOpened) -> None:
        if answer.number != self._number or len(answer.lanes) != len(self._columns.lanes):
            return
        self._opened = answer.lanes
        self._live_step = max((one.step for one in answer.lanes if one.live), default=self._live_step)
        for column, one in zip(self._columns.lanes, answer.lanes, strict=True):
            column.problem = safe_line(one.problem)
        unknown = "".join(dict.fromkeys("".join(one.unknown for one in answer.lanes)))
        if unknown:
            named = " ".join(written(character) for character in unknown)
            self._say("warning", f"Left out of the prime where a model does not know it: {named}")
        if any(one.problem for one in answer.lanes):
            self._columns.fit()
        self._draw_titles()

    def _hear_text(self, answer: LanesText) -> None:
        if answer.number != self._number or self._pulse is None:
            return
        self._live_step = answer.step
        for column, piece in zip(self._columns.lanes, answer.texts, strict=False):
            column.text.add(piece, follow=self._columns.following)
        self._pulse.soon()

    def _hear_ended(self, answer: LanesEnded) -> None:
        if answer.number == self._number and answer.words:
            self._say("error", answer.words, None)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        self.notices.say(level, text, seconds)

    def _draw_titles(self) -> None:
        """The frame's lines and the lanes' titles, as far as they are others now."""
        session, plan = self.app.session, self._plan
        if session is not self._session:  # another run was opened over this one
            if self.is_current:
                self.dismiss(None)
            return
        if session.connected and not self._connected:  # another engine: it knows nothing of these lanes
            self._connected = True
            self.open()
            return
        self._connected = session.connected
        loss = newest_loss(session)
        for at, column in enumerate(self._columns.lanes):
            opened = self._opened[at] if at < len(self._opened) else None
            known = None if opened is None or opened.problem else loss if opened.live else opened.loss
            said = "" if known is None else self.app.chart_view.text(known, 2 if self.size.width < 100 else 3)
            column.name = plan.name(at)
            if opened is None:
                column.rest = ["in a moment" if session.connected else ""]
                continue
            column.rest = plan.rest(at, opened, self._live_step, f"loss {said}" if said else "")
        self._columns.draw_heads()
        self._draw_frame()

    def _draw_frame(self) -> None:
        if self._input.is_open:
            covered = {key.id for key in self.app.table if not key.pane}
            self._bar.show_keys(keys.footer("prime", self.app.table, idle=covered))
        else:
            covered = {key.id for key in self.app.table if not key.pane and key.id not in KEPT}
            self._bar.show_keys(keys.footer("lanes", self.app.table, idle=covered))
        session, columns = self.app.session, self._columns
        self._pane.upper.show(*lanes_frame.upper(self._plan, session, self.app.table, held=self._held))
        where, editing = (columns.shown, len(columns.lanes)), self._input.is_open
        self._pane.lower.show(*lanes_frame.lower(self._plan, *where, following=columns.following, editing=editing))

    def _do_explain(self) -> None:
        shown = self._explanation.display
        self._explained = None if shown else True
        self._put(self.app.size)
        if shown:
            self.app.help_on("lanes")

    # ---- the mouse, the prime --------------------------------------------------------------------------------

    def on_lane_columns_clicked(self, message: LaneColumns.Clicked) -> None:
        self._choose(message.lane)

    def on_lane_columns_scrolled(self, message: LaneColumns.Scrolled) -> None:
        self.action_scroll(message.rows)

    def on_prime_input_applied(self, message: PrimeInput.Applied) -> None:
        message.stop()
        if len(message.prime) > LONGEST_PRIME:
            self._say("warning", f"Lanes start from {LONGEST_PRIME:,} characters at most; shorten the prime.")
            return
        self._leave_prime()
        self._now(replace(self._plan, prime=message.prime))

    def on_prime_input_left(self, message: PrimeInput.Left) -> None:
        message.stop()
        self._leave_prime()

    def on_prime_input_unknown(self, message: PrimeInput.Unknown) -> None:
        message.stop()
        if message.characters:
            self._say("warning", f"This model does not know {message.characters}")

    def _leave_prime(self) -> None:
        self._input.close()
        self._columns.focus()
        self._draw_frame()
