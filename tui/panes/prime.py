r"""The line in which the prime is edited, while text goes on streaming above it.

The line shows one row, a prime may have several: in the line a newline is written `\n`, a tab `\t`, a backslash
`\\`, and what a terminal cannot show `\u200d`.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from textual import events
from textual.binding import Binding
from textual.message import Message
from textual.widgets import Input

from tui.terminal import safe_line

_WRITTEN = {"\n": "\\n", "\t": "\\t", "\\": "\\\\"}
_READ = {"n": "\n", "t": "\t", "\\": "\\"}
_ESCAPE = re.compile(r"\\(?:([nt\\])|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))")


def _escaped(character: str) -> str:
    if safe_line(character) == character:
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def written(prime: str) -> str:
    """A prime as it stands in the line."""
    return "".join(_WRITTEN.get(character) or _escaped(character) for character in prime)


def read(line: str) -> str:
    """The prime that the line means; a backslash that begins no escape is a backslash."""

    def character(found: re.Match[str]) -> str:
        short, four, eight = found.groups()
        if short:
            return _READ[short]
        code = int(four or eight, 16)
        return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else found.group()

    return _ESCAPE.sub(character, line)


def unknown_in(prime: str, alphabet: Collection[str]) -> str:
    """The characters of `prime` that are not in `alphabet`, each once, spaced, and safe to show."""
    missing = dict.fromkeys(character for character in prime if character not in alphabet)
    return " ".join(written(character) if character.isspace() else safe_line(character) for character in missing)


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
        self._name_unknown()

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def close(self) -> None:
        self.remove_class("-open")

    def insert_text_at_cursor(self, text: str) -> None:
        super().insert_text_at_cursor("".join(map(_escaped, text)))

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
