"""A pane's frame: a titled line above, sides, a line below.

The lines are widgets of their own, so that a title that changes often costs one row and not the whole pane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import width


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line that is shown whole, in brief, or not at all.

    Where not all fit, first every part that has a `brief` form takes it; then the highest rank goes first.
    """

    text: str
    style: Style = palette.PLAIN
    rank: int = 1
    brief: str = ""


def choose(parts: Iterable[Part], columns: int, gap: int) -> list[Part]:
    """The parts that fit side by side into `columns` cells with `gap` cells between, in their order."""
    kept = [part for part in parts if part.text]
    if not _fit(kept, columns, gap):
        kept = [replace(part, text=part.brief) if part.brief else part for part in kept]
    while kept and not _fit(kept, columns, gap):
        kept.remove(max(reversed(kept), key=lambda part: part.rank))
    return kept


def _of(chosen: Sequence[Part], parts: Sequence[Part]) -> list[Part]:
    """The chosen ones that are `parts`, whole or in brief."""
    return [one for one in chosen if one in parts or any(one == replace(part, text=part.brief) for part in parts)]


def _fit(parts: Sequence[Part], columns: int, gap: int) -> bool:
    return sum(width(part.text) for part in parts) + gap * (len(parts) - 1) <= columns


class FrameLine(Widget):
    """The upper or lower line of a frame, with parts at its left and right end."""

    DEFAULT_CSS = "FrameLine { height: 1; width: 1fr; }"

    def __init__(self, *, upper: bool) -> None:
        super().__init__()
        self._ends = "╭╮" if upper else "╰╯"
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def show(self, left: Sequence[Part] = (), right: Sequence[Part] = ()) -> None:
        """Sets what stands in the line; draws only when that is another."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        line = self.rich_style
        if columns < 2:
            return Strip([Segment("─" * columns, line)], columns)
        inner = columns - 2
        ranked = choose([*self._left, *self._right], max(0, inner - 6), 2)
        left = self._run(_of(ranked, self._left), line)
        right = self._run(_of(ranked, self._right), line)
        used = sum(width(segment.text) for segment in (*left, *right))
        fill = Segment("─" * max(0, inner - used), line)
        return Strip([Segment(self._ends[0], line), *left, fill, *right, Segment(self._ends[1], line)], columns)

    @staticmethod
    def _run(parts: Sequence[Part], line: Style) -> list[Segment]:
        if not parts:
            return []
        segments = [Segment("─ ", line)]
        for number, part in enumerate(parts):
            segments.append(Segment(("  " if number else "") + part.text, part.style))
        return [*segments, Segment(" ─", line)]


class Pane(Vertical):
    """A framed pane around one body."""

    DEFAULT_CSS = """
    Pane { width: 1fr; height: 1fr; }
    Pane > FrameLine { color: $quiet; }
    Pane > .body { border-left: round $quiet; border-right: round $quiet; width: 1fr; height: 1fr; }
    Pane:focus-within > FrameLine { color: $accent; }
    Pane:focus-within > .body { border-left: round $accent; border-right: round $accent; }
    """

    def __init__(self, title: str, body: Widget, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.title = title
        self.body = body
        self.body.add_class("body")
        self.upper = FrameLine(upper=True)
        self.lower = FrameLine(upper=False)
        self.upper.show([Part(title, palette.STRONG)])

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.lower
