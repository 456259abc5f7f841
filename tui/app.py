"""The workbench: awaits the engine's messages, draws what changed, and turns keys into the session's wishes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.driver import Driver

from charrnn.engine.client import EngineClient
from charrnn.engine.corpus_messages import CORPUS_ANSWERS
from charrnn.engine.mark_messages import Marks
from charrnn.engine.messages import (
    BaselinesFound,
    ClientMessage,
    CorpusInfo,
    Ended,
    EngineMessage,
    Losses,
    ModelInfo,
    Notice,
    Refused,
    Status,
    Text,
)
from charrnn.engine.questions import ANSWERS
from tui import keys
from tui.asking import Asking
from tui.browsing import Browsing
from tui.charting import Charting
from tui.charts.view import View
from tui.choices import Choices
from tui.clipping import Clipping
from tui.copies_watching import CopiesWatching
from tui.drawing import Drawing
from tui.hearers import Hearers
from tui.laning import Laning
from tui.leaving import Leaving, with_way_back
from tui.lensing import Lensing
from tui.look import Look
from tui.looking import Looking
from tui.notices import Notices
from tui.opening import Opening
from tui.panes.workspace import Workspace
from tui.playing import Playing
from tui.probing import Probing
from tui.pulse import Pulse, rates
from tui.reading import Reading
from tui.session import PATIENCE, Session
from tui.settings import Settings
from tui.starting_again import connect_again, gone
from tui.stream_surprise import SurpriseLens
from tui.suspending import Suspending
from tui.theme import THEME
from tui.travelling import Travelling

PART_OF_HISTORY = 500
"""Loss points in one message that were not made just now."""


def _collect_less() -> None:
    """What start-up made stays for good; looking through it for garbage again and again would cost a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class Workbench(
    Playing,
    Charting,
    Browsing,
    Reading,
    Asking,
    Choices,
    Probing,
    Lensing,
    Laning,
    Travelling,
    CopiesWatching,
    Looking,
    Opening,
    Clipping,
    Suspending,
    Drawing,
    App[Leaving],
):
    CSS_PATH = "app.tcss"
    TITLE = "charrnn"
    AUTO_FOCUS = "#stream-text"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings()

    def __init__(
        self,
        connection: socket.socket | None,
        driver_class: type[Driver] | None = None,
        settings: Settings = Settings(),  # noqa: B008 - it is frozen
    ) -> None:
        super().__init__(driver_class=driver_class, ansi_color=True)
        self.settings = settings
        self.table = keys.remapped(settings.keys)
        self.chart_view = View.of_settings(
            settings.chart_units, settings.chart_x, smoothed=settings.chart_smoothed, log=settings.chart_log
        )
        self.take_look(Look(settings.theme, settings.depth, settings.charset))
        self.register_theme(THEME)
        self.theme = "workbench"
        self.animation_level = "basic" if settings.animation else "none"
        self.session = Session(self._send)
        self._connection = connection
        self._again = False
        self._connecting = False
        self._client: EngineClient | None = None
        self._unsent: list[ClientMessage] = []
        self._leaving: Leaving | None = None
        self._wishes_end: asyncio.TimerHandle | None = None
        every = rates(settings.slow)
        self._stream_pulse = Pulse(every.stream, self._draw_stream)
        self._status_pulse = Pulse(every.status, self._draw_status)
        self._chart_pulse = Pulse(every.chart, self._draw_chart)
        self.hearers = Hearers()
        self.lenses = []
        self.panes = self.new_panes()
        self._notices = Notices(self.panes.bottom)

    def new_panes(self) -> Workspace:
        """For one run; another one gets others."""
        panes = Workspace()
        panes.corpus.send = self.ask_of_corpus
        panes.stream.input.cursor_blink = self.settings.animation
        others = [lens for lens in self.lenses if not isinstance(lens, SurpriseLens)]
        self.lenses = [panes.stream.text.surprise, *others]
        return panes

    def compose(self) -> ComposeResult:
        if self._connection is not None:  # else the opening screen comes first
            yield self.panes

    def on_mount(self) -> None:
        self.panes.put(self.size)
        self._draw_status()
        self._draw_knobs()
        self.call_after_refresh(_collect_less)
        if self._connection is None:
            self.open_opening()
        else:
            self.panes.stream.wait_with("the stream begins in a moment")
            self._listen(self._connection)
            self.greet()

    # ---- the engine ------------------------------------------------------------------------------------------

    def _send(self, message: ClientMessage) -> None:
        if self._wishes_end is not None:
            self._wishes_end.cancel()
        self._wishes_end = asyncio.get_running_loop().call_later(PATIENCE, self._draw_wishes)
        if self._client is None:
            self._unsent.append(message)
        else:
            self._client.send(message)

    def _begin_anew(self, connection: socket.socket) -> None:
        """As if the workbench had begun with this connection: new panes are there, nothing is known yet."""
        if self._wishes_end is not None:
            self._wishes_end.cancel()
        self.session = Session(self._send)
        self._client, self._unsent, self._again, self._leaving = None, [], False, None
        self._notices.over()
        self._notices = Notices(self.panes.bottom)
        self.begin_chart()
        self._draw_status()
        self._draw_knobs()
        self.panes.stream.wait_with("the stream begins in a moment")
        self.call_after_refresh(_collect_less)
        self._listen(connection)

    @work(exit_on_error=True, exclusive=True, group="engine")
    async def _listen(self, connection: socket.socket) -> None:
        self._client = client = await EngineClient.over(connection)
        for message in self._unsent:
            client.send(message)
        try:
            async for answer in client:
                self.hear(answer)
                await asyncio.sleep(0)  # a long history comes in many messages, and keys are not to wait for all
        finally:
            # Leaving by a key has just written a message; closing flushes it.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.close(), 1.0)
        self.session.connected = False
        self._draw_status()
        if self._leaving is not None:
            self.exit(self._leaving)
        elif self.session.ended is None and self.session.refused is None:
            again = await self.found_again()
            if again is None:
                self.say("error", gone(self.session), None)
            else:
                self.panes.stream.start_over()
                self._go_on_with(again, "Attached to the run again; what was written meanwhile is coming.")

    def action_start_again(self) -> None:
        if self.session.connected:
            self.say("info", "The engine is at work: there is nothing to start again.")
        elif not self._connecting:
            self._start_again()

    @work(exit_on_error=True)
    async def _start_again(self) -> None:
        self._connecting = True
        connection = await connect_again(self.session)
        self._connecting = False
        if isinstance(connection, str):
            self.say("error", connection, None)
            return
        self.panes.stream.text.begin_again()
        self._go_on_with(connection, "The engine starts again…")

    def _go_on_with(self, connection: socket.socket, words: str) -> None:
        self._client, self._unsent, self._again = None, [], True
        self.session.begin_again()
        self._notices.over()
        self.say("info", words)
        self._draw_status()
        self._listen(connection)

    def hear(self, message: EngineMessage) -> None:
        """Takes one message of the engine into the state and onto the screen."""
        state = self.session.state
        self.session.receive(message)
        match message:
            case Text():
                wanted = self.panes.stream.text.transcript.knobs
                self.panes.stream.add(message.pieces)
                if wanted is not None and message.pieces and message.pieces[-1].knobs != wanted:
                    self._stream_pulse.now()
                else:
                    self._stream_pulse.soon()
            case Status():
                self.panes.banner.show(message.troubles)
                self._draw_wishes()
                if self.session.state != state:
                    self._status_pulse.now()
                else:
                    self._status_pulse.soon()
            case Losses(points, first):
                # A history is drawn as soon as it is there; what follows, in its time.
                if first or len(points) >= PART_OF_HISTORY:
                    self._chart_pulse.now()
                else:
                    self._chart_pulse.soon()
            case Marks():
                self._chart_comes()
            case CorpusInfo():
                self.panes.corpus.show_corpus(message)
                self.panes.stream.input.alphabet = frozenset(message.alphabet) or None
                self.panes.stream.wait_with("loading torch; the stream begins in a moment")
                self._status_pulse.now()
            case ModelInfo():
                self.panes.corpus.show_model(message)
                self.connect_choices()
                self._status_pulse.now()
            case _ if isinstance(message, CORPUS_ANSWERS):
                self.hear_of_corpus(message)
            case _ if isinstance(message, ANSWERS):
                self.hearers.hear(message)
            case BaselinesFound():
                self.panes.corpus.show_baselines(message)
                self._chart_comes()
            case Notice():
                if message.text not in self.session.status.troubles:  # else the banner says it, and for longer
                    self.say(message.level, message.text)
            case Refused() if self._again:
                self.say("error", f"{message.text} enter tries again, q leaves.", None)
            case Refused():
                self.refused(message)
            case Ended():
                self._ended(message)
            case _:
                self._status_pulse.soon()

    def _ended(self, message: Ended) -> None:
        if self._leaving is not None:
            self.exit(Leaving(self._leaving.status or message.status, with_way_back(self.session, message.text)))
        else:
            self._status_pulse.now()
            level = "error" if message.status else "info"
            self.say(level, f"{message.text} The engine has ended; enter starts it again, q leaves.".lstrip(), None)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _chart_comes(self) -> None:
        """Without losses there is no chart, and to draw none would put off the first one."""
        if self.session.points:
            self._chart_pulse.soon()

    def _draw_stream(self) -> None:
        if self.panes.stream.draw():
            self._stream_pulse.soon()

    def _draw_status(self) -> None:
        self.panes.status.show(self.session, self.chart_view)
        self.draw_footer()

    def _draw_knobs(self) -> None:
        session = self.session
        pace = 0.0 if session.status.held else session.pace
        self.panes.stream.show_knobs(session.knobs, pace, session.learning_rate, session.current_rate)

    def _draw_wishes(self) -> None:
        """The knobs as they are now: the user's own, or what another workbench made of them since."""
        transcript = self.panes.stream.text.transcript
        if transcript.wanted is not None and transcript.wanted != self.session.knobs:
            transcript.want(self.session.knobs)
            self._stream_pulse.soon()
        self._draw_knobs()
        self._status_pulse.soon()

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        """Shows a sentence in the footer's place for `seconds`: 0 for as long as its level asks, None for good."""
        self._notices.say(level, text, seconds)
        here: Notices | None = getattr(self.screen, "notices", None)
        if here is not None:  # what is covered cannot be read
            here.say(level, text, seconds)
