"""Lanes as columns side by side: a title, what else there is to say, the text; only what changed is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.lane_text import LaneText
from tui.terminal import fit, pad, width, wrap

LEAST_WIDTH = 20
"""Cells that a lane's text has at least where there are several in sight."""
BETWEEN = " │ "
_REVERSED = Style(reverse=True)


@dataclass(slots=True)
class Column:
    """A lane as it is shown. `rest` is what is said of it below its title, the most important first."""

    name: str
    text: LaneText
    rest: list[str] = field(default_factory=list)
    problem: str = ""


def in_sight(lanes: int, columns: int) -> int:
    """How many lanes stand side by side on so many cells."""
    return max(1, min(lanes, (columns + len(BETWEEN)) // (LEAST_WIDTH + len(BETWEEN))))


class LaneColumns(Widget, can_focus=True):
    """`chosen` is the lane that keys act on; it is always among those in sight."""

    DEFAULT_CSS = "LaneColumns { width: 1fr; height: 1fr; }"

    class Clicked(Message):
        """A lane was clicked."""

        def __init__(self, lane: int) -> None:
            super().__init__()
            self.lane = lane

    class Scrolled(Message):
        """The wheel was turned by so many rows."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self) -> None:
        super().__init__(id="lane-columns")
        self.lanes: list[Column] = []
        self.chosen = 0
        self.following = True
        self.waiting = "the lanes begin in a moment"
        self._first = 0
        self._heads: list[list[tuple[str, Style]]] = []

    # ---- where they stand ------------------------------------------------------------------------------------

    @property
    def head_rows(self) -> int:
        """Rows above the text: the title, what else is to be said, and a line where there is room."""
        return 3 if self.size.height >= 12 else 2

    @property
    def shown(self) -> range:
        """The lanes in sight."""
        count = in_sight(len(self.lanes), self.size.width - 2)
        first = min(max(0, self._first), max(0, len(self.lanes) - count))
        if self.chosen < first:
            first = self.chosen
        elif self.chosen >= first + count:
            first = self.chosen - count + 1
        self._first = first
        return range(first, min(first + count, len(self.lanes)))

    def _places(self) -> list[tuple[int, int, int]]:
        """Of each lane in sight its number, the cell at which its text begins, and how many it has."""
        shown = self.shown
        room = max(1, self.size.width - 2 - len(BETWEEN) * (len(shown) - 1))
        each, over = divmod(room, max(1, len(shown)))
        places, at = [], 1
        for number, lane in enumerate(shown):
            cells = each + (number < over)
            places.append((lane, at, cells))
            at += cells + len(BETWEEN)
        return places

    @property
    def text_height(self) -> int:
        """Rows that a lane's text has."""
        return max(1, self.size.height - self.head_rows)

    # ---- what is shown ---------------------------------------------------------------------------------------

    def put(self, lanes: list[Column]) -> None:
        """Other lanes from now on."""
        self.lanes, self.following = lanes, True
        self.chosen = min(self.chosen, max(0, len(lanes) - 1))
        self.fit()

    def fit(self) -> None:
        """Wraps the texts for the room that there is, and draws everything."""
        places = {lane: cells for lane, _, cells in self._places()}
        usual = min(places.values(), default=self.size.width)
        for number, lane in enumerate(self.lanes):
            lane.text.fit(places.get(number, usual), self.text_height)
            lane.text.take_changed()
        self._heads = self._head_lines()
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        self.fit()

    def choose(self, lane: int) -> None:
        """Keys act on that lane from now on; it comes into sight."""
        before = self.shown
        self.chosen = min(max(0, lane), max(0, len(self.lanes) - 1))
        if self.shown != before:
            self.fit()
        else:
            self.draw_heads()

    def draw_heads(self) -> None:
        """Draws what stands above the texts, where it is another."""
        heads = self._head_lines()
        if heads != self._heads:
            self._heads = heads
            self.refresh(Region(0, 0, self.size.width, self.head_rows))

    def draw(self) -> None:
        """Draws the rows of text that changed."""
        for number, at, cells in self._places():
            begin, end = self.lanes[number].text.take_changed()
            if end > begin:
                self.refresh(Region(at, self.head_rows + begin, cells, end - begin))

    def scroll(self, rows: int) -> None:
        """All texts together; at their end they are followed again."""
        behind = [lane.text.scroll(rows) for lane in self.lanes]
        self.following = not any(behind)
        self.draw()

    def follow(self) -> None:
        """The newest of all."""
        self.following = True
        for lane in self.lanes:
            lane.text.follow()
        self.draw()

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _head_lines(self) -> list[list[tuple[str, Style]]]:
        """The rows above the texts, as wide as the widget."""
        names: list[tuple[str, Style]] = [(" ", palette.PLAIN)]
        rests: list[tuple[str, Style]] = [(" ", palette.PLAIN)]
        rules: list[tuple[str, Style]] = [(" ", palette.PLAIN)]
        for number, (lane, _, cells) in enumerate(self._places()):
            column, chosen = self.lanes[lane], lane == self.chosen
            if number:
                names.append((BETWEEN, palette.QUIET))
                rests.append((BETWEEN, palette.QUIET))
                rules.append(("─┼─", palette.QUIET))
            name = fit(f"▸ {column.name} " if chosen else f" {column.name}", cells)
            style = palette.ACCENT_STRONG + _REVERSED if chosen else palette.STRONG
            names += [(name, style), (" " * (cells - width(name)), palette.PLAIN)]
            said = " " + column.rest[0] if column.rest else ""
            for word in column.rest[1:]:
                said = f"{said} · {word}" if width(said) + 3 + width(word) <= cells else said
            rests.append((pad(said, cells), palette.QUIET))
            rules.append(("━" * cells if chosen else "─" * cells, palette.ACCENT if chosen else palette.QUIET))
        return [names, rests, rules]

    def _text_row(self, lane: Column, y: int, cells: int) -> Sequence[tuple[str, Style]]:
        if lane.problem:
            rows = wrap(lane.problem, cells)
            return [(fit(rows[y], cells), palette.WARNING)] if y < len(rows) else []
        if not lane.text.said and y == 0:
            return [(fit("waiting…", cells), palette.QUIET)]
        return lane.text.row(y)

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        if not self.lanes:
            rows = wrap(self.waiting, max(1, columns - 2))
            words = rows[y] if y < len(rows) else ""
            return Strip([Segment(" "), Segment(words, palette.QUIET)]).adjust_cell_length(columns)
        if y < self.head_rows:
            heads = self._heads or self._head_lines()
            return Strip([Segment(text, style) for text, style in heads[y]]).adjust_cell_length(columns)
        segments = [Segment(" ")]
        for number, (lane, _, cells) in enumerate(self._places()):
            if number:
                segments.append(Segment(BETWEEN, palette.QUIET))
            used = 0
            for text, style in self._text_row(self.lanes[lane], y - self.head_rows, cells):
                segments.append(Segment(text, style))
                used += width(text)
            segments.append(Segment(" " * max(0, cells - used)))
        return Strip(segments).adjust_cell_length(columns)

    # ---- the mouse -------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        x = event.x - self.gutter.left
        for lane, at, cells in self._places():
            if at - 1 <= x <= at + cells:
                self.post_message(self.Clicked(lane))
                return

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.post_message(self.Scrolled(-3))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.post_message(self.Scrolled(3))
