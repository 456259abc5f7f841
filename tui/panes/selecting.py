"""Rows of text of which a piece can be selected: with the mouse, or row by row with shift and the arrow keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.selection import Place, Selection, word_at

SHOWN = Style(reverse=True)


class Selecting(Widget):
    """What rows need for it; they say which rows there are and what stands in them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("shift+up", "select_rows(-1)", show=False),
        Binding("shift+down", "select_rows(1)", show=False),
        Binding("escape", "select_nothing", show=False),
    ]
    selection: Selection | None = None
    top = 0
    _anchor: Place | None = None
    _rows_from: int | None = None
    _rows_to = 0

    class Selected(Message):
        """The mouse let go of a selection."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    # ---- what the rows tell ----------------------------------------------------------------------------------

    def row_count(self) -> int:
        raise NotImplementedError

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        raise NotImplementedError

    def move_to(self, top: int) -> None:
        raise NotImplementedError

    def continues(self, number: int) -> bool:
        """Whether a row goes on with the line of the row before, which was too long for one."""
        return False

    def selecting(self, busy: bool) -> None:
        """Called when the mouse begins to select, and when it has ended."""

    # ---- what is selected ------------------------------------------------------------------------------------

    def row_text(self, number: int) -> str:
        return "".join(text for text, _ in self.row_segments(number))

    def selected_text(self) -> str:
        """As it is shown, a line that was wrapped in one piece."""
        if self.selection is None:
            return ""
        first, last = max(0, self.selection.begin[0]), min(self.selection.end[0], self.row_count() - 1)
        text = ""
        for number in range(first, last + 1):
            if number > first and not self.continues(number):
                text = text.rstrip(" ") + "\n"
            text += self.selection.of(number, self.row_text(number))
        return text

    def select(self, selection: Selection | None) -> None:
        if selection != self.selection:
            self.selection = selection
            self.refresh()

    def move_selection(self, rows: int) -> None:
        """Rows were put before all others, or (fewer than none) dropped there."""
        if self.selection is not None:
            moved = self.selection.moved(rows)
            self.selection = moved if moved.end[0] >= 0 else None
        if self._anchor is not None:
            self._anchor = (self._anchor[0] + rows, self._anchor[1])
        self._rows_to += rows
        if self._rows_from is not None:
            self._rows_from += rows

    def show_selected(self, number: int, strip: Strip) -> Strip:
        """A row's strip, which begins with a blank, with what of it is selected shown so."""
        columns = None
        if self.selection is not None and self.selection.begin[0] <= number <= self.selection.end[0]:
            columns = self.selection.columns(number, self.row_text(number)) if number < self.row_count() else None
        length = strip.cell_length
        if columns is None or 1 + columns[0] >= length:
            return strip
        begin, end = 1 + columns[0], min(1 + columns[1], max(1, length - 1))
        if begin >= end:
            return strip
        pieces = strip.divide([begin, end, length])
        return Strip.join([pieces[0], pieces[1].apply_style(SHOWN), *pieces[2:]])

    # ---- the mouse -------------------------------------------------------------------------------------------

    def _place(self, event: events.MouseEvent) -> Place:
        """The cell of the text under the pointer; beyond an edge, the nearest."""
        gutter, size = self.gutter, self.size
        y = min(max(0, event.y - gutter.top), max(0, size.height - 1))
        x = min(max(0, event.x - gutter.left - 1), max(0, size.width - 3))
        return min(self.top + y, max(0, self.row_count() - 1)), x

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if event.button == 1:
            self._rows_from = None
            self.select(None)
            self._anchor = self._place(event)
            self.capture_mouse()
            self.selecting(True)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._anchor is None:
            return
        if not event.button:  # it was let go where nobody heard it
            self._let_go()
            return
        y = event.y - self.gutter.top
        if y < 0 or y >= self.size.height:
            self.move_to(self.top + (-1 if y < 0 else 1))
        place = self._place(event)
        if place != self._anchor or self.selection is not None:
            self.select(Selection.between(self._anchor, place))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        if self._anchor is not None:
            self._let_go()
            self._post()

    def on_click(self, event: events.Click) -> None:
        """Twice: the word; three times: the row."""
        if event.chain not in (2, 3) or not self.row_count():
            return
        row, column = self._place(event)
        text = self.row_text(row)
        self.select(word_at(row, text, column) if event.chain == 2 else Selection((row, 0), (row + 1, 0)))
        self._post()

    def _let_go(self) -> None:
        self._anchor = None
        self.release_mouse()
        self.selecting(False)

    def _post(self) -> None:
        text = self.selected_text()
        if text.strip():
            self.post_message(self.Selected(text))

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_select_rows(self, by: int) -> None:
        """From the last row in sight on, a row more in that direction."""
        last = max(0, self.row_count() - 1)
        if self._rows_from is None or self.selection is None:
            self._rows_from = self._rows_to = min(self.top + max(0, self.size.height - 1), last)
            self.selecting(True)
        else:
            self._rows_to = min(max(0, self._rows_to + by), last)
        first, end = min(self._rows_from, self._rows_to), max(self._rows_from, self._rows_to)
        if self._rows_to < self.top:
            self.move_to(self._rows_to)
        elif self._rows_to >= self.top + self.size.height:
            self.move_to(self._rows_to - self.size.height + 1)
        self.select(Selection((first, 0), (end + 1, 0)))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """With nothing selected esc means what it means elsewhere."""
        return action != "select_nothing" or self.selection is not None

    def action_select_nothing(self) -> None:
        if self._rows_from is not None:
            self._rows_from = None
            self.selecting(False)
        self.select(None)
