"""The list from which lanes of checkpoints and of other runs are chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from charrnn.engine.questions.lanes import MOST_LANES, CheckpointsListed, ListCheckpoints
from tui import palette
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows
from tui.terminal import fit, pad, safe_line

if TYPE_CHECKING:
    from tui.app import Workbench

Choice = tuple[str, str]
"""A run, "" for this one, and a checkpoint, "" for the live weights."""
AT_FIRST = 3
"""Checkpoints beside the live weights that are chosen to begin with."""


def spread(steps: Sequence[int], count: int) -> list[int]:
    """About `count` of these steps, evenly over their order, the first of them among these."""
    if len(steps) <= count:
        return list(steps)
    return [steps[round(number * (len(steps) - 1) / count)] for number in range(count)]


class ChoiceRows(PickRows):
    """What can be a lane; `chosen` are those that are to be, in the order of the list."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "choose", show=False)]

    def __init__(self) -> None:
        super().__init__(id="lane-choices")
        self.words = "looking for checkpoints and runs…"
        self.chosen: set[Choice] = set()
        self.choices: list[tuple[Choice, str, str]] = []

    def show(self, choices: list[tuple[Choice, str, str]], chosen: Sequence[Choice]) -> None:
        self.choices = choices
        self.chosen = {choice for choice, _, _ in choices if choice in chosen}
        self._put_rows()

    def on_resize(self) -> None:
        self._put_rows()

    def _put_rows(self) -> None:
        if self.choices:
            self.put([self._row(*choice) for choice in self.choices])

    def _row(self, choice: Choice, name: str, figure: str) -> list[tuple[str, Style]]:
        on = choice in self.chosen
        room = max(1, self.text_columns - 2 - 4 - 10)
        return [
            ("[x] " if on else "[ ] ", palette.ACCENT_STRONG if on else palette.QUIET),
            (pad(fit(name, room), room), palette.PLAIN),
            (f"{figure:>10}", palette.QUIET),
        ]

    def picked(self, number: int) -> None:
        choice = self.choices[number][0]
        if choice in self.chosen:
            self.chosen.remove(choice)
        elif len(self.chosen) < MOST_LANES:
            self.chosen.add(choice)
        else:
            self.app.bell()
        self._put_rows()

    def action_choose(self) -> None:
        if self.choices:
            self.picked(self.at)

    def action_pick(self) -> None:
        self.screen.dismiss([choice for choice, _, _ in self.choices if choice in self.chosen])


class LaneChoices(Covering[list[Choice]]):
    """Answers with what was chosen: by rising step, then the other runs; esc: None."""

    AUTO_FOCUS = "#lane-choices"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,c", "leave", show=False)]
    app: Workbench

    def __init__(self, chosen: Sequence[Choice] | None) -> None:
        super().__init__()
        self._chosen = chosen
        self._rows = ChoiceRows()

    @property
    def is_modal(self) -> bool:
        """Keys of what is covered mean nothing here."""
        return True

    def compose(self) -> ComposeResult:
        pane = Pane("Checkpoints and runs as lanes", self._rows, id="lane-choosing")
        pane.upper.show([Part(pane.title, palette.STRONG, 1)], [Part("held-out loss (nats)", palette.QUIET, 2)])
        pane.lower.show(
            [Part("space chooses", rank=1), Part("enter shows them", rank=1), Part("esc back", palette.QUIET, 2)],
            [Part(f"{MOST_LANES} at most", palette.QUIET, 3)],
        )
        yield pane

    def on_mount(self) -> None:
        self.app.hearers.add(CheckpointsListed, self._show)
        if not self.app.ask(ListCheckpoints()):
            self._rows.put([], "the engine has gone: esc leads back")

    def on_unmount(self) -> None:
        self.app.hearers.remove(CheckpointsListed, self._show)

    def _show(self, listed: CheckpointsListed) -> None:
        choices: list[tuple[Choice, str, str]] = [
            (("", str(one.step)), f"step {one.step:,}", _figure(one.loss)) for one in listed.own
        ]
        choices.append((("", ""), "live: the newest weights, as they learn", ""))
        choices += [
            (
                (run.name, "best"),
                f"{safe_line(run.name)} · {safe_line(run.corpus)}, best at step {run.step:,}",
                _figure(run.loss),
            )
            for run in listed.runs
        ]
        chosen = self._chosen
        if chosen is None:
            steps = spread([one.step for one in listed.own], AT_FIRST)
            chosen = [*(("", str(step)) for step in steps), ("", "")]
        self._rows.show(choices, chosen)

    def action_leave(self) -> None:
        self.dismiss(None)


def _figure(loss: float | None) -> str:
    return "–" if loss is None else f"{loss:.3f}"
