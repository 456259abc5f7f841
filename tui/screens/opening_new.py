"""What the opening screen does about a new run: looks at its text, says what it means, checks it, begins it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.screen import ModalScreen
from textual.widget import Widget

from charrnn.engine.messages import RunRequest
from tui.completion import Candidate
from tui.screens.covering import LeftOnce
from tui.screens.opening_form import NewRunForm
from tui.screens.opening_look import Preview
from tui.screens.opening_runs import RunList
from tui.screens.opening_work import Estimator, Looked, aside, look_for
from tui.terminal import safe_line

_LOOK_AFTER = 0.08
"""Seconds without a key after which a path is looked at."""


class BeginningScreen(LeftOnce, ModalScreen[None]):
    """The half of the opening screen that is about a new run; the other half has the widgets and opens runs."""

    folder: Path
    form: NewRunForm
    preview: Preview
    runs: RunList
    _looked: Looked
    _estimator: Estimator

    if TYPE_CHECKING:  # the other half has these

        def _tell_titles(self) -> None: ...

        def _open(self, request: RunRequest) -> None: ...

    # ---- the new run -----------------------------------------------------------------------------------------

    def on_new_run_form_text_changed(self) -> None:
        self._look(None)

    def on_new_run_form_considered(self, event: NewRunForm.Considered) -> None:
        self._look(event.candidate)

    @work(exclusive=True, group="look")
    async def _look(self, considered: Candidate | None) -> None:
        """Looks at the text that is typed, or at a candidate that is `considered`; then says what it would mean."""
        await asyncio.sleep(_LOOK_AFTER)
        typed = self.form.path.text
        wanted = considered.text if considered else typed
        listing = None if considered else typed
        self._looked = await aside(look_for, wanted, listing, self._recent(), self.folder)
        if considered is None:
            focused = self.focused is self.form.path
            self.form.list_candidates(self._looked.found if focused else [])
        quiet = self.form.has_class("-listing") and considered is None
        self.form.show_look(self._looked.look, "" if quiet else self._looked.problem)
        self.preview.show(self._looked.look)
        self._tell_titles()
        self._estimate()

    @work(exclusive=True, group="accept")
    async def on_new_run_form_accepted(self) -> None:
        """On to the presets, if there is such a text."""
        self._looked = await aside(look_for, self.form.path.text, None, (), self.folder)
        self.form.list_candidates([])
        self.form.show_look(self._looked.look, self._looked.problem)
        self.preview.show(self._looked.look)
        self._tell_titles()
        self._estimate()
        if self._looked.look is not None:
            self.form.presets.focus()

    def _recent(self) -> list[tuple[str, str]]:
        return self._estimator.recent

    def on_new_run_form_options_changed(self) -> None:
        self.form.problem.say("")
        self._estimate()

    def _estimate(self) -> None:
        """Says what each preset means for the text, as far as it is known; the rest is measured."""
        try:
            options = self.form.options()
        except ValueError as error:
            self.form.problem.say(safe_line(str(error)), "error")
            return
        self.form.devices.show(self._estimator.devices)
        self._estimator.estimate(self._looked.look, options)
        self._estimated()
        self._measure()

    def _estimated(self) -> None:
        self.form.devices.show(self._estimator.devices)
        self.form.show_estimates(self._estimator.found, measuring=self._estimator.measuring)
        if self._estimator.problem:
            self.form.problem.say(safe_line(self._estimator.problem), "error")
        self.form.tell_plan(self.form.name_field.text or self._looked.run_name)
        self.form.name_field.placeholder = safe_line(self._looked.run_name)

    def _measure(self) -> None:
        if self._estimator.should_measure:
            self._measuring()

    @work(group="measure")
    async def _measuring(self) -> None:
        await self._estimator.measure(busy=any(place.live for place in self.runs.places))

    def on_new_run_form_wanted(self) -> None:
        self._begin()

    @work(exclusive=True, group="begin")
    async def _begin(self) -> None:
        """Checks everything once more, then begins the run; what is wrong is said in its place."""
        form = self.form
        self._looked = await aside(look_for, form.path.text, None, [], self.folder, form.name_field.text)
        if self._looked.look is None:
            self._complain(form.note.say, self._looked.problem, form.path)
            return
        try:
            options = form.options()
        except ValueError as error:
            self._complain(form.problem.say, str(error), form.minutes)
            return
        self._estimator.estimate(self._looked.look, options)
        problem = self._looked.name_problem or self._estimator.problem
        if problem:
            self._complain(form.problem.say, problem, form.name_field if self._looked.name_problem else form.presets)
            return
        name = form.name_field.text or None
        self._open(RunRequest(target=self._looked.look.source, run=name, options=options, train=False))

    def _complain(self, say: Callable[[str, str], None], words: str, place: Widget) -> None:
        say(safe_line(words), "error")
        place.focus()
