"""What is told of one run: its losses, its network, what lies on the disk, and its loss as an area."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events

from charrnn.runs.glance import Glance, Holdings, Place
from tui import palette
from tui.bars import area
from tui.panes.rows import Rows
from tui.panes.status import compact, duration
from tui.screens.opening_runs import Seen
from tui.terminal import fit, safe_line, width, wrap
from tui.words import size_in_words


class RunDetails(Rows, can_focus=False):
    """What there is to say of one run, and its loss as an area."""

    def __init__(self) -> None:
        super().__init__(id="run-details")
        self._what: tuple[Place | None, Seen | None, Holdings | None, str] = (None, None, None, "")
        self._rows: list[list[tuple[str, Style]]] = []

    def show(self, place: Place | None, seen: Seen | None, holdings: Holdings | None, state: str) -> None:
        if (place, seen, holdings, state) != self._what:
            self._what = (place, seen, holdings, state)
            self._make()

    def on_resize(self, event: events.Resize) -> None:
        self._make()

    def _make(self) -> None:
        place, seen, holdings, state = self._what
        columns, height = self.text_columns, self.size.height
        self._rows = []
        if isinstance(seen, str):
            self._rows = [[(line, palette.ERROR)] for line in wrap(safe_line(seen), columns)]
        elif seen is not None and place is not None:
            lines = details(place, seen, holdings, state)
            self._rows = [[(row.rstrip(), style)] for line, style in lines for row in wrap(line, columns)]
            left = height - len(self._rows)
            if left >= 3 and len(seen.curve) > 1:
                margin = width(f"{max(seen.curve):.2f}") + 1
                drawn = area(seen.curve, columns - margin, left - 1)
                for number, row in enumerate(drawn):
                    label = {0: f"{max(seen.curve):.2f}", len(drawn) - 1: f"{min(seen.curve):.2f}"}.get(number, "")
                    self._rows.append([(f"{label:<{margin}}", palette.QUIET), (row, palette.ACCENT)])
                words = "loss by step, steps on a log scale"
                self._rows.append([(" " * margin + fit(words, columns - margin), palette.QUIET)])
        self.top = 0
        self.refresh()

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        return self._rows[number]


def details(place: Place, seen: Glance, holdings: Holdings | None, state: str) -> list[tuple[str, Style]]:
    """A run in lines, safe to show."""
    config, model, training = seen.config, seen.config.model, seen.config.training
    target = (
        f" of {training.steps:,}" if training.steps else f" of {training.minutes:g} min" if training.minutes else ""
    )
    threads = f", {training.threads} thread{'s' * (training.threads != 1)}" if training.device == "cpu" else ""
    speed = f" · {compact(seen.speed)} chars/s" if seen.speed else ""
    losses = []
    if seen.held_out is not None:
        losses.append(f"held-out {seen.held_out:.3f}")
    if seen.best is not None:
        losses.append(f"best {seen.best:.3f} at step {seen.best_step:,}")
    if seen.train is not None:
        losses.append(f"train {seen.train:.3f}")
    lines = [
        (" · ".join(losses) or "no losses yet", palette.PLAIN),
        (
            f"step {seen.step:,}{target if training.steps else ''} · {compact(seen.chars)} characters · "
            f"{duration(seen.seconds)}{target if training.minutes and not training.steps else ''}",
            palette.PLAIN,
        ),
        (
            f"{model.cell} {model.layers}×{model.hidden} · {training.batch}×{training.length} a step · "
            f"{config.preset} · {training.device}{threads}{speed}",
            palette.PLAIN,
        ),
    ]
    if holdings is not None:
        count = len(holdings.checkpoints)
        newest = f", the newest at step {holdings.checkpoints[-1]:,}" if count else ""
        more = "" if holdings.complete else "more than "
        lines.append(
            (
                f"{count or 'no'} checkpoint{'s' * (count != 1)}{newest} · {more}{size_in_words(holdings.size)}",
                palette.PLAIN,
            )
        )
    lines.append((f"text: {safe_line(config.corpus.source)}", palette.QUIET))
    opens = "enter attaches to it" if state else "enter opens it, space trains it on"
    lines.append((opens, palette.QUIET))
    return lines
