"""The text that is about to be chosen: its beginning; and the list of what a path may become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.style import Style
from textual import events
from textual.message import Message

from tui import palette
from tui.completion import Candidate
from tui.panes.rows import Rows
from tui.terminal import ELLIPSIS, fit, pad, safe, safe_line, width, wrap

if TYPE_CHECKING:
    from charrnn.text.preview import Look

CHARACTERS = 20_000
"""Of the beginning that are shown."""


class Preview(Rows):
    """The beginning of a text."""

    def __init__(self) -> None:
        super().__init__(id="text-preview")
        self._text = ""
        self._rows: list[str] = []

    def show(self, look: Look | None) -> None:
        text = safe(look.head[:CHARACTERS]) if look is not None else ""
        if text != self._text:
            self._text, self.top = text, 0
            self._wrap()

    def on_resize(self, event: events.Resize) -> None:
        self._wrap()

    def _wrap(self) -> None:
        self._rows = wrap(self._text, self.text_columns) if self._text else []
        self.top = min(self.top, self.last_top)
        self.refresh()

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        return [(self._rows[number].rstrip(), palette.PLAIN)]


def _ending(text: str, columns: int) -> str:
    """The end of a path that is too long, for that is what tells it from the others."""
    if width(text) <= columns:
        return text
    begin = max(0, len(text) - columns + 1)
    while begin < len(text) and width(text[begin:]) > columns - 1:
        begin += 1
    return ELLIPSIS + text[begin:]


class CandidateList(Rows, can_focus=False):
    """What a path may become; the path's field keeps the focus and moves the highlight. A click posts `Taken`."""

    class Taken(Message):
        def __init__(self, candidate: Candidate) -> None:
            super().__init__()
            self.candidate = candidate

    def __init__(self) -> None:
        super().__init__(id="candidates")
        self._found: list[Candidate] = []
        self._at: int | None = None

    @property
    def found(self) -> list[Candidate]:
        return self._found

    @property
    def highlighted(self) -> Candidate | None:
        return None if self._at is None else self._found[self._at]

    def show(self, found: list[Candidate]) -> None:
        if found != self._found:
            self._found, self._at, self.top = found, None, 0
            self.refresh()

    def move(self, rows: int) -> bool:
        """Moves the highlight; whether there was somewhere to move to. Above the first there is none."""
        if not self._found:
            return False
        before = -1 if self._at is None else self._at
        at = min(before + rows, len(self._found) - 1)
        self._at = at if at >= 0 else None
        height = max(1, self.size.height)
        top = max(0, min(max(self.top, at - height + 1), at))
        if top != self.top:
            self.top = top
            self.refresh()
        else:
            self.refresh_rows(max(0, before), max(0, before) + 1)
            self.refresh_rows(max(0, at), max(0, at) + 1)
        return self._at != (None if before < 0 else before)

    def row_count(self) -> int:
        return len(self._found)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        one = self._found[number]
        columns = self.text_columns
        marked = number == self._at
        remark = fit(safe_line(one.remark), columns // 2)
        text = pad(_ending(safe_line(one.text), columns - width(remark) - 4), max(1, columns - width(remark) - 4))
        style = palette.ACCENT_STRONG if marked else palette.ACCENT if one.folder else palette.PLAIN
        return [("▐ " if marked else "  ", palette.ACCENT), (text + "  ", style), (remark, palette.QUIET)]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = self.top + event.y
        if number < len(self._found):
            self.post_message(self.Taken(self._found[number]))
