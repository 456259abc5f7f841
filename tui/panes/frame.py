"""A pane's frame: a titled line above, sides where it has any, a line below.

The lines are widgets of their own, so that a title that changes often costs one row and not the whole pane.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import width

_REVERSED = Style(reverse=True)


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


def _fit(parts: Sequence[Part], columns: int, gap: int) -> bool:
    return sum(width(part.text) for part in parts) + gap * (len(parts) - 1) <= columns


def _chosen(parts: Iterable[Part], chosen: Sequence[Part]) -> list[Part]:
    """Those of the parts that were chosen, whole or in brief, as they were."""
    both = (one for part in parts for one in dict.fromkeys((part, replace(part, text=part.brief))))
    return [one for one in both if one in chosen]


class FrameLine(Widget):
    """The upper or lower line of a frame, with parts at its left and right end."""

    DEFAULT_CSS = "FrameLine { height: 1; width: 1fr; }"

    def __init__(self, *, upper: bool, sides: bool = True) -> None:
        super().__init__()
        self._upper = upper
        self._ends = ("╭╮" if upper else "╰╯") if sides else "──"
        self._left: tuple[Part, ...] = ()
        self._right: tuple[Part, ...] = ()

    def show(self, left: Sequence[Part] = (), right: Sequence[Part] = ()) -> None:
        """Sets what stands in the line; draws only when that is another."""
        if (tuple(left), tuple(right)) != (self._left, self._right):
            self._left, self._right = tuple(left), tuple(right)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        focused = self._focused()
        line = palette.ACCENT if focused else palette.QUIET
        if columns < 2:
            return Strip([Segment("─" * columns, line)], columns)
        inner = columns - 2
        ranked = choose([*self._left, *self._right], max(0, inner - 6), 2)
        left = self._run(_chosen(self._left, ranked), line, marked=self._upper and focused)
        right = self._run(_chosen(self._right, ranked), line)
        used = sum(width(segment.text) for segment in (*left, *right))
        fill = Segment("─" * max(0, inner - used), line)
        return Strip([Segment(self._ends[0], line), *left, fill, *right, Segment(self._ends[1], line)], columns)

    def _focused(self) -> bool:
        """Whether the focus is in the pane."""
        focused = self.screen.focused
        return focused is not None and self.parent in focused.ancestors

    @staticmethod
    def _run(parts: Sequence[Part], line: Style, *, marked: bool = False) -> list[Segment]:
        if not parts:
            return []
        segments = [Segment("─ ", line)]
        for number, part in enumerate(parts):
            if number:
                segments.append(Segment("  "))
            # With colours and without, the title says where the focus is.
            style = palette.ACCENT_STRONG + _REVERSED if marked and not number else part.style
            segments.append(Segment(part.text, style))
        return [*segments, Segment(" ─", line)]


class Pane(Vertical):
    """A framed pane around one body."""

    DEFAULT_CSS = """
    Pane { width: 1fr; height: 1fr; }
    Pane > .body { border-left: round $line; border-right: round $line; width: 1fr; height: 1fr; }
    Pane:focus-within > .body { border-left: round $accent; border-right: round $accent; }
    Pane.-open > .body, Pane.-open:focus-within > .body { border: none; padding: 0 1; }
    Pane.-bare > FrameLine { display: none; }
    Pane.-bare > .body { border: none; padding: 0; }
    """
    SIDES: ClassVar[bool] = True
    """Whether the body has a line at its left and right."""

    def __init__(self, title: str, body: Widget, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.title = title
        self.body = body
        self.body.add_class("body")
        self.set_class(not self.SIDES, "-open")
        self.upper = FrameLine(upper=True, sides=self.SIDES)
        self.lower = FrameLine(upper=False, sides=self.SIDES)
        self.upper.show([Part(title, palette.STRONG)])

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.lower

    def on_descendant_focus(self) -> None:
        self._draw_frame()

    def on_descendant_blur(self) -> None:
        self._draw_frame()

    def _draw_frame(self) -> None:
        self.upper.refresh()
        self.lower.refresh()
