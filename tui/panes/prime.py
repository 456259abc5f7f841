"""The line in which the prime is edited, while text goes on streaming above it. See escapes.py for what it shows."""

from __future__ import annotations

from collections.abc import Collection

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from tui.escapes import escaped, read, unknown_in, written


class PrimeInput(Input):
    """A one-row input; enter posts `Applied`, esc posts `Left`."""

    BINDINGS = [Binding("escape", "leave", show=False)]  # noqa: RUF012 - Textual's own type

    class Applied(Message):
        def __init__(self, prime: str) -> None:
            super().__init__()
            self.prime = prime

    class Left(Message):
        pass

    class Unknown(Message):
        """The characters that the model does not know, as words for the user; "" when it knows them all."""

        def __init__(self, characters: str) -> None:
            super().__init__()
            self.characters = characters

    def __init__(self, hint: str = "the text to start from (\\n is a new line)", name: str = "prime") -> None:
        super().__init__(placeholder=hint, select_on_focus=False, id=name)
        self.cursor_blink = False
        self.alphabet: Collection[str] | None = None

    def open(self, prime: str) -> None:
        self.value = written(prime)
        self.cursor_position = len(self.value)
        self.add_class("-open")
        self.focus()
        self.call_after_refresh(self._show_end)
        self._name_unknown()

    def _show_end(self) -> None:
        """Until now there was no width to scroll in."""
        at, self.cursor_position = self.cursor_position, 0
        self.cursor_position = at

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def close(self) -> None:
        self.remove_class("-open")

    def insert_text_at_cursor(self, text: str) -> None:
        super().insert_text_at_cursor("".join(map(escaped, text)))

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = written(event.text.replace("\r\n", "\n").replace("\r", "\n"))
        if self.selection.is_empty:
            super().insert_text_at_cursor(text)
        else:
            self.replace(text, *self.selection)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._name_unknown()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Applied(read(self.value)))

    def action_leave(self) -> None:
        self.post_message(self.Left())

    def _name_unknown(self) -> None:
        if self.alphabet is not None:
            self.post_message(self.Unknown(unknown_in(read(self.value), self.alphabet)))
