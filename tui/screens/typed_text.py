"""The text that is typed, each character in its level's style, with a cursor of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Offset
from textual.message import Message

from tui import palette
from tui.lenses import UNKNOWN, Lens
from tui.pages import shown
from tui.panes.rows import Rows
from tui.terminal import width, wrap
from tui.typed import Typed

Row = Sequence[tuple[str, Style]]

CURSOR = Style(reverse=True)
STRANGE = palette.WARNING + Style(underline=True, strike=True)
"""Of a character that the model does not know."""
SPACE_FROM = 2
"""The level from which on a space and a line break are made visible: there is something to see."""
INVITATION = (
    "Type or paste a text: what you write, an e-mail, a line of the corpus with a slip in it.\n"
    "Each character takes a colour as soon as the model has read it."
)


def in_styles(raw: str, styles: Sequence[Style]) -> list[tuple[str, Style]]:
    """A row of raw text, without its line break, each character in its own style."""
    drawn = shown(raw)
    made: list[tuple[str, Style]] = []
    plain = len(drawn) == len(raw)
    begin = 0
    while begin < len(raw):
        stop = begin
        while stop < len(raw) and styles[stop] == styles[begin]:
            stop += 1
        left, right = (begin, stop) if plain else (len(shown(raw[:begin])) if begin else 0, len(shown(raw[:stop])))
        made.append((drawn[left:right], styles[begin]))
        begin = stop
    return made


class TypedText(Rows):
    """`typed` is the text. What changes it or moves in it is told to the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1)", show=False),
        Binding("right", "move(1)", show=False),
        Binding("ctrl+left", "move_word(-1)", show=False),
        Binding("ctrl+right", "move_word(1)", show=False),
        Binding("ctrl+home", "move_to_end(-1)", show=False),
        Binding("ctrl+end", "move_to_end(1)", show=False),
        Binding("enter", "line_break", show=False),
        Binding("backspace", "erase(-1)", show=False),
        Binding("delete", "erase(1)", show=False),
        Binding("ctrl+w", "erase_word", show=False, priority=True),
    ]

    class Changed(Message):
        """The text is another; for `lost` characters there was no room."""

        def __init__(self, lost: int = 0) -> None:
            super().__init__()
            self.lost = lost

    class Moved(Message):
        pass

    def __init__(self, typed: Typed, lens: Lens | None) -> None:
        super().__init__(id="typed-text")
        self.typed, self.lens = typed, lens
        self.strange = ""

    # ---- drawing ---------------------------------------------------------------------------------------------

    @property
    def _room(self) -> int:
        """Cells of a row's text: one is left for a line break, or for the cursor behind the last character."""
        return max(1, self.text_columns - 1)

    def row_count(self) -> int:
        return len(self.typed.starts) if self.typed.text else max(1, len(self._invitation()))

    def _invitation(self) -> list[str]:
        return wrap(INVITATION, self._room)

    def row_segments(self, number: int) -> Row:
        typed = self.typed
        if not typed.text:
            words = self._invitation()[number] if number < len(self._invitation()) else ""
            at = number == 0 and self.has_focus
            return [(" ", CURSOR if at else palette.PLAIN), (words, palette.QUIET)]
        first, end = typed.span(number)
        raw = typed.text[first:end]
        line = raw.removesuffix("\n")
        levels = [UNKNOWN] * len(raw) if self.lens is None else self.lens.levels(first, end)
        styles = [self._style(character, level) for character, level in zip(raw, levels, strict=True)]
        spaces = (
            "␣" if character == " " and level >= SPACE_FROM else character
            for character, level in zip(line, levels, strict=False)
        )
        cursor = typed.cursor - first
        here = self.has_focus and typed.row_of(typed.cursor) == number
        if here and cursor < len(styles):
            styles[cursor] = styles[cursor] + CURSOR if not styles[cursor].reverse else palette.ACCENT + CURSOR
        row = in_styles("".join(spaces), styles[: len(line)])
        if len(raw) > len(line):
            row.append(("↵", styles[-1] if self.lens is not None or here else palette.QUIET))
        elif here and cursor == len(line):
            row.append((" ", CURSOR))
        return row

    def _style(self, character: str, level: int) -> Style:
        if character in self.strange:
            return STRANGE
        if level == UNKNOWN or self.lens is None:
            return palette.QUIET if character == "\n" else palette.PLAIN
        return self.lens.styles[level]

    def draw(self, changed_from: int = 0) -> None:
        """Draws the rows from the one of a character on."""
        self.refresh_rows(self.typed.row_of(max(0, changed_from)), max(self.row_count(), self.top + self.size.height))

    def levels_in_sight(self) -> dict[int, list[int]]:
        """Of the characters of each row in sight."""
        rows = range(self.top, min(self.top + self.size.height, len(self.typed.starts)))
        return {} if self.lens is None else {row: list(self.lens.levels(*self.typed.span(row))) for row in rows}

    def draw_changed(self, before: dict[int, list[int]]) -> None:
        """Draws the rows in sight whose levels are no longer what they were."""
        for row, levels in self.levels_in_sight().items():
            if before.get(row) != levels:
                self.refresh_rows(row, row + 1)

    def on_resize(self, event: events.Resize) -> None:
        self.typed.wrap(self._room)
        self._follow()
        self.refresh()

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    # ---- the cursor ------------------------------------------------------------------------------------------

    @property
    def cursor_screen_offset(self) -> Offset:
        """Where an input method opens its window."""
        row, cell = self.typed.place
        region = self.content_region
        return Offset(region.x + 1 + cell, region.y + min(max(0, row - self.top), max(0, region.height - 1)))

    def _follow(self) -> None:
        row, _ = self.typed.place
        height = max(1, self.size.height)
        top = min(max(self.top, row - height + 1), row)
        top = min(top, max(0, self.row_count() - height))
        if top != self.top:
            self.top = top
            self.refresh()
        if self.is_attached:
            self.app.cursor_position = self.cursor_screen_offset

    def moved(self, before: int) -> None:
        """The cursor was at `before`."""
        self.select(None)
        for row in {self.typed.row_of(min(before, len(self.typed.text))), self.typed.row_of(self.typed.cursor)}:
            self.refresh_rows(row, row + 1)
        self._follow()
        self.post_message(self.Moved())

    def go(self, character: int) -> None:
        before = self.typed.cursor
        self.typed.go(character)
        self.moved(before)

    def action_move(self, by: int) -> None:
        self.go(self.typed.cursor + by)

    def action_move_word(self, direction: int) -> None:
        self.go(self.typed.word(direction))

    def action_move_to_end(self, direction: int) -> None:
        self.go(0 if direction < 0 else len(self.typed.text))

    def action_scroll_rows(self, rows: int) -> None:
        before = self.typed.cursor
        self.typed.move_rows(rows)
        self.moved(before)

    def action_scroll_pages(self, pages: int) -> None:
        self.action_scroll_rows(pages * max(1, self.size.height - 1))

    def action_scroll_to_top(self) -> None:
        self.go(self.typed.starts[self.typed.place[0]])

    def action_scroll_to_end(self) -> None:
        row = self.typed.place[0]
        first, end = self.typed.span(row)
        self.go(end - (row + 1 < len(self.typed.starts)) if end > first else end)

    def on_click(self, event: events.Click) -> None:
        super().on_click(event)
        if event.chain == 1 and self.selection is None and self.typed.text:
            y, x = event.y - self.gutter.top, event.x - self.gutter.left - 1
            self.go(self.typed.at(self.top + y, x))

    # ---- typing ----------------------------------------------------------------------------------------------

    def check_consume_key(self, key: str, character: str | None) -> bool:
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        if event.character is not None and event.is_printable:
            event.stop()
            event.prevent_default()
            self.put(event.character)

    def on_paste(self, event: events.Paste) -> None:
        event.stop()
        self.put(event.text.replace("\r\n", "\n").replace("\r", "\n"))

    def put(self, text: str) -> None:
        """Types a text."""
        text = text.encode("utf-8", "replace").decode() if not text.isascii() else text  # no lone surrogates
        before = self.typed.cursor
        lost = self.typed.insert(text)
        self._changed(before, lost)

    def _changed(self, before: int, lost: int = 0) -> None:
        self.select(None)
        row = self.typed.row_of(min(before, self.typed.cursor, len(self.typed.text)))
        self.draw(self.typed.starts[max(0, row - 1)])
        self._follow()
        self.post_message(self.Changed(lost))

    def action_line_break(self) -> None:
        self.put("\n")

    def action_erase(self, direction: int) -> None:
        at = self.typed.cursor
        self.typed.remove(at, at + direction)
        self._changed(at)

    def action_erase_word(self) -> None:
        at = self.typed.cursor
        self.typed.remove(self.typed.word(-1), at)
        self._changed(at)

    def undo(self) -> bool:
        done = self.typed.undo()
        self._changed(0)
        return done

    def redo(self) -> bool:
        done = self.typed.redo()
        self._changed(0)
        return done

    def clear(self) -> None:
        self.typed.remove(0, len(self.typed.text))
        self._changed(0)

    @property
    def cells(self) -> int:
        """How wide the text's widest row is."""
        return max((width(shown(self.typed.line(row))) for row in range(len(self.typed.starts))), default=0)
