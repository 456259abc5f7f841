"""Looking behind the stream's characters: a cursor in its text, beside it what each was chosen from."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import BindingType
from textual.geometry import Region
from textual.strip import Strip

from charrnn.engine.choice_messages import StreamOrder
from charrnn.engine.questions.choice import AskChoice, ChoiceTold
from tui import keys, palette
from tui.choice_rows import Row, below, beside, candidates_of, fits_beside, rows_of
from tui.panes.rows import Rows
from tui.terminal import width
from tui.transcript import Transcript

_CURSOR = Style(reverse=True, bold=True)
ASK_EVERY, ASK_EVERY_SLOW = 0.4, 1.5
"""Seconds between two looks at the newest choice while the stream goes on."""


class Choosing(Rows):
    """The stream's text with a cursor. While `choosing`, the keys of the pane "choice" are its keys.

    `ask` sends questions, `order` what the stream is to do, `hold` says whether it is to stand still, `leave` that the
    user is done, `show_tree` has the branches shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("choice")

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.transcript = Transcript()
        self.choosing = False
        self.held = False
        self.slow = False
        self.position = 0
        self.candidate = 0
        self.told: ChoiceTold | None = None
        self.explained = False
        self.ask: Callable[[AskChoice], object] = lambda question: None
        self.order: Callable[[StreamOrder], object] = lambda order: None
        self.hold: Callable[[bool], object] = lambda held: None
        self.leave: Callable[[], object] = lambda: None
        self.show_tree: Callable[[], object] = lambda: None
        self._number = 0
        self._asked_at = 0.0
        self._panel: list[Row] = []

    # ---- coming and going ------------------------------------------------------------------------------------

    def begin_choosing(self) -> None:
        """The cursor stands on the newest character, and the stream still."""
        self.choosing, self.explained, self.told = True, False, None
        self._stand_still(True)
        self.fit_again()
        self.go_to(max(0, self.transcript.branches.end - 1))

    def end_choosing(self) -> None:
        """The text has all the room again."""
        self.choosing = self.held = False
        self.fit_again()

    def _stand_still(self, held: bool) -> None:
        if held != self.held:
            self.held = held
            self.following = not held
            self.hold(held)
        self.lower_changed()

    def fit_again(self) -> None:
        raise NotImplementedError

    def lower_changed(self) -> None:
        """The pane's lower line may say something else."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys of this mode mean something else outside it; esc has one binding, for this and for the selection."""
        if action == "choice_leave" and not self.choosing:
            return self.selection is not None
        if action.startswith("choice_"):
            return self.choosing
        return super().check_action(action, parameters)

    # ---- room ------------------------------------------------------------------------------------------------

    @property
    def panel_columns(self) -> int:
        """The columns that the choice has beside the text; 0 where it stands below."""
        return beside(self.size.width) if self.choosing and fits_beside(self.size.width) else 0

    @property
    def panel_rows(self) -> int:
        """The rows that the choice has below the text; 0 where it stands beside it."""
        return below(self.size.height) if self.choosing and not fits_beside(self.size.width) else 0

    @property
    def text_columns(self) -> int:
        return max(1, super().text_columns - self.panel_columns)

    @property
    def text_rows(self) -> int:
        return max(1, super().text_rows - self.panel_rows)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        if not self.choosing:
            return self.text_line(y, columns)
        if self.panel_columns:
            beside_it = self._panel_line(y, self.panel_columns - 2)
            line = Segment("│ ", palette.QUIET)
            return Strip.join(
                [self.text_line(y, columns - self.panel_columns), Strip([line, *beside_it], self.panel_columns)]
            )
        if y < self.text_rows:
            return self.text_line(y, columns)
        if y == self.text_rows:
            return Strip([Segment("─" * columns, palette.QUIET)], columns)
        inner = max(1, columns - 2)
        below_it = self._panel_line(y - self.text_rows - 1, inner)
        return Strip([Segment(" "), *below_it, Segment(" ")], inner + 2).crop(0, columns)

    def _panel_line(self, row: int, columns: int) -> list[Segment]:
        pieces = self._panel[row] if row < len(self._panel) else []
        made = [Segment(text, style) for text, style in pieces]
        used = sum(width(text) for text, _ in pieces)
        strip = Strip([*made, Segment(" " * max(0, columns - used))]).crop(0, columns)
        return list(strip)

    def draw_panel(self) -> None:
        """Makes the panel anew, and draws the rows of it that are others."""
        before = self._panel
        columns, rows = (self.panel_columns - 2, self.size.height) if self.panel_columns else (0, 0)
        if not columns:
            columns, rows = max(1, self.size.width - 2), max(0, self.panel_rows - 1)
        self._panel = rows_of(self.told, self.candidate, max(1, columns), rows, explained=self.explained)
        left = self.size.width - self.panel_columns if self.panel_columns else 0
        top = 0 if self.panel_columns else self.text_rows + 1
        for row in range(max(len(before), len(self._panel))):
            if before[row : row + 1] != self._panel[row : row + 1]:
                self.refresh(Region(left, top + row, self.size.width - left, 1))

    def with_cursor(self, number: int, pieces: Sequence[tuple[str, Style]]) -> Sequence[tuple[str, Style]]:
        """A row's pieces, with the token under the cursor shown so."""
        if not self.choosing:
            return pieces
        told = self.told
        around = told is not None and not told.problem and told.first <= self.position < told.end
        first, end = (told.first, told.end) if around and told is not None else (self.position, self.position + 1)
        positions = self.transcript.positions(number)
        made: list[tuple[str, Style]] = []
        at = 0
        for text, style in pieces:
            begin = 0
            for index in range(len(text) + 1):
                here = index < len(text) and first <= positions[at + index] < end
                before = index > 0 and first <= positions[at + index - 1] < end
                if index and (index == len(text) or here != before):
                    made.append((text[begin:index], style + _CURSOR if before else style))
                    begin = index
            at += len(text)
        if self._at_end_of(number):
            made.append((" ", _CURSOR))
        return made

    def _at_end_of(self, number: int) -> bool:
        """Whether the cursor is on what a row has no character for: a line break, or what comes next."""
        row, column = self.find(self.position)
        return row == number and column == len(self.transcript.positions(number))

    # ---- the cursor ------------------------------------------------------------------------------------------

    def find(self, position: int) -> tuple[int, int]:
        """The row of a position, and its column there; that after the row's last for a line break."""
        transcript = self.transcript
        rows = len(transcript.index)
        key = (id(transcript), position, rows, transcript.branches.end, transcript.dropped_rows, transcript.columns)
        if key != self._found_for:
            self._found_for, self._found = key, self._find(position, rows)
        return self._found

    def _find(self, position: int, rows: int) -> tuple[int, int]:
        """Positions rise from row to row; rows of marks have none."""
        low, high = 0, rows - 1  # the row wanted is the last one that begins at or before the position
        best = 0
        while low <= high:
            middle = (low + high) // 2
            number = middle
            while number >= low and (first := self._first_of(number)) < 0:
                number -= 1
            if number < low:
                low = middle + 1
            elif first <= position:
                best, low = number, middle + 1
            else:
                high = number - 1
        positions = self.transcript.positions(best)
        return best, positions.index(position) if position in positions else len(positions)

    def _first_of(self, number: int) -> int:
        return next((one for one in self.transcript.positions(number) if one >= 0), -1)

    def go_to(self, position: int) -> None:
        """Puts the cursor there and asks for the choice behind it."""
        before = self.find(self.position)[0]
        self.position = position
        self.candidate, self.explained = -1, False
        row = self.find(position)[0]
        if self.held and not self.top <= row < self.top + self.text_rows:
            self.move_to(row - self.text_rows // 2 if row < self.top else row - self.text_rows + 1)
        for one in (before, row):
            self.refresh_rows(one, one + 1)
        self._ask()

    def _ask(self) -> None:
        self._number += 1
        self._asked_at = time.monotonic()
        if not self.transcript.branches.end:
            self.told = None
        self.ask(AskChoice(self._number, self.position))
        self.draw_panel()

    def hear_choice(self, told: ChoiceTold) -> None:
        """The engine's answer; one to an older question is passed over."""
        if not self.choosing or told.number != self._number:
            return
        row = self.find(self.position)[0]
        self.told = told
        found = candidates_of(told)
        if self.candidate < 0:
            taken = told.taken.token if told.taken is not None else None
            self.candidate = next((number for number, one in enumerate(found) if one.token == taken), 0)
        self.candidate = min(self.candidate, max(0, len(found) - 1))
        self.refresh_rows(max(0, row - 1), row + 2)
        self.draw_panel()

    def text_grew(self) -> None:
        """Called when the text was drawn: while the stream goes on the cursor goes with it, after a step too."""
        if not self.choosing:
            return
        branches = self.transcript.branches
        newest = branches.end - 1
        if self.held:
            if newest != self._newest and self._follows:
                self.go_to(newest)
        elif newest != self.position and time.monotonic() - self._asked_at >= (
            ASK_EVERY_SLOW if self.slow else ASK_EVERY
        ):
            self.go_to(newest)
        self._newest = newest

    _newest = -1
    _follows = False
    _found_for: tuple[int, ...] = ()
    _found = (0, 0)
