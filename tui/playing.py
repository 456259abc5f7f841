"""The keys that play with the run: its knobs, its learning rate, its stream. A part of the workbench."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.panes.prime import PrimeInput
from tui.panes.workspace import Workspace
from tui.pulse import Pulse
from tui.session import Session
from tui.settings import Settings


class Playing:
    """What the keys do to the session; the workbench has the session, the panes, and says things."""

    session: Session
    settings: Settings
    panes: Workspace
    _stream_pulse: Pulse

    if TYPE_CHECKING:  # the workbench has these

        def _draw_knobs(self) -> None: ...

        def _draw_status(self) -> None: ...

        def leave_choices(self) -> None: ...

        def say(self, level: str, text: str, seconds: float | None = 0.0) -> None: ...

    # ---- knobs -----------------------------------------------------------------------------------------------

    def _turned(self) -> None:
        self.panes.stream.text.transcript.want(self.session.knobs)
        self._draw_knobs()
        self._stream_pulse.now()

    def action_temperature(self, steps: int) -> None:
        self.session.step_temperature(steps)
        self._turned()

    def action_top_k(self) -> None:
        self.session.next_top_k()
        self._turned()

    def action_nucleus(self) -> None:
        self.session.next_nucleus()
        self._turned()

    def action_pace(self, direction: int) -> None:
        self.session.step_pace(direction)
        self._draw_knobs()

    def action_learning_rate(self, direction: int) -> None:
        self.session.step_learning_rate(direction)
        self._draw_knobs()
        if not self.session.learning_rate:
            self.say("info", "The learning rate can be set once training has begun.")

    def action_cool_down(self) -> None:
        self.session.toggle_cooldown()

    def action_pause(self) -> None:
        self.session.toggle_pause()
        self._draw_status()

    def action_checkpoint(self) -> None:
        self.session.write_checkpoint()
        self.say("info", "Asked for a checkpoint.")

    # ---- the stream ------------------------------------------------------------------------------------------

    def action_follow(self) -> None:
        self.panes.stream.text.follow()

    def action_restart(self) -> None:
        self.leave_choices()
        self.say("info", f"The stream starts again with seed {self.session.restart()}.")

    def action_edit_prime(self) -> None:
        self.leave_choices()
        self.panes.show_stream()
        self.panes.stream.edit(self.session.status.prime)

    def on_prime_input_applied(self, message: PrimeInput.Applied) -> None:
        self.panes.stream.leave_editing()
        self.panes.stream.text.follow()
        self.session.restart(message.prime)

    def on_prime_input_left(self) -> None:
        self.panes.stream.leave_editing()

    def on_prime_input_unknown(self, message: PrimeInput.Unknown) -> None:
        self.panes.stream.show_unknown(message.characters)
