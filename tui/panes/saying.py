"""A row at the foot of a screen that can give its place to a sentence, over as many rows as that needs."""

from __future__ import annotations

from rich.segment import Segment
from textual import events
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import fit, safe_line, wrap

LEVELS = {"info": palette.ACCENT, "warning": palette.WARNING, "error": palette.ERROR}


class SayingRow(Widget):
    """Four rows at most, and a third of the screen; a longer sentence is cut. A subclass draws what stands there else.

    Where there is `footer` False or no room, it is only there for as long as a sentence stands.
    """

    DEFAULT_CSS = "SayingRow { height: 1; width: 1fr; }"

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.notice: tuple[str, str] | None = None
        self._room = Size(80, 24)
        self._footer = True

    def put(self, room: Size, *, footer: bool = True) -> None:
        """Fits onto a screen of that size, on which there is a footer or not."""
        self._room, self._footer = room, footer
        self._fit_height()

    def show_notice(self, level: str, text: str) -> None:
        """A sentence of that level: info, warning, error."""
        self.notice = (level, safe_line(text))
        self._fit_height()

    def clear_notice(self) -> None:
        if self.notice is not None:
            self.notice = None
            self._fit_height()

    def on_resize(self, event: events.Resize) -> None:
        self._fit_height()

    def _rows(self) -> list[str]:
        if self.notice is None:
            return []
        most = min(4, max(1, self._room.height // 3))
        lines = wrap(self.notice[1], max(1, self._room.width - 4))
        if len(lines) > most:
            lines = [*lines[: most - 1], fit(f"{lines[most - 1].rstrip()} {lines[most]}", max(1, self._room.width - 4))]
        return lines

    def _fit_height(self) -> None:
        self.display = self._room.height > 1 and (self._footer or self.notice is not None)
        rows = max(1, len(self._rows()))
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.refresh()

    def said(self, y: int) -> Strip | None:
        """A row of the sentence; None while there is none."""
        if self.notice is None:
            return None
        rows, columns = self._rows(), self.size.width
        style = LEVELS.get(self.notice[0], palette.ACCENT)
        mark = Segment(" ▌ " if columns > 4 else "", style)
        return Strip([mark, Segment(rows[y] if y < len(rows) else "", style)]).adjust_cell_length(columns)
