"""The slider of time travel: the states that a run has kept as marks on a line, its losses above, its steps below."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from charrnn.insight.eras import places
from charrnn.runs.milestones import scale
from tui import palette
from tui.terminal import cut, width

Row = list[tuple[str, Style]]
KNOB, THERE, AWAITED = "●", "┼", "·"
_EIGHTHS = " ▁▂▃▄▅▆▇█"


class Lines(Widget):
    """Rows of styled text; only those that changed are drawn again."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.rows: list[Row] = []

    def put(self, rows: list[Row]) -> None:
        """What stands there now."""
        before, self.rows = self.rows, rows
        for y in range(max(len(before), len(rows))):
            if before[y : y + 1] != rows[y : y + 1]:
                self.refresh(Region(0, y, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        room = max(0, self.size.width - 2)
        segments, used = [Segment(" ")], 0
        for text, style in self.rows[y] if y < len(self.rows) else ():
            text = text[: cut(text, room - used)]
            used += width(text)
            segments.append(Segment(text, style))
        return Strip(segments).adjust_cell_length(self.size.width)


class Slider(Lines):
    """A click or a drag posts the place among the states that is nearest."""

    class Moved(Message):
        def __init__(self, at: int) -> None:
            super().__init__()
            self.at = at

    def __init__(self) -> None:
        super().__init__(id="travel-slider")
        self.columns_of: list[int] = []
        self._held = False

    def show(self, rows: list[Row], columns_of: list[int]) -> None:
        """The rows, and the column of each state in them."""
        self.columns_of = columns_of
        self.put(rows)

    def _go(self, event: events.MouseEvent) -> None:
        column = event.x - self.gutter.left - 1
        if self.columns_of:
            at = min(range(len(self.columns_of)), key=lambda number: abs(self.columns_of[number] - column))
            self.post_message(self.Moved(at))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            event.stop()
            self._held = True
            self.capture_mouse()
            self._go(event)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._held and not event.button:  # it was let go where nobody heard it
            self._let_go()
        elif self._held:
            event.stop()
            self._go(event)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._held:
            self._let_go()

    def _let_go(self) -> None:
        self._held = False
        self.release_mouse()


def track(steps: Sequence[int], written: Sequence[bool], at: int, columns: int) -> tuple[Row, list[int]]:
    """The line with a mark for each state, and the column of each; the knob stands at the one that is looked at.

    Left of it the line is heavy, so that it is told without colour; of several states in a cell one that is looked at
    counts first, then one whose text is there.
    """
    if not steps or columns < 1:
        return [("─" * max(0, columns), palette.QUIET)], []
    columns_of = places(steps, columns)
    here = columns_of[at]
    cells = ["━" if column < here else "─" for column in range(columns)]
    for column, there in zip(columns_of, written, strict=True):
        if cells[column] != THERE:
            cells[column] = THERE if there else AWAITED
    return [
        ("".join(cells[:here]), palette.ACCENT),
        (KNOB, palette.ACCENT_STRONG),
        ("".join(cells[here + 1 :]), palette.QUIET),
    ], columns_of


def labels(steps: Sequence[int], columns: int) -> Row:
    """The first and last step and round ones between, each under its place, as far as there is room."""
    if not steps or columns < 1:
        return []
    first, last = steps[0], steps[-1]
    rounds = [digit * 10**power for power in range(1, 19) for digit in (1, 2, 5) if first < digit * 10**power < last]
    rounds.sort(key=lambda step: (str(step)[0] != "1", step))
    row = [" "] * columns
    span = (scale(last) - scale(first)) or 1.0
    for step in dict.fromkeys((last, first, *rounds)):
        word = f"{step:,}"
        centre = round((scale(step) - scale(first)) / span * (columns - 1)) if last > first else 0
        begin = min(max(0, centre - len(word) // 2), max(0, columns - len(word)))
        around = row[max(0, begin - 2) : begin + len(word) + 2]
        if len(word) <= columns and not "".join(around).strip():
            row[begin : begin + len(word)] = word
    return [("".join(row).rstrip(), palette.QUIET)]


def curve(losses: Sequence[tuple[int, float]], steps: Sequence[int], here: int, columns: int, rows: int) -> list[Row]:
    """The losses (step, nats) as an area over the slider, from the top row down; nothing where there are too few.

    `here` is the column of the state that is looked at.
    """
    if len(losses) < 2 or len(steps) < 2 or rows < 1 or columns < 2:
        return []
    first, span = scale(steps[0]), scale(steps[-1]) - scale(steps[0])
    at = [(scale(step) - first) / span * (columns - 1) for step, _ in losses]
    values = [_value(at, losses, column) for column in range(columns)]
    known = [value for value in values if value is not None]
    if not known:
        return []
    low, high = min(known), max(known)
    heights = [0 if v is None else 1 + round((v - low) / ((high - low) or 1.0) * (8 * rows - 1)) for v in values]
    made: list[Row] = []
    for row in range(rows):
        below = 8 * (rows - 1 - row)
        cells = [_EIGHTHS[min(8, max(0, height - below))] for height in heights]
        made.append(
            [
                ("".join(cells[:here]), palette.ACCENT),
                (cells[here], palette.ACCENT_STRONG),
                ("".join(cells[here + 1 :]), palette.QUIET),
            ]
        )
    return made


def _value(at: Sequence[float], losses: Sequence[tuple[int, float]], column: int) -> float | None:
    """The mean of the losses in a column, else what lies between their neighbours; None before the first of them."""
    begin, end = bisect_left(at, column - 0.5), bisect_left(at, column + 0.5)
    if begin < end:
        return sum(loss for _, loss in losses[begin:end]) / (end - begin)
    if begin == 0:
        return None
    if end == len(at):
        return losses[-1][1]
    share = (column - at[begin - 1]) / (at[end] - at[begin - 1])
    return losses[begin - 1][1] * (1 - share) + losses[end][1] * share


def with_words(row: Row, words: str, columns: int) -> Row:
    """A row with words at its right end, where nothing stands there."""
    text = "".join(part for part, _ in row)
    begin = columns - width(words)
    if begin < 2 or text[begin - 2 :].strip():
        return row
    kept: Row = []
    left = begin
    for part, style in row:
        kept.append((part[:left], style))
        left = max(0, left - len(part))
    return [*kept, (" " * left + words, palette.QUIET)]
