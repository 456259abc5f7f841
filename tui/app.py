"""The workbench: awaits the engine's messages, draws what changed, and turns keys into the session's wishes."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterable
from functools import partial
from typing import ClassVar

from textual import events, work
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen

from charrnn.engine.client import EngineClient
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
from tui import keys
from tui.layout import PaneName
from tui.leaving import SAVING_TAKES, Leaving, with_way_back
from tui.notices import Notices
from tui.panes.workspace import Workspace
from tui.playing import Playing
from tui.pulse import Pulse
from tui.session import PATIENCE, Session
from tui.starting_again import connect_again, gone
from tui.theme import THEME

DRAW_EVERY, STATUS_EVERY, CHART_EVERY = 0.11, 0.9, 1.5
"""Seconds between two drawings of the stream, the status line and the chart."""


def _collect_less() -> None:
    """What start-up made stays for good; looking through it for garbage again and again would cost a tenth."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


class Workbench(Playing, App[Leaving]):
    CSS_PATH = "app.tcss"
    TITLE = "charrnn"
    AUTO_FOCUS = "#stream-text"
    ALLOW_SELECT = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            ",".join(key.keys),
            key.action,
            key.description,
            show=False,
            id=key.id,
            priority=key.keys[-1].startswith("ctrl+"),
        )
        for key in keys.TABLE
        if key.action
    ]

    def __init__(self, connection: socket.socket, driver_class: type[Driver] | None = None) -> None:
        super().__init__(driver_class=driver_class)
        self.register_theme(THEME)
        self.theme = "workbench"
        self.animation_level = "none"
        self.session = Session(self._send)
        self._connection = connection
        self._again = False
        self._connecting = False
        self._client: EngineClient | None = None
        self._unsent: list[ClientMessage] = []
        self._log_scale = False
        self._leaving: Leaving | None = None
        self._wishes_end: asyncio.TimerHandle | None = None
        self._stream_pulse = Pulse(DRAW_EVERY, self._draw_stream)
        self._status_pulse = Pulse(STATUS_EVERY, self._draw_status)
        self._chart_pulse = Pulse(CHART_EVERY, self._draw_chart)
        self.panes = Workspace()
        self._notices = Notices(self.panes.bottom)

    def compose(self) -> ComposeResult:
        yield self.panes

    def on_mount(self) -> None:
        self.panes.put(self.size)
        self._draw_status()
        self._draw_knobs()
        self.panes.stream.wait_with("the stream begins in a moment")
        self.call_after_refresh(_collect_less)
        self._listen(self._connection)

    # ---- the engine ------------------------------------------------------------------------------------------

    def _send(self, message: ClientMessage) -> None:
        if self._wishes_end is not None:
            self._wishes_end.cancel()
        self._wishes_end = asyncio.get_running_loop().call_later(PATIENCE, self._draw_wishes)
        if self._client is None:
            self._unsent.append(message)
        else:
            self._client.send(message)

    @work(exit_on_error=True)
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
            self.say("error", gone(self.session), None)

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
        self._client, self._unsent, self._again = None, [], True
        self.session.begin_again()
        self.panes.stream.text.transcript.begin_again()
        self._notices.over()
        self.say("info", "The engine starts again…")
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
            case Losses():
                self._chart_pulse.soon()
            case CorpusInfo():
                self.panes.corpus.show_corpus(message)
                self.panes.stream.input.alphabet = frozenset(message.alphabet) or None
                self.panes.stream.wait_with("loading torch; the stream begins in a moment")
                self._status_pulse.now()
            case ModelInfo():
                self._status_pulse.now()
            case BaselinesFound():
                self.panes.corpus.text.show_baselines(message)
                self._chart_pulse.soon()
            case Notice():
                if message.text not in self.session.status.troubles:  # else the banner says it, and for longer
                    self.say(message.level, message.text)
            case Refused() if self._again:
                self.say("error", f"{message.text} enter tries again, q leaves.", None)
            case Refused():
                self.exit(Leaving(message.status, message.text))
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

    def _draw_stream(self) -> None:
        if self.panes.stream.draw():
            self._stream_pulse.soon()

    def _draw_status(self) -> None:
        self.panes.status.show(self.session)

    def _draw_chart(self) -> None:
        self.panes.loss.show_losses(self.session.points, self._log_scale, self.session.baselines)
        self.panes.loss_line.show(self.session.points)

    def _draw_knobs(self) -> None:
        session = self.session
        self.panes.stream.show_knobs(session.knobs, session.pace, session.learning_rate, session.current_rate)

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

    # ---- layout ----------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        # While the app hears of a new size its own one is still the old.
        self.panes.put(event.size)

    def action_toggle_pane(self, name: PaneName) -> None:
        self.panes.toggle(name)
        if not any(self.panes.shown.values()):
            self.say("info", "Every pane is hidden: 1 corpus, 2 loss, 3 stream, 0 all as before.")

    def action_zoom(self) -> None:
        self.panes.zoom(self.focused)

    def action_reset_layout(self) -> None:
        self.panes.reset()

    # ---- help and leaving ------------------------------------------------------------------------------------

    def action_help(self) -> None:
        from tui.screens.help import HelpScreen

        self.push_screen(HelpScreen())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        for key in keys.TABLE:
            if key.command:
                title = f"{key.command}  ({key.shown.split()[0]})"
                yield SystemCommand(title, key.description, partial(self.run_action, key.action))

    def action_detach(self) -> None:
        self.detach(0)

    def detach(self, status: int) -> None:
        """Leaves the run as it is, and says how that is."""
        waits = {
            "paused": "The run stays paused",
            "finished": "The stream goes on for a while",
            "disconnected": "The engine has gone",
        }
        goes_on = "The engine has ended" if self.session.ended else waits.get(self.session.state, "Training goes on")
        self.exit(Leaving(status, with_way_back(self.session, goes_on)))

    def action_stop(self) -> None:
        self.stop(0)

    async def action_quit(self) -> None:
        self.stop(0)

    def action_interrupt(self) -> None:
        self.stop(130)

    def stop(self, status: int, patience: float = SAVING_TAKES) -> None:
        """Has the engine write a checkpoint and end, and leaves when it has; a second call leaves at once."""
        if self.session.ended is not None or not self.session.connected:
            ended = self.session.ended
            text = with_way_back(self.session, ended.text if ended else "The engine has gone")
            self.exit(Leaving(status or (ended.status if ended else 1), text))
        elif self._leaving is not None:
            self._leave_it_to_the_engine()
        else:
            self._leaving = Leaving(status, with_way_back(self.session, ""))
            self.session.stop()
            self.say("info", "Saving… The screen closes when the checkpoint is written; q again leaves at once.", None)
            asyncio.get_running_loop().call_later(patience, self._leave_it_to_the_engine)

    def _leave_it_to_the_engine(self) -> None:
        status = self._leaving.status if self._leaving else 0
        self.exit(Leaving(status, with_way_back(self.session, "The engine finishes saving on its own")))
