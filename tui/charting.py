"""The keys of the chart, and what it is given to draw. A part of the workbench."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.app import App

from charrnn.engine.questions.copying import CopiedPoint
from charrnn.text.baselines import named
from tui.charts.scene import LETTERS, Other, Scene
from tui.charts.view import AXIS_WORDS, SMOOTHING_WORDS, UNIT_WORDS, View
from tui.charts.window import Extent, Window, beside, extent_of, moved_to, nearest
from tui.leaving import Leaving
from tui.panes.loss import LossChart
from tui.panes.workspace import Workspace
from tui.pulse import Pulse
from tui.session import Session
from tui.terminal import safe_line

if TYPE_CHECKING:
    from tui.charts.others import Record

REFERENCES = ("bigram", "5-gram", "xz")
CLOSER = 0.6
"""How much of what is in sight stays so when one looks closer by a key."""
LOOK_AGAIN = 10.0
"""Seconds between two looks at the records of runs that are laid over the chart."""
STEER_EVERY = 0.06


class Charting(App[Leaving]):
    """What the keys do to the chart; the workbench has the session and the panes."""

    session: Session
    panes: Workspace
    chart_view = View()
    chart_window = Window()
    _others: dict[Path, Record | None] = {}  # noqa: RUF012 - replaced, never changed
    _laid: tuple[Other, ...] = ()
    copied_curve: tuple[CopiedPoint, ...] = ()
    copied_shown = True
    _chart_pulse: Pulse
    _steering: Pulse | None = None

    def say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def begin_chart(self) -> None:
        """A run's chart begins as a whole, and with no other run over it."""
        self.chart_window, self._others, self._laid = Window(), {}, ()
        self.copied_curve = ()
        self.workers.cancel_group(self, "others")

    # ---- drawing ---------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """All that the chart shows, as it is now."""
        session = self.session
        figures = session.baselines.figures if session.baselines else None
        references = tuple(entry for entry in named(figures) if entry[0] in REFERENCES) if figures else ()
        copied = self.copied_curve if self.copied_shown else ()
        marks = tuple(session.marks)
        return Scene(tuple(session.points), self.chart_view, self.chart_window, references, marks, self._laid, copied)

    def _draw_chart(self) -> None:
        self.panes.loss.show(self.scene)
        self.panes.loss_line.show(self.session.points, self.chart_view)

    def _steer(self, change: Callable[[Window, Extent], Window]) -> None:
        """Changes what is in sight, and draws it at a bounded rate: a wheel turns faster than a line carries charts."""
        extent = self.scene.extent
        if extent is None or self.panes.loss.chart.drawn is None:
            self.say("info", "There is no chart in sight yet; 2 shows the loss, z gives it the whole screen.")
            return
        self.chart_window = change(self.chart_window, extent)
        self._steering = self._steering or Pulse(STEER_EVERY, self._draw_chart)
        self._steering.soon()

    def on_loss_chart_steered(self, message: LossChart.Steered) -> None:
        self._steer(message.change)

    def _view_is(self, view: View, words: str) -> None:
        self.chart_view = view
        self._chart_pulse.now()
        self.panes.status.show(self.session, view)
        if not self.panes.loss.display:  # else the pane's own lines say it
            self.say("info", f"The losses are shown {words}.")

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_log_scale(self) -> None:
        view = replace(self.chart_view, log=not self.chart_view.log)
        self._view_is(view, "on a logarithmic scale" if view.log else "on a linear scale")

    def action_smoothing(self) -> None:
        view = self.chart_view.next_smoothing()
        self._view_is(view, SMOOTHING_WORDS[view.smoothing])

    def action_units(self) -> None:
        view = self.chart_view.next_unit()
        self._view_is(view, f"in {UNIT_WORDS[view.unit]}")

    def action_chart_axis(self) -> None:
        before, after, points = self.chart_view, self.chart_view.next_axis(), self.session.points
        places = (self.chart_window.low, self.chart_window.high, self.chart_window.cursor)
        self.chart_window = Window(*(moved_to(points, before, after, at) for at in places))
        self._view_is(after, f"over {AXIS_WORDS[after.axis]}")

    def action_chart_cursor(self, direction: int) -> None:
        points, view = self.session.points, self.chart_view
        if not points:
            self.say("info", "There are no losses to read off yet.")
            return

        def moved(window: Window, extent: Extent) -> Window:
            low, high = window.limits(extent)
            if window.cursor is None:
                return window.with_cursor(extent, view.place(points[nearest(points, view, high)]))
            drawn = self.panes.loss.chart.drawn
            cell = (high - low) / max(1, (drawn.columns if drawn else 2) - 1)
            return window.with_cursor(extent, beside(points, view, window.cursor, direction * cell))

        self._steer(moved)

    def action_chart_cursor_off(self) -> None:
        self._steer(lambda window, extent: replace(window, cursor=None))

    def action_chart_zoom(self, direction: int) -> None:
        self._steer(lambda window, extent: window.zoomed(extent, CLOSER**-direction))

    def action_chart_pan(self, direction: int) -> None:
        self._steer(lambda window, extent: window.panned(extent, direction / 2))

    def action_chart_whole(self) -> None:
        own = extent_of(self.chart_view, self.session.points)

        def whole(window: Window, extent: Extent) -> Window:
            alone = own is not None and own != extent and window.whole
            return window.onto(extent, *own) if alone and own else replace(window, low=None, high=None)

        self._steer(whole)

    def action_chart_copied(self) -> None:
        self.copied_shown = not self.copied_shown
        if not self.copied_curve:
            words = "is not known yet: it is measured after evaluations" if self.copied_shown else "is not shown"
            self.say("info", f"The share of copies {words}.")
        self._chart_pulse.now()

    # ---- other runs ------------------------------------------------------------------------------------------

    def action_chart_over(self) -> None:
        if self.session.welcome is None:
            self.say("info", "The run has no folder yet; its neighbours are known in a moment.")
            return
        from tui.screens.laying_over import LayOverScreen

        self.push_screen(LayOverScreen(Path(self.session.welcome.folder), list(self._others)), self._lay_over)

    def _lay_over(self, chosen: list[Path] | None) -> None:
        if chosen is not None:
            self._others = {path: self._others.get(path) for path in chosen}
            self._follow_others()

    @work(exclusive=True, group="others", exit_on_error=True)
    async def _follow_others(self) -> None:
        """Reads the chosen runs' losses, again and again while there are any: they may be live."""
        from tui.charts.others import read_record

        told: set[Path] = set()
        while True:
            for path, known in self._others.items():
                try:
                    self._others[path] = await asyncio.to_thread(read_record, path, known)
                except OSError as error:
                    if path not in told and known is None:
                        told.add(path)
                        self.say("warning", f"The losses of {safe_line(path.name)} cannot be read: {error.strerror}.")
            laid = tuple(
                Other(letter, safe_line(path.name), record.points)
                for letter, (path, record) in zip(LETTERS, self._others.items(), strict=False)
                if record is not None and record.points
            )
            if laid != self._laid:
                self._laid = laid
                self._chart_pulse.now()
            if not self._others:
                return
            await asyncio.sleep(LOOK_AGAIN)

    # ---- files -----------------------------------------------------------------------------------------------

    def action_chart_export(self) -> None:
        if self.scene.extent is None:
            self.say("info", "There are no losses to export yet.")
            return
        from tui.screens.exporting import ExportScreen

        self.push_screen(ExportScreen(), self._export)

    def _export(self, ending: str | None) -> None:
        if ending is not None:
            self._write_chart(self.scene, ending)

    @work(group="export", exit_on_error=True)
    async def _write_chart(self, scene: Scene, ending: str) -> None:
        from tui.charts.exporting import write

        self.say("info", f"Writing the chart as {ending[1:].upper()}…", 60.0)
        with contextlib.suppress(asyncio.CancelledError):
            name = self.session.welcome.run if self.session.welcome else "run"
            self.say(*await write(scene, name, ending))
