"""The screen that opens a run or begins one: the runs there are beside the form of a new one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual import events, work
from textual.app import ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget

from charrnn.config import UsageError
from charrnn.engine.messages import RunRequest
from charrnn.runs.glance import Place
from tui import palette
from tui.panes.frame import Pane, Part
from tui.screens.opening_details import RunDetails
from tui.screens.opening_foot import Foot, Head
from tui.screens.opening_form import Draft, NewRunForm
from tui.screens.opening_look import Preview
from tui.screens.opening_new import BeginningScreen
from tui.screens.opening_runs import RunList
from tui.screens.opening_work import Estimator, Looked, aside, read_all, read_holdings, read_places, states_of
from tui.terminal import fit, safe_line

Reach = Callable[[RunRequest], Coroutine[Any, Any, str]]
"""Opens what was chosen and puts it on the screen; "" when it has, else a sentence that says why it could not."""

WIDE = 100
"""Columns from which on the runs and the new run stand side by side."""
_DETAILS_AFTER = 0.05
"""Seconds without a key after which a highlighted run's folder is counted."""


class OpeningScreen(BeginningScreen):
    """Over the workbench. `current` is the folder of the run on it, "" for none: esc then leaves altogether."""

    AUTO_FOCUS = ""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("tab", "next(1)", show=False),
        Binding("shift+tab", "next(-1)", show=False),
    ]
    DEFAULT_CSS = """
    OpeningScreen { layout: vertical; background: ansi_default; color: ansi_default; overflow: hidden hidden; }
    OpeningScreen #sides { height: 1fr; width: 1fr; }
    OpeningScreen .side { height: 1fr; width: 1fr; }
    """

    class LeftForGood(Message):
        """There is no run to go back to."""

    def __init__(self, folder: Path, reach: Reach, *, current: str = "", draft: Draft | None = None) -> None:
        super().__init__(name="opening")
        self.folder, self.current = folder, current
        self.reach = reach
        self.head = Head()
        self.foot = Foot()
        self.runs = RunList(folder)
        self.details = RunDetails()
        self.form = NewRunForm(draft or Draft())
        self.preview = Preview()
        self._problem = draft.problem if draft else ""
        self._begins_at_text = bool(draft and draft.of_text)
        self._runs_pane = Pane("Runs", self.runs, id="runs-pane")
        self._details_pane = Pane("", self.details, id="details-pane")
        self._form_pane = Pane("New run", self.form, id="form-pane")
        self._preview_pane = Pane("Preview", self.preview, id="preview-pane")
        self._left = Vertical(self._runs_pane, self._details_pane, classes="side")
        self._right = Vertical(self._form_pane, self._preview_pane, classes="side")
        self._wide = True
        self._busy = False
        self._looked = Looked()
        self._estimator = Estimator(self._estimated)

    def compose(self) -> ComposeResult:
        yield self.head
        yield Horizontal(self._left, self._right, id="sides")
        yield self.foot

    @property
    def draft(self) -> Draft:
        """What stands in the form."""
        return self.form.draft

    def on_mount(self) -> None:
        self.put(*self.app.size)
        self.action_to(self.form.path if self._begins_at_text else self.runs)
        if self._problem:
            self.foot.show_notice("error", self._problem)
        self._load()

    # ---- where things stand ----------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.put(*event.size)

    def put(self, columns: int, rows: int) -> None:
        """Arranges everything for a screen of that size."""
        self.head.display = rows >= 20
        body = rows - 1 - self.head.display
        self._wide = columns >= WIDE
        details = 0 if body < 18 else max(8, round(body * 0.4))
        self._details_pane.display = bool(details)
        self._details_pane.styles.height = details or 1
        preview = body >= 20
        self._preview_pane.display = preview
        form = (19 if body >= 30 else 16) if preview else body
        self._form_pane.styles.height = form
        self.form.put(form - 2)
        self._show_side()

    def _show_side(self) -> None:
        on_right = self._on_right()
        self._left.display = self._wide or not on_right
        self._right.display = self._wide or on_right
        self._tell_titles()

    def _on_right(self) -> bool:
        focused = self.focused
        return focused is not None and (focused in self.form.fields() or focused is self.preview)

    def _tell_titles(self) -> None:
        shown, every, live = self.runs.counts
        count = f"{shown:,} of {every:,}" if self.runs.filter else f"{every:,}" if every else ""
        other = [] if self._wide else [Part("New run  tab", palette.QUIET, 3)]
        filtered = [Part(f"/ {fit(safe_line(self.runs.filter), 24)}", palette.ACCENT, 1)] if self.runs.filter else []
        self._runs_pane.upper.show(
            [Part("Runs", palette.STRONG), Part(count, palette.QUIET, 2), *filtered],
            [*other, Part(f"{live} live" if live else "", palette.GOOD, 2)],
        )
        place = self.runs.highlighted
        name = fit(safe_line(place.name), 40) if place is not None else ""
        self._details_pane.upper.show([Part(name, palette.STRONG)])
        other = [] if self._wide else [Part("Runs  esc", palette.QUIET, 3)]
        self._form_pane.upper.show([Part("New run", palette.STRONG)], other)
        look = self._looked.look
        self._preview_pane.upper.show([Part(fit(safe_line(look.name), 40) if look else "Preview", palette.STRONG)])

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self._show_side()
        on_right = self._on_right()
        self.foot.show("new run" if on_right else "runs", leaves=not self.current)
        if on_right:
            self._estimator.may_measure = True
            if self._looked.target is None:
                self._look(None)
            else:
                self._estimate()

    # ---- the runs --------------------------------------------------------------------------------------------

    @work(exclusive=True, group="runs")
    async def _load(self) -> None:
        """Names at once, what is in them as it is read; live ones say how they stand."""
        found = await aside(read_places, self.folder)
        self.runs.show(found, self.current)
        if not found:
            self.action_to(self.form.path)
        async for seen in read_all(found):
            self.runs.learn(seen)
        self._estimator.learn(self.runs.places, self.runs.seen)
        live = [place.path for place in found if place.live]
        if live:
            self.runs.learn_states(await states_of(live))
            self._show_details(self.runs.highlighted)
        if self._looked.look is not None:
            self._estimate()

    def on_run_list_highlighted(self, event: RunList.Highlighted) -> None:
        event.stop()
        self._tell_titles()
        self._show_details(event.place)

    def on_run_list_filtered(self, event: RunList.Filtered) -> None:
        event.stop()
        self._tell_titles()

    @work(exclusive=True, group="details")
    async def _show_details(self, place: Place | None) -> None:
        seen = self.runs.seen.get(place.path) if place else None
        state = self.runs.state_of(place) if place else ""
        self.details.show(place, seen, None, state)
        if place is None or not self._details_pane.display:
            return
        await asyncio.sleep(_DETAILS_AFTER)
        held = await aside(read_holdings, place.path)
        self.details.show(place, seen, held, state)

    def on_run_list_chosen(self, event: RunList.Chosen) -> None:
        event.stop()
        if str(event.place.path) == self.current:
            self.dismiss()
        else:
            self._open(RunRequest(target=str(event.place.path), train=False))

    # ---- leaving ---------------------------------------------------------------------------------------------

    def _open(self, request: RunRequest) -> None:
        if not self._busy:
            self._reach(request)

    @work(group="reach")
    async def _reach(self, request: RunRequest) -> None:
        self._busy = True
        self.foot.show_notice("info", "Opening…")
        try:
            problem = await self.reach(request)
        except UsageError as error:
            problem = str(error)
        finally:
            self._busy = False
        if problem:
            self.foot.show_notice("error", problem)

    def action_back(self) -> None:
        """From a filter to all runs, from the form to the list, from there to the run on the workbench, or out."""
        self.foot.clear_notice()
        if self.form.has_class("-listing") and self.focused is self.form.path and self._looked.look is not None:
            self.form.list_candidates([])
        elif self._on_right() and self.runs.places:
            self.action_to(self.runs)
        elif self.runs.filter:
            self.runs.set_filter("")
        else:
            self.leave()

    def leave(self) -> None:
        """Back to the run on the workbench; without one, out."""
        if self.current:
            self.dismiss()
        else:
            self.post_message(self.LeftForGood())

    def action_next(self, step: int) -> None:
        """The next field; in the path's, what can be completed is."""
        if step > 0 and self.focused is self.form.path and self.form.path.complete():
            return
        stops: list[Widget] = [self.runs, *self.form.fields()]
        if self._preview_pane.display and self.preview.row_count() > 1:
            stops.append(self.preview)
        at = stops.index(self.focused) if self.focused in stops else 0
        following = stops[(at + step) % len(stops)]
        if following is self.form.path or (self.focused is self.form.path and following is not self.runs):
            self.form.list_candidates([])
        self.action_to(following)

    def on_key(self, event: events.Key) -> None:
        self.foot.clear_notice()

    def commands(self) -> Iterable[SystemCommand]:
        """What the command palette offers here."""
        place = self.runs.highlighted
        if place is not None:
            yield SystemCommand("Open the run", safe_line(place.name), self.runs.action_choose)
        yield SystemCommand("New run", "to its form", lambda: self.action_to(self.form.path))
        yield SystemCommand("Runs", "to their list", lambda: self.action_to(self.runs))
        yield SystemCommand("Begin training", "the new run, as the form says", self._begin)
        yield SystemCommand("Leave", "back to the run on the screen; without one: leave", self.leave)

    def action_to(self, place: Widget) -> None:
        """Gives the focus to something, on whichever side it is: what is not displayed could not take it."""
        self._left.display = self._wide or place is self.runs
        self._right.display = self._wide or place is not self.runs
        place.focus()
