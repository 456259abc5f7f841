"""What is wrong for as long as it is: rows under the status line, none while all is well."""

from __future__ import annotations

from rich.segment import Segment
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui import palette
from tui.terminal import ELLIPSIS, fit, safe_line, wrap

_MARK = " ▌ "
_ROWS_A_ROW = 8
"""A banner row for every so many rows of the screen, one at least."""


def banner_rows(troubles: tuple[str, ...], columns: int, rows: int) -> list[str]:
    """The sentences wrapped into `columns`, each beginning a row, in no more rows than a screen of `rows` can spare.

    Where they do not fit, each keeps its beginning and the last shown ends with an ellipsis.
    """
    most = max(1, rows // _ROWS_A_ROW)
    room = columns - len(_MARK) - 1
    if room < 1:
        return []
    shown: list[str] = []
    for number, words in enumerate(troubles[:most]):
        spare = most - len(shown) - (min(len(troubles), most) - number - 1)
        lines = [line.rstrip() for line in wrap(safe_line(words), room)]
        if len(lines) > spare:
            lines = [*lines[: spare - 1], fit(lines[spare - 1], room - 1).rstrip(ELLIPSIS) + ELLIPSIS]
        shown += lines
    return shown


class Banner(Widget):
    """`show` is told every time; it draws only what changed."""

    DEFAULT_CSS = "Banner { height: 1; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="banner")
        self._troubles: tuple[str, ...] = ()
        self._room = Size(80, 24)
        self._shown: list[str] = []

    def show(self, troubles: tuple[str, ...]) -> None:
        if troubles != self._troubles:
            self._troubles = troubles
            self._fit()

    def put(self, room: Size) -> None:
        """Fits into a screen of that size."""
        self._room = room
        self._fit()

    def _fit(self) -> None:
        self._shown = banner_rows(self._troubles, *self._room)
        self.display = bool(self._shown)
        self.styles.height = max(1, len(self._shown))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        text = self._shown[y] if y < len(self._shown) else ""
        return Strip([Segment(_MARK + text, palette.ERROR)]).adjust_cell_length(self.size.width)
