"""Lines to type into, and the words beside and below them."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from tui import keys, palette
from tui.escapes import escaped, read, written
from tui.terminal import fit, pad, width, wrap

LABEL = 8


class Field(Input):
    """A line to type into; what a terminal would act on is shown as an escape, as in the prime."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("new run"),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    class Moved(Message):
        """An arrow key asks for the field above (−1) or below (1)."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def __init__(self, *, id: str, placeholder: str = "") -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(placeholder=placeholder, select_on_focus=False, id=id)
        self.cursor_blink = False

    @property
    def text(self) -> str:
        """What was typed, without blanks around it."""
        return read(self.value).strip()

    def put(self, text: str) -> None:
        """Replaces what stands there, the cursor behind it."""
        self.value = written(text)
        self.cursor_position = len(self.value)

    def insert_text_at_cursor(self, text: str) -> None:
        super().insert_text_at_cursor("".join(map(escaped, text)))

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        lines = event.text.strip().splitlines()
        if not lines:
            return
        if self.selection.is_empty:
            super().insert_text_at_cursor(written(lines[0]))
        else:
            self.replace(written(lines[0]), *self.selection)

    def action_move(self, rows: int) -> None:
        self.post_message(self.Moved(rows))


class Words(Widget):
    """Words that stand still: a label, or a remark in as many rows as it needs, `most` at most."""

    DEFAULT_CSS = "Words { height: 1; width: 1fr; }"

    def __init__(self, text: str = "", *, most: int = 1, indent: int = 0) -> None:
        super().__init__()
        self._text, self._tone = text, "quiet"
        self._most, self._indent = most, indent

    @property
    def text(self) -> str:
        return self._text

    def say(self, text: str, tone: str = "quiet") -> None:
        """Safe text, quiet, plain, or as an error; "" takes its rows away where there may be several."""
        if (text, tone) != (self._text, self._tone):
            self._text, self._tone = text, tone
            self._fit()

    def on_resize(self, event: events.Resize) -> None:
        self._fit()

    def _lines(self) -> list[str]:
        room = max(1, self.size.width - self._indent)
        lines = wrap(self._text, room)
        if len(lines) > self._most:
            lines = [*lines[: self._most - 1], fit(lines[self._most - 1] + " …", room)]
        return lines

    def _fit(self) -> None:
        rows = len(self._lines()) if self._most > 1 else 1
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.refresh()

    def render_line(self, y: int) -> Strip:
        lines = self._lines()
        style = {"error": palette.ERROR, "plain": palette.PLAIN, "accent": palette.ACCENT}.get(
            self._tone, palette.QUIET
        )
        text = lines[y] if y < len(lines) else ""
        return Strip([Segment(" " * self._indent), Segment(text, style)]).adjust_cell_length(self.size.width)


class FieldRow(Horizontal):
    """A label and what stands beside it; words between are as wide as they are."""

    DEFAULT_CSS = """
    FieldRow { height: 1; width: 1fr; }
    FieldRow > Words { width: auto; }
    """

    def __init__(self, label: str, *parts: Field | str) -> None:
        super().__init__()
        self._parts = [pad(label, LABEL), *parts]

    def compose(self) -> ComposeResult:
        for part in self._parts:
            if isinstance(part, str):
                words = Words(part)
                words.styles.width = width(part)
                yield words
            else:
                yield part
