"""The list of what the stream copies from the training text, the longest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.strip import Strip
from textual.widget import Widget

from charrnn.engine.questions.copying import Copy
from tui import palette
from tui.copies_lens import LEVELS, CopiesLens
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows
from tui.terminal import fit, safe_line, wrap

Row = Sequence[tuple[str, Style]]

HELP = (
    "A model that has learnt how its text is made writes new text; one that has learnt it by heart repeats it word for "
    "word. Here stands every piece of more than 20 characters that the stream has lately written and that the training "
    "text has just so, and the figure is the share of the newest 2,000 characters that lie in such pieces."
)
"""Two sentences for whoever has never heard of it."""
ROOMY_COLUMNS = 72
ROOMY = 20
"""Rows of a screen on which the help has room below the list; on others it takes the list's place for a while."""
NO_COPIES = "nothing of late: no 21 characters in a row stand in the training text"


class CopyRows(PickRows):
    """The copies there are; those in sight of the stream are marked."""

    def __init__(self, lens: CopiesLens, sight: tuple[int, int], trained: int) -> None:
        super().__init__(id="copies")
        self._lens, self._sight, self._trained = lens, sight, trained
        self.copies: list[Copy] = []

    def show(self) -> None:
        """Takes what is known. Once there are copies they stay as they are: nobody can pick from rows that move."""
        told = self._lens.told
        if not self.copies and self._lens.copies:
            self.copies = _longest_first(self._lens.copies)
        words = "asking the engine" if told is None else told.words if told.state != "ready" else NO_COPIES
        self._put(words)

    def _put(self, words: str) -> None:
        self.put([self._row(copy) for copy in self.copies], fit(words, self.text_columns))

    def on_resize(self, event: events.Resize) -> None:
        self.show()

    @property
    def roomy(self) -> bool:
        """Whether there is room for all that is known of a copy."""
        return self.text_columns >= ROOMY_COLUMNS

    def _row(self, copy: Copy) -> Row:
        seen = copy.end > self._sight[0] and copy.begin < self._sight[1]
        style = LEVELS[max(0, sum(copy.length >= least for least, _ in LEVELS) - 1)][1]
        room = self.text_columns - 2
        row: list[tuple[str, Style]] = [
            ("● " if seen else "  ", palette.ACCENT),
            (f"{copy.length:>5,}", style),
            ("  ", palette.PLAIN),
        ]
        if self.roomy:
            share = f" {100 * copy.at // max(1, self._trained):>3} %"
            row.append((f"{'×' + format(copy.times, ','):>7}  {copy.at:>11,}{share}  ", palette.QUIET))
        elif room >= 46:
            row.append((f"{copy.at:>11,}  ", palette.QUIET))
        text = safe_line(copy.text.strip().replace("\n", "↵"))
        return [*row, (fit(text, room - sum(len(cells) for cells, _ in row)), palette.PLAIN)]

    def picked(self, number: int) -> None:
        self.screen.dismiss(self.copies[number])


def _longest_first(copies: Sequence[Copy]) -> list[Copy]:
    """Each piece of text once, at its newest place in the stream."""
    newest = {copy.text if copy.length <= len(copy.text) else (copy.at, copy.length): copy for copy in copies}
    return sorted(newest.values(), key=lambda copy: (-copy.length, -copy.begin))


class HelpText(Widget):
    """A few sentences, wrapped."""

    DEFAULT_CSS = "HelpText { width: 1fr; height: auto; }"

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        return len(wrap(HELP, max(1, width - 2)))

    def render_line(self, y: int) -> Strip:
        rows = wrap(HELP, max(1, self.size.width - 2))
        text = rows[y] if y < len(rows) else ""
        return Strip([Segment(f" {text}", palette.QUIET)]).adjust_cell_length(self.size.width)


class CopiesScreen(Covering[Copy | None]):
    """Answers with the copy whose source is to be shown, or None."""

    AUTO_FOCUS = "#copies"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,quotation_mark", "close", "Close", show=False),
        Binding("question_mark", "explain", "What this is", show=False),
        Binding("r", "again", "What is new", show=False),
    ]
    shows_copies = True

    def __init__(self, lens: CopiesLens, sight: tuple[int, int], trained: int) -> None:
        super().__init__()
        self._lens = lens
        self._rows = CopyRows(lens, sight, trained)
        self._pane = Pane("Is it copying?", self._rows, id="copies-pane")
        self._help = HelpText()
        self._explains: bool | None = None

    def compose(self) -> ComposeResult:
        self._pane.lower.show(
            [Part("enter shows where it is from", rank=1, brief="enter: its source")],
            [
                Part("● in sight", palette.ACCENT, 4),
                Part("r what is new", palette.QUIET, 5),
                Part("? what this is", palette.QUIET, 3),
                Part("esc closes", palette.QUIET, 2),
            ],
        )
        yield self._pane
        yield self._help

    def on_mount(self) -> None:
        self.show()

    def on_resize(self, event: events.Resize) -> None:
        self._place_help(event.size.height)

    def _place_help(self, rows: int) -> None:
        self._help.display = rows >= ROOMY if self._explains is None else self._explains

    def action_explain(self) -> None:
        self._explains = not self._help.display
        self._place_help(self.size.height)

    def action_again(self) -> None:
        self._rows.copies = []
        self.show()

    def show(self) -> None:
        """What is known by now."""
        told = self._lens.told
        self._rows.show()
        figures = [
            Part("length, times, from character" if self._rows.roomy else "length, from character", palette.QUIET, 3)
        ]
        if told is not None and told.state == "ready":
            newest = f"of the newest {told.characters:,} characters"
            figures += [
                Part(
                    f"copied {100 * told.share:.0f} % {newest}",
                    palette.ACCENT_STRONG,
                    2,
                    f"copied {100 * told.share:.0f} %",
                )
            ]
        self._pane.upper.show([Part(self._pane.title, palette.STRONG, 1)], figures)

    def action_close(self) -> None:
        self.dismiss(None)
