"""The screen on which other runs are chosen, to be laid over the chart."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rich.style import Style
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from charrnn.commands.listing import age_in_words
from charrnn.runs.directory import RunSummary
from tui import palette
from tui.charts.others import candidates
from tui.charts.scene import LETTERS
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows
from tui.terminal import fit, pad, safe_line

Row = list[tuple[str, Style]]


class RunRows(PickRows):
    """The runs there are; `chosen` are those to lay over, in the order in which they were chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "pick", show=False)]

    def __init__(self, chosen: Sequence[Path]) -> None:
        super().__init__(id="runs-over")
        self.words = "looking for runs…"
        self.chosen = list(chosen)
        self._runs: list[RunSummary] = []

    def show(self, runs: list[RunSummary]) -> None:
        self._runs = runs
        there = {Path(run.path) for run in runs}
        self.chosen = [path for path in self.chosen if path in there]
        self._put_rows()

    def on_resize(self) -> None:
        self._put_rows()

    def _put_rows(self) -> None:
        if self._runs:
            self.put([self._row(run) for run in self._runs])

    def _row(self, run: RunSummary) -> Row:
        path = Path(run.path)
        on = path in self.chosen
        box = f"[{LETTERS[self.chosen.index(path)]}] " if on else "[ ] "
        room = self.text_columns - 2 - len(box)
        best = "–" if run.best is None else f"{run.best:.3f}"
        figures = f"  {best:>6}  {age_in_words(run.age):>6}"
        name_room = max(8, min(26, room - len(figures)))
        row: Row = [
            (box, palette.ACCENT_STRONG if on else palette.QUIET),
            (pad(safe_line(run.name), name_room), palette.PLAIN),
        ]
        rest = room - name_room - len(figures)
        if rest >= 12:
            live = "live, " if run.state == "live" else ""
            row.append(
                (
                    "  " + pad(fit(f"{live}{safe_line(run.corpus)}, step {run.step:,}", rest - 2), rest - 2),
                    palette.QUIET,
                )
            )
        return [*row, (figures, palette.QUIET)]

    def picked(self, number: int) -> None:
        path = Path(self._runs[number].path)
        if path in self.chosen:
            self.chosen.remove(path)
        elif len(self.chosen) < len(LETTERS):
            self.chosen.append(path)
        else:
            self.app.bell()
        self._put_rows()


class LayOverScreen(Covering[list[Path]]):
    """Answers with the chosen runs' folders. `own` is the folder of the run that is shown already."""

    AUTO_FOCUS = "#runs-over"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,a", "close", "Close", show=False)]

    def __init__(self, own: Path, chosen: Sequence[Path]) -> None:
        super().__init__()
        self._own = own
        self._rows = RunRows(chosen)

    def compose(self) -> ComposeResult:
        pane = Pane("Lay other runs over the chart", self._rows, id="lay-over")
        pane.upper.show([Part(pane.title, palette.STRONG, 1)], [Part("best loss (nats), age", palette.QUIET, 2)])
        pane.lower.show(
            [Part("esc: show them", rank=1)],
            [Part("space chooses", palette.QUIET, 2), Part(f"{len(LETTERS)} at most", palette.QUIET, 3)],
        )
        yield pane

    def on_mount(self) -> None:
        self._look()

    @work(exit_on_error=True)
    async def _look(self) -> None:
        runs = await asyncio.to_thread(candidates, self._own)
        if runs:
            self._rows.show(runs)
        else:
            self._rows.put([], f"no other runs in {safe_line(str(self._own.parent))}")

    def action_close(self) -> None:
        self.dismiss(self._rows.chosen)
