"""The branches of the stream as a tree: where each left another, how it begins, how long it is."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from charrnn.engine.branches import Branches, Twig
from tui import palette
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows, Row
from tui.terminal import fit, pad, safe_line, width, wrap

HELP = (
    "Each row is a text that the stream wrote, under the one it left; what is left is kept. Enter goes to the end of "
    "one and writes on from there."
)
DEEPEST = 6
"""From here on deeper branches stand no further to the right."""
_SNIPPET = 200


class BranchRows(PickRows):
    """A row a branch; the present one is marked."""

    def __init__(self, branches: Branches) -> None:
        super().__init__(id="branches")
        self._branches = branches
        self.twigs = branches.tree()
        self.at = next((number for number, twig in enumerate(self.twigs) if twig.present), 0)

    def on_resize(self) -> None:
        self.put([self._row(twig) for twig in self.twigs], "The stream has not written anything yet.")
        self.highlight(self.at)

    def _row(self, twig: Twig) -> Row:
        first = twig.parts[0]
        length = sum(part.end - part.position for part in twig.parts)
        left = f"at {first.after:,}" if first.after is not None else "the stream"
        figures = f"{length:>8,}  {left:>12}  seed {first.seed}"
        figures = figures if self.text_columns >= 56 else f"{length:>8,}"
        front = "  " * max(0, min(twig.depth, DEEPEST) - 1) + ("└ " if twig.depth else "")
        front += "● " if twig.present else "○ "
        room = max(4, self.text_columns - 2 - width(front) - width(figures) - 2)
        text = self._branches.text(first.position, min(first.end, first.position + _SNIPPET))
        snippet = pad(fit(safe_line(text.replace("\n", "⏎")), room), room)
        return [
            (front, palette.ACCENT_STRONG if twig.present else palette.QUIET),
            (snippet, palette.PLAIN),
            (f"  {figures}", palette.QUIET),
        ]

    def picked(self, number: int) -> None:
        self.screen.dismiss(self.twigs[number].end)


class Words(Widget):
    """A sentence or two below the rows, as high as they need."""

    DEFAULT_CSS = "Words { height: 2; width: 1fr; }"

    def __init__(self, words: str) -> None:
        super().__init__()
        self._words = words

    def on_resize(self) -> None:
        self.styles.height = len(self._lines())
        self.refresh()

    def _lines(self) -> list[str]:
        return wrap(self._words, max(1, self.size.width - 2))

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        words = pad(" " + (lines[y].rstrip() if y < len(lines) else ""), self.size.width)
        return Strip([Segment(words, palette.QUIET)], self.size.width)


class BranchesScreen(Covering[int | None]):
    """Answers with the position after a branch's last character, or None."""

    AUTO_FOCUS = "#branches"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,t", "close", "Close", show=False)]

    def __init__(self, branches: Branches) -> None:
        super().__init__()
        self._rows = BranchRows(branches)

    def compose(self) -> ComposeResult:
        pane = Pane("Branches of the stream", self._rows, id="branch-tree")
        pane.upper.show([Part(pane.title, palette.STRONG, 1)], [Part("characters, left where", palette.QUIET, 2)])
        pane.lower.show([Part("enter: write on from its end", rank=1), Part("esc: back", rank=1)])
        yield pane
        yield Words(HELP)

    def action_close(self) -> None:
        self.dismiss(None)
