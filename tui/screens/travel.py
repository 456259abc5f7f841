"""Time travel: a slider over the states that the run has kept, and what each writes after the same prime."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.timer import Timer

from charrnn.config import UsageError
from charrnn.engine.questions.travel import EraWritten, StatesKept
from tui import keys, palette
from tui.charts.view import View
from tui.journey import Asked, Journey
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.travel_input import TravelInput
from tui.screens.travel_look import EXPLAINED_FROM, foot_rows, slider_rows, words_of
from tui.screens.travel_slider import Lines, Slider
from tui.screens.travel_text import EraText
from tui.terminal import safe_line

if TYPE_CHECKING:
    from tui.app import Workbench

SOON = 0.3
"""Seconds after which a change is asked for: who turns a knob, or moves the slider, does it again."""
LOOK_EVERY, LOOK_EVERY_WHEN_SLOW = 2.0, 6.0
"""Seconds between two drawings of the losses that a run goes on making."""
FILM_WHEN_SLOW = 1.0
"""States a second of the film at most, over a line that carries little."""
TOLD_FOR = 12.0


class TravelScreen(Covering[None]):
    """What its keys do is called by name: see tui/travelling.py."""

    AUTO_FOCUS = "#travel-text"
    DEFAULT_CSS = """
    #travel-slider { width: 1fr; height: 4; }
    #travel-foot { width: 1fr; height: 0; }
    """
    app: Workbench
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, run: str, asked: Asked, view: View, alphabet: frozenset[str] | None) -> None:
        super().__init__()
        self.journey = Journey(asked)
        self._run, self._view = run, view
        self._slider, self._text, self._foot, self._input = Slider(), EraText(), Lines(id="travel-foot"), TravelInput()
        self._input.alphabet = alphabet
        self._pane = Pane("Time travel", Vertical(self._slider, self._text, self._input, self._foot), id="travel")
        self._explained: bool | None = None
        self._told: tuple[str, str] | None = None
        self._telling: Timer | None = None
        self._asking: Timer | None = None
        self._film: Timer | None = None
        self._connected = True

    def compose(self) -> ComposeResult:
        yield self._pane

    def on_mount(self) -> None:
        self._input.cursor_blink = self.app.settings.animation
        self._input.styles.border_left = self._input.styles.border_right = ("none", "ansi_default")
        self._mean_nothing_else()
        self.app.hearers.add(StatesKept, self._hear_states)
        self.app.hearers.add(EraWritten, self._hear_era)
        self._ask()
        self.set_interval(LOOK_EVERY_WHEN_SLOW if self.app.settings.slow else LOOK_EVERY, self._look)
        self.draw()

    def on_unmount(self) -> None:
        self.app.hearers.remove(StatesKept, self._hear_states)
        self.app.hearers.remove(EraWritten, self._hear_era)
        if self.app.session.connected:
            self.app.session.send(self.journey.over())

    def _mean_nothing_else(self) -> None:
        """The keys of the panes below would change what nobody sees here."""
        own = {name for key in self.app.table if key.pane == "travel" for name in key.keys}
        for key in self.app.table:
            if not key.pane and key.group in ("Training", "Stream", "Chart", "What it thinks", "Panes"):
                for name in {*key.keys} - own:
                    self._bindings.bind(name, "nothing", show=False)

    def action_nothing(self) -> None:
        """A key of the panes below."""

    # ---- the engine ------------------------------------------------------------------------------------------

    def _ask(self) -> None:
        self._asking = None
        self._connected = self.app.session.connected
        if self._connected:
            self.app.session.send(self.journey.question())
        self.draw()

    def _ask_soon(self) -> None:
        if self._asking is not None:
            self._asking.stop()
        self._asking = self.set_timer(SOON, self._ask)

    def _hear_states(self, kept: StatesKept) -> None:
        if self.journey.hear_states(kept):
            self.draw()

    def _hear_era(self, era: EraWritten) -> None:
        if self.journey.hear_era(era):
            self.draw()

    def _look(self) -> None:
        """Another engine may have taken up the run, and a live one has other losses."""
        if self.app.session.connected != self._connected:
            self._connected = self.app.session.connected
            if self._connected:
                self._ask()
        self.draw()

    # ---- drawing ---------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.call_after_refresh(self.draw)

    def draw(self) -> None:
        """All that changed since the last time."""
        journey, size = self.journey, self.app.size
        columns = max(1, size.width - 4)
        rows, columns_of = slider_rows(journey, self.app.session.points, self._view, columns, size.height)
        self._slider.styles.height = len(rows)
        self._slider.show(rows, columns_of)
        prime, text, style = words_of(journey, connected=self.app.session.connected)
        self._text.show(prime, text, style)
        explained = size.height >= EXPLAINED_FROM if self._explained is None else self._explained
        foot = foot_rows(self._told, explained, columns)
        self._foot.styles.height = len(foot)
        self._foot.put(foot)
        self._draw_frame()

    def _draw_frame(self) -> None:
        journey = self.journey
        there = f"{journey.at + 1} of {len(journey.states)}" if journey.states else ""
        film = f"▶ film, {journey.speed:g} a second" if journey.playing else ""
        self._pane.upper.show(
            [Part(self._pane.title, palette.STRONG, 1), Part(film, palette.ACCENT_STRONG, 2, "▶" if film else "")],
            [Part(safe_line(self._run), palette.ACCENT, 4), Part(there, palette.PLAIN, 3)],
        )
        shown = [entry for entry in keys.footer("travel", self.app.table) if entry.key.pane == "travel"]
        if self._input.is_open:
            self._pane.lower.show([Part("enter takes it", rank=1), Part("esc leaves it", palette.QUIET, 2)], [])
            return
        parts = [
            Part(f"{entry.shown} {entry.label}", palette.PLAIN if entry.rank < -96 else palette.QUIET, entry.rank + 200)
            for entry in sorted(shown, key=lambda entry: entry.rank)
        ]
        self._pane.lower.show(parts, [])

    def _tell(self, level: str, words: str) -> None:
        self._told = (level, words)
        if self._telling is not None:
            self._telling.stop()
        self._telling = self.set_timer(TOLD_FOR, self._tell_no_more)
        self.draw()

    def _tell_no_more(self) -> None:
        self._told = None
        self.draw()

    # ---- what the keys do ------------------------------------------------------------------------------------

    def do(self, name: str) -> None:
        """What a key of this screen does, by its name in the table of keys."""
        journey = self.journey
        ways: dict[str, Callable[[], object]] = {
            "earlier": lambda: self._move(journey.at - 1),
            "later": lambda: self._move(journey.at + 1),
            "first": lambda: self._move(0),
            "last": lambda: self._move(len(journey.states)),
            "film": self._play,
            "slower": lambda: self._faster(-1),
            "faster": lambda: self._faster(1),
            "prime": lambda: self._edit("prime", journey.asked.prime),
            "seed": lambda: self._edit("seed", str(journey.asked.seed)),
            "length": lambda: self._edit("length", str(journey.asked.length)),
            "reseed": lambda: self._otherwise(journey.asked.with_typed("seed", str((journey.asked.seed + 1) % 2**63))),
            "colder": lambda: self._otherwise(journey.asked.warmer(-1)),
            "warmer": lambda: self._otherwise(journey.asked.warmer(1)),
            "export": self._export,
            "help": self._explain,
            "close": self._close,
        }
        ways[name]()

    def _move(self, at: int) -> None:
        self._stop()
        if self.journey.move(at):
            if self.journey.state is not None and not self.journey.is_written(self.journey.state.step):
                self._ask_soon()
            self.draw()

    def on_slider_moved(self, message: Slider.Moved) -> None:
        message.stop()
        self._move(message.at)

    def _play(self) -> None:
        if self.journey.playing:
            self._stop()
        elif len(self.journey.states) < 2:
            self._tell("info", "A film needs two states at least; the run keeps more as it trains.")
        else:
            self.journey.playing = True
            if self.journey.at == len(self.journey.states) - 1:
                self.journey.move(0)
            state = self.journey.state
            if state is not None and not self.journey.is_written(state.step):
                self._ask_soon()  # so that the texts come in the order of the film
            self._run_film()
        self.draw()

    def _run_film(self) -> None:
        if self._film is not None:
            self._film.stop()
        speed = min(self.journey.speed, FILM_WHEN_SLOW) if self.app.settings.slow else self.journey.speed
        self._film = self.set_interval(1 / speed, self._beat)

    def _beat(self) -> None:
        if self.journey.beat():
            self.draw()

    def _stop(self) -> None:
        self.journey.playing = False
        if self._film is not None:
            self._film.stop()
            self._film = None

    def _faster(self, steps: int) -> None:
        self.journey.faster(steps)
        if self.journey.playing:
            self._run_film()
            self.draw()
        else:
            self._tell("info", f"The film shows {self.journey.speed:g} states a second; space plays it.")

    def _otherwise(self, asked: Asked) -> None:
        if self.journey.ask_otherwise(asked):
            self._ask_soon()
            self.draw()

    def _edit(self, what: str, value: str) -> None:
        self._stop()
        self._input.ask(what, value)
        self.draw()

    def on_travel_input_applied(self, message: TravelInput.Applied) -> None:
        message.stop()
        asked = self.journey.asked
        try:
            if self._input.what == "prime":
                asked = asked.with_prime(message.prime)
            else:
                asked = asked.with_typed(self._input.what, message.prime)
        except UsageError as error:
            self._tell("warning", str(error))
            return
        self._leave_editing()
        self._otherwise(asked)

    def on_travel_input_left(self, message: TravelInput.Left) -> None:
        message.stop()
        self._leave_editing()

    def on_travel_input_unknown(self, message: TravelInput.Unknown) -> None:
        message.stop()
        if self._input.what == "prime" and message.characters:
            self._tell("warning", f"The model does not know {message.characters}; it is left out.")

    def _leave_editing(self) -> None:
        self._input.close()
        self._text.focus()
        self.draw()

    def _explain(self) -> None:
        explained = self.app.size.height >= EXPLAINED_FROM if self._explained is None else self._explained
        self._explained = not explained
        self.draw()

    def _close(self) -> None:
        self._stop()
        self.dismiss()

    # ---- files -----------------------------------------------------------------------------------------------

    def _export(self) -> None:
        if not any(True for _ in self.journey.written()):
            self._tell("info", "There is no text to export yet.")
            return
        from tui.screens.travel_export import TravelExportScreen

        self.app.push_screen(TravelExportScreen(), self._write)

    def _write(self, ending: str | None) -> None:
        if ending is not None:
            self._write_file(ending)

    @work(group="export", exit_on_error=True)
    async def _write_file(self, ending: str) -> None:
        from tui.screens.travel_export import write

        self._tell(*await write(self.journey, self._run, ending))
