"""The keys and the mouse of the cursor in the stream's text, and of the candidates beside it."""

from __future__ import annotations

from textual import events

from charrnn.engine.choice_messages import GoToEnd, StepStream, TakeInstead, UndoGoingBack
from tui.choice_rows import candidates_of
from tui.panes.choosing import Choosing
from tui.terminal import width


class ChoosingKeys(Choosing):
    """Every key that moves the cursor holds the stream still."""

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_choice_leave(self) -> None:
        if self.choosing:
            self.leave()
        else:
            self.action_select_nothing()

    def action_choice_move(self, by: int) -> None:
        branches = self.transcript.branches
        self._still()
        if by < 0:
            here = branches.branch_at(self.position) if self.position < branches.end else None
            if self.position >= branches.end:
                self.go_to(max(0, branches.end - 1))
            elif here is not None and self.position > here.position:
                self.go_to(self.position - 1)
            elif here is not None and here.after is not None:
                self.go_to(here.after - 1)
            return
        for first, end in branches.path():
            if self.position < first:
                self.go_to(first)
                return
            if first <= self.position < end - 1:
                self.go_to(self.position + 1)
                return
        self.go_to(branches.end)

    def _still(self) -> None:
        self._follows = False
        self._stand_still(True)

    def action_scroll_rows(self, rows: int) -> None:
        if not self.choosing:
            super().action_scroll_rows(rows)
            return
        self._still()
        row, column = self.find(self.position)
        step = 1 if rows > 0 else -1
        left = abs(rows)
        number = row
        while 0 <= number + step < len(self.transcript.index):
            number += step
            positions = self.transcript.positions(number)
            if any(one >= 0 for one in positions):
                left -= 1
                if left <= 0:
                    break
        known = [(abs(at - column), one) for at, one in enumerate(self.transcript.positions(number)) if one >= 0]
        if known and number != row:
            self.go_to(min(known)[1])

    def action_scroll_pages(self, pages: int) -> None:
        if self.choosing:
            self.action_scroll_rows(pages * max(1, self.text_rows - 1))
        else:
            super().action_scroll_pages(pages)

    def action_scroll_to_top(self) -> None:
        if not self.choosing:
            super().action_scroll_to_top()
            return
        self._still()
        path = self.transcript.branches.path()
        if path:
            self.go_to(path[0][0])

    def action_scroll_to_end(self) -> None:
        if not self.choosing:
            super().action_scroll_to_end()
            return
        self._still()
        self.go_to(max(0, self.transcript.branches.end - 1))

    def action_choice_candidate(self, by: int) -> None:
        found = candidates_of(self.told)
        if found:
            self._still()
            self.explained = False
            self.candidate = (self.candidate + by) % len(found)
            self.draw_panel()

    def action_choice_take(self) -> None:
        """What is marked is taken, and the stream goes on from there."""
        found = candidates_of(self.told)
        if self.told is None or not 0 <= self.candidate < len(found):
            return
        position = self.told.first if self.told.taken is not None else self.told.position
        self.order(TakeInstead(position, found[self.candidate].token))
        self._follows = True
        self._stand_still(False)

    def action_choice_step(self) -> None:
        self._stand_still(True)
        self._follows = True
        self.order(StepStream())

    def action_choice_undo(self) -> None:
        self._follows = True
        self.order(UndoGoingBack())

    def action_choice_redo(self) -> None:
        self._follows = True
        self.order(UndoGoingBack(redo=True))

    def action_choice_tree(self) -> None:
        self.show_tree()

    def action_choice_explain(self) -> None:
        self.explained = not self.explained
        self.draw_panel()

    def go_to_branch(self, end: int) -> None:
        """The stream writes on from the end of the branch whose last character is before position `end`."""
        self.order(GoToEnd(end - 1))
        self._follows = True
        self._stand_still(False)

    # ---- the mouse -------------------------------------------------------------------------------------------

    def on_click(self, event: events.Click) -> None:
        if not self.choosing:
            super().on_click(event)
            return
        x, y = event.x - self.gutter.left, event.y - self.gutter.top
        row = y if self.panel_columns else y - self.text_rows - 1
        if (x >= self.size.width - self.panel_columns) if self.panel_columns else (y >= self.text_rows):
            self._click_panel(row, twice=event.chain > 1)
            return
        number = min(self.top + y, len(self.transcript.index) - 1)
        positions = self.transcript.positions(number)
        cells = 0
        for text, position in zip(self.row_text(number), positions, strict=False):
            cells += width(text)
            if position >= 0 and x - 1 < cells:
                self._still()
                self.go_to(position)
                return

    def _click_panel(self, row: int, *, twice: bool) -> None:
        found = candidates_of(self.told)
        heads = len(self._panel) - len(found)
        if heads >= 0 and heads <= row < len(self._panel) and not self.explained:
            self._still()
            self.candidate = row - heads
            self.draw_panel()
            if twice:
                self.action_choice_take()
