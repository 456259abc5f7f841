"""How time travel looks: the rows of its slider, of its text and of its foot. Plain functions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.style import Style

from charrnn.engine.messages import LossPoint
from charrnn.engine.questions.travel import StateThen
from charrnn.runs.milestones import EARLY
from tui import palette
from tui.charts.view import View
from tui.escapes import written
from tui.journey import Journey
from tui.panes.saying import LEVELS
from tui.screens.travel_slider import Row, curve, labels, track, with_words
from tui.terminal import fit, safe_line, width, wrap

EXPLAINED = (
    "Each mark on the line is a state of the network that was kept while it learnt, and below stands what it writes "
    "from the same beginning, with the same luck. Move along the line, or play it as a film, and watch letters become "
    "words, and words become sentences."
)
NO_STATE = (
    "The run has kept no state of itself yet.\n\nThe first comes when it has its folder, and ten steps later the next; "
    "a run that was begun with --milestones 0 has its checkpoints alone."
)
ONE_STATE = "This is the only state yet: the run keeps more as it trains, at first every ten steps, then ever fewer."
_SEPARATOR = "  ·  "
EXPLAINED_FROM = 28
"""Rows of a screen on which the two sentences stand unasked."""


def slider_rows(
    journey: Journey, points: Sequence[LossPoint], view: View, columns: int, height: int
) -> tuple[list[Row], list[int]]:
    """The rows for a screen of `height` rows, and the column of each state: losses, line, steps, facts, settings."""
    steps = [state.step for state in journey.states]
    there = [journey.is_written(step) for step in steps]
    line, columns_of = track(steps, there, journey.at, columns)
    rows: list[Row] = []
    if len(steps) > 1:
        losses, name = _losses(points, steps)
        most = 5 if height >= 30 else 3 if height >= 22 else 1
        shown = [(step, value) for step, nats in losses if math.isfinite(value := view.value(nats))]
        rows = curve(shown, steps, columns_of[journey.at], columns, most)
        if len(rows) > 1:
            words = f"{name} loss {view.text(losses[0][1], 2)} to {view.text(losses[-1][1], 2)} {view.unit}"
            rows[0] = with_words(rows[0], words, columns)
    rows.append(line)
    if height >= 20:
        rows.append(labels(steps, columns))
    rows += [_facts(journey.state, journey, view, columns), _settings(journey, columns)]
    if height >= 20:
        rows.append([])
    return rows, columns_of


def _losses(points: Sequence[LossPoint], steps: Sequence[int]) -> tuple[list[tuple[int, float]], str]:
    """The held-out losses among these steps, or those of training where these begin much earlier."""
    low, high = steps[0], steps[-1]
    held_out = [(p.step, p.val_loss) for p in points if p.val_loss is not None and low <= p.step <= high]
    training = [(p.step, p.train_loss) for p in points if p.train_loss is not None and low <= p.step <= high]
    late = low + EARLY // 2
    return (held_out, "held-out") if len(held_out) > 1 and held_out[0][0] <= late else (training, "training")


def _facts(state: StateThen | None, journey: Journey, view: View, columns: int) -> Row:
    if state is None:
        return [("no state yet" if journey.heard else "looking for states…", palette.QUIET)]
    losses = [] if state.val_loss is None else [f"held-out {view.text(state.val_loss)}"]
    losses += [] if state.train_loss is None else [f"training {view.text(state.train_loss)}"]
    read = [] if state.chars is None else [f"{_amount(state.chars, ' million')} characters read"]
    brief = [] if state.chars is None else [f"{_amount(state.chars, 'M')} read"]
    step = f"step {state.step:,}"
    ways: tuple[list[str], ...] = ([*read, *losses], [*brief, *losses], [*brief, *losses[:1]], losses[:1], [])
    text = _first_that_fits([_SEPARATOR.join(["", *way]) for way in ways], columns - width(step))
    return [(step, palette.ACCENT_STRONG), (text, palette.PLAIN)]


def _amount(number: int, million: str) -> str:
    return f"{number / 1e6:,.1f}{million}" if number >= 1_000_000 else f"{number:,}"


def _first_that_fits(ways: Sequence[str], columns: int) -> str:
    return next((way for way in ways if width(way) <= columns), "")


def _settings(journey: Journey, columns: int) -> Row:
    """The prime gets what room the rest leaves."""
    asked, knobs = journey.asked, journey.asked.knobs
    filters = [f"top-k {knobs.top_k}"] if knobs.top_k else []
    filters += [f"top-p {knobs.top_p:g}"] if knobs.top_p < 1 else []
    filters += [f"min-p {knobs.min_p:g}"] if knobs.min_p else []
    degrees = f"{knobs.temperature:.2f}"
    whole = ["greedy"] if knobs.greedy else [f"temperature {degrees}", *filters]
    brief = ["greedy"] if knobs.greedy else [f"T {degrees}", *filters]
    ways = (
        [*whole, f"seed {asked.seed}", f"{asked.length:,} characters"],
        [*brief, f"seed {asked.seed}", f"{asked.length:,} ch"],
        [*brief, f"seed {asked.seed}"],
    )
    said = safe_line(written(asked.prime))
    least = 8 + min(24, width(said)) if asked.prime else 8
    rest = _first_that_fits([_SEPARATOR + _SEPARATOR.join(way) for way in ways], columns - least)
    prime = f'prime "{fit(said, columns - 8 - width(rest))}"' if asked.prime else "no prime"
    return [(fit(prime + rest, columns), palette.QUIET)]


def words_of(journey: Journey, *, connected: bool) -> tuple[str, str, Style]:
    """The prime and the text that stand under the slider, and the style of the text."""
    era, before = journey.era, journey.era_before
    if era is not None and era.problem:
        return "", f"This state cannot be opened: {era.problem}", palette.WARNING
    if era is not None:
        few = f"\n\n{ONE_STATE}" if len(journey.states) == 1 else ""
        return era.prime, era.text + few, palette.PLAIN
    if not connected:
        return "", "The engine has gone; enter starts it again, and then it answers.", palette.WARNING
    if journey.heard and not journey.states:
        return "", NO_STATE, palette.QUIET
    if before is not None and not before.problem:
        return before.prime, before.text, palette.QUIET
    return "", "writing…" if journey.heard else "", palette.QUIET


def foot_rows(told: tuple[str, str] | None, explained: bool, columns: int) -> list[Row]:
    """A sentence that was said of late, else what the screen shows, if that is wanted."""
    if told is not None:
        level, words = told
        return [[(row, LEVELS[level])] for row in wrap(safe_line(words), columns)[:4]]
    if explained:
        return [[], *([(row, palette.QUIET)] for row in wrap(EXPLAINED, columns))]
    return []
