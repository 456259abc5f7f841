"""Time travel as a file: on which kind of it is chosen, and writing it. Imported when a file is asked for."""

from __future__ import annotations

import asyncio
import re
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from charrnn.commands.travelogue import Travelogue, file_of
from charrnn.insight.eras import Era
from tui import palette
from tui.charts.exporting import keep_new
from tui.journey import Journey
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows

KINDS = (
    (".txt", "text", "the states' texts, one below the other"),
    (".html", "page", "one file with a slider, for any browser"),
    (".cast", "recording", "of a terminal, for asciinema"),
)


class TravelKindRows(PickRows):
    def __init__(self) -> None:
        super().__init__(id="travel-kinds")
        self.put([[(f"{name:<10} ", palette.PLAIN), (words, palette.QUIET)] for _, name, words in KINDS])

    def picked(self, number: int) -> None:
        self.screen.dismiss(KINDS[number][0])


class TravelExportScreen(Covering[str | None]):
    """Answers with the file's ending, or None."""

    AUTO_FOCUS = "#travel-kinds"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,e", "close", "Close", show=False)]

    def compose(self) -> ComposeResult:
        pane = Pane("Write what the states wrote", TravelKindRows(), id="travel-export")
        pane.lower.show([Part("esc leaves", rank=2)], [Part("enter writes the file", palette.QUIET, 1)])
        yield pane

    def action_close(self) -> None:
        self.dismiss(None)


async def write(journey: Journey, run: str, ending: str) -> tuple[str, str]:
    """Writes the texts that are there to a new file; a notice's level and words."""
    eras = [
        Era(state.step, state.chars, state.train_loss, state.val_loss, era.prime, era.text)
        for state, era in journey.written()
    ]
    if not eras:
        return "info", "There is no text to export yet."
    asked = journey.asked
    travelogue = Travelogue(run, asked.seed, asked.knobs, eras)
    data = await asyncio.to_thread(file_of, travelogue, ending)
    stem = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run)[:60].strip('.-') or 'run'}-travel"
    what = "The recording" if ending == ".cast" else "The page" if ending == ".html" else "The text"
    if len(eras) < len(journey.states):
        what += f" of those {len(eras)} states that have written"
    return await asyncio.to_thread(keep_new, stem, ending, data, what)
