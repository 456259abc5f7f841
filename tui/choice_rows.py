"""The choice behind a character as rows: what was likely, before and after the knobs. A pure function of its size."""

from __future__ import annotations

from collections.abc import Sequence
from math import log

from rich.style import Style

from charrnn.engine.questions.choice import CandidateTold, ChoiceTold
from tui import palette
from tui.terminal import cut, fit, pad, safe_line, width, wrap

Row = list[tuple[str, Style]]

HELP = (
    "Each row is a character that could stand at the marked place, with how likely the network found it, and what the "
    "knobs (temperature, top-k, top-p, min-p) then made of that. Enter goes back to this place, takes the marked row "
    "instead of what was written, and the stream goes on from there."
)
WAITING = "asking the engine…"
_ROOMY = 44


def candidates_of(told: ChoiceTold | None) -> list[CandidateTold]:
    """The rows that can be marked: the likeliest, and what was taken where it is not among them."""
    if told is None or told.problem:
        return []
    extra = told.taken is not None and all(one.token != told.taken.token for one in told.candidates)
    return [*told.candidates, told.taken] if extra and told.taken is not None else told.candidates


def rows_of(told: ChoiceTold | None, at: int, columns: int, rows: int, *, explained: bool = False) -> list[Row]:
    """The panel in at most so many rows of so many columns; `at` is the marked candidate."""
    if explained or told is None or told.problem:
        words = HELP if explained else WAITING if told is None else safe_line(told.problem)
        style = palette.PLAIN if explained else palette.QUIET if told is None else palette.WARNING
        return [[(line.rstrip(), style)] for line in wrap(words, columns)][:rows]
    found = candidates_of(told)
    heads = _heads(told, columns)
    least = 2 if rows >= 6 else min(1, rows - 1)
    while len(heads) > least and rows < len(heads) + len(found):
        del heads[-2 if len(heads) > 2 else 0]  # the last one says what the columns are
    room = max(1, rows - len(heads))
    first = min(max(0, at - room + 1), max(0, len(found) - room))
    scale = max([one.before for one in found] + [one.after for one in found])
    glyphs = min(max([2, *(width(shown(one.text)) for one in found)]), max(2, columns // 5))
    listed = list(enumerate(found))[first : first + room]
    made = [*heads, *(_row(told, one, number == at, glyphs, columns, scale) for number, one in listed)]
    return [_clipped(row, columns) for row in made]


def _clipped(row: Row, columns: int) -> Row:
    made: Row = []
    for text, style in row:
        text = text[: cut(text, columns)]
        columns -= width(text)
        made.append((text, style))
    return made


def shown(text: str) -> str:
    """A token made visible on one line."""
    return safe_line(text).replace(" ", "␣") if text != "\n" else "⏎"


def place_words(told: ChoiceTold) -> str:
    """Which place it is, in a few words."""
    place = f"token {told.place:,}"
    if told.taken is None:
        return f"comes next · {place}"
    return f"{shown(told.taken.text)} · {place} · step {told.step:,}"


def entropy_words(told: ChoiceTold, *, brief: bool = False) -> str:
    """How unsure it was, before and after the knobs."""
    nats = f"{told.entropy_before:.2f} → {told.entropy_after:.2f} nats"
    if brief:
        return nats
    return f"{nats} ({told.entropy_before / log(2):.2f} → {told.entropy_after / log(2):.2f} bits)"


def knobs_words(told: ChoiceTold) -> str:
    """The knobs in force at that place."""
    knobs = told.knobs
    if knobs.greedy:
        return "greedy"
    words = [f"T {knobs.temperature:.2f}"]
    words += [f"top-k {knobs.top_k}"] if knobs.top_k else []
    words += [f"top-p {knobs.top_p:g}"] if knobs.top_p < 1 else []
    words += [f"min-p {knobs.min_p:g}"] if knobs.min_p > 0 else []
    return " · ".join(words)


def _heads(told: ChoiceTold, columns: int) -> list[Row]:
    place: Row = [(fit(place_words(told), columns), palette.ACCENT_STRONG)]
    if told.now:
        words = "as the model sees it now"
        used = width(place[0][0])
        place = [*place, (fit(f" · {words}", max(0, columns - used)), palette.WARNING)]
    both = [f"entropy {entropy_words(told, brief=brief)}" for brief in (False, True)]
    room = columns - sum(width(text) for text, _ in place) - 3
    beside_it = next((words for words in both if width(words) <= room), "")
    entropy = both[0] if width(both[0]) <= columns else both[1]
    left = f"{knobs_words(told)} · {told.left:,} of {told.known:,} left"
    half = _half(columns)
    head = " " * (columns - 2 * half) + pad("before", half) + "after"
    lines: list[Row] = [[(fit(entropy, columns), palette.PLAIN)], [(fit(left, columns), palette.PLAIN)]]
    if beside_it:
        place, lines = [*place, ("   " + beside_it, palette.PLAIN)], lines[1:]
    return [place, *lines, [(fit(head, columns), palette.QUIET)]]


def _half(columns: int) -> int:
    """The columns of a figure with its bar."""
    return max(8, (columns - max(5, columns // 5) - 3) // 2)


def _row(told: ChoiceTold, one: CandidateTold, marked: bool, glyphs: int, columns: int, scale: float) -> Row:
    half = _half(columns)
    taken = told.taken is not None and one.token == told.taken.token
    room = max(3, columns - 2 * half)
    name = pad(fit(shown(one.text), glyphs), glyphs)
    front = pad(fit(("▸" if marked else " ") + ("●" if taken else " ") + name, room), room)
    bars = max(0, half - 9)
    before = f"{_percent(one.before):>7} " + pad(_bar(one.before, scale, bars), bars)
    after = f"{_percent(one.after):>7} " + pad(_bar(one.after, scale, bars), bars)
    if one.removed:
        after = f"{one.removed:>7}"
    strong = palette.STRONG if taken or marked else palette.PLAIN
    made: Row = [
        (front, palette.CHOSEN if marked else strong),
        (pad(before[:8], 8), strong),
        (pad(before[8:], half - 8), palette.QUIET),
        (after[:8], palette.WARNING if one.removed else strong),
        (after[8:], palette.WARNING if one.removed else palette.ACCENT),
    ]
    return made


def _percent(chance: float) -> str:
    if chance >= 0.0005:
        return f"{100 * chance:.1f} %"
    return "0 %" if chance == 0 else "<0.1 %"


def _bar(chance: float, scale: float, columns: int) -> str:
    if chance <= 0 or scale <= 0 or columns < 1:
        return ""
    return "━" * round(columns * chance / scale) or "·"


def fits_beside(columns: int) -> bool:
    """Whether there is room for the rows beside the text."""
    return columns >= 2 * _ROOMY


def beside(columns: int) -> int:
    """The columns of the rows beside the text."""
    return min(54, max(_ROOMY, columns * 2 // 5))


def below(rows: int) -> int:
    """The rows below the text, a line between included."""
    return min(15, max(2, rows * 7 // 10))


def in_words(told: ChoiceTold, most: int = 5) -> str:
    """The choice in a sentence or two, for ears."""
    if told.problem:
        return told.problem
    some: Sequence[CandidateTold] = told.candidates[:most]
    likely = ", ".join(f"{number} {spoken(one.text)} {_said(one)}" for number, one in enumerate(some, 1))
    what = "What comes next" if told.taken is None else f"At {spoken(told.taken.text)} it took"
    if told.taken is not None:
        what += f" number {told.taken.rank} of {told.known:,}, {_said(told.taken)}"
    now = " as the model sees it now" if told.now else ""
    return (
        f"{what}{now}. The likeliest, before and after the knobs ({knobs_words(told)}): {likely}. "
        f"Entropy {entropy_words(told, brief=True)}."
    )


def spoken(text: str) -> str:
    """A token as it is read out."""
    return {" ": "space", "\n": "line break", "\t": "tab"}.get(text) or repr(safe_line(text))


def _said(one: CandidateTold) -> str:
    after = f"removed by {one.removed}" if one.removed else _percent(one.after)
    return f"{_percent(one.before)} and {after}"
