"""The screen on which the kind of file is chosen that the chart is written to."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import palette
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows

KINDS = (
    (".svg", "SVG", "a picture of any size, for pages and slides"),
    (".png", "PNG", "a picture in pixels"),
    (".pdf", "PDF", "a figure for papers"),
    (".csv", "CSV", "the numbers themselves, a line a point"),
)


class KindRows(PickRows):
    def __init__(self) -> None:
        super().__init__(id="export-kinds")
        self.put([[(f"{name}  ", palette.PLAIN), (words, palette.QUIET)] for _, name, words in KINDS])

    def picked(self, number: int) -> None:
        self.screen.dismiss(KINDS[number][0])


class ExportScreen(Covering[str | None]):
    """Answers with the file's ending, or None."""

    AUTO_FOCUS = "#export-kinds"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,e", "close", "Close", show=False)]

    def compose(self) -> ComposeResult:
        pane = Pane("Write the chart as it is shown", KindRows(), id="export")
        pane.lower.show([Part("esc leaves", rank=2)], [Part("enter writes the file", palette.QUIET, 1)])
        yield pane

    def action_close(self) -> None:
        self.dismiss(None)
