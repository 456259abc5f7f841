"""The help screen: the table of keys by group, and what the words on the screen mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from tui import keys, palette
from tui.panes.frame import Pane, Part
from tui.panes.rows import Rows
from tui.screens.covering import Covering
from tui.terminal import width, wrap

Row = list[tuple[str, Style]]

WORDS = (
    ("loss", "nats per character: how surprised the model is by the next character; lower is better"),
    ("held-out", "the loss on the end of the corpus, which it never learns from"),
    ("━ ─", "the chart's lines: held-out heavy, training thin; other runs are broken lines with their letter on them"),
    ("▲ ▼", "under the chart: from here on the learning rate is higher, lower, or cools down"),
    ("■ ◌ ✗", "a checkpoint was written; the trainer was started again; the run diverged and went back to here"),
    ("T", "temperature: logits are divided by it before the next character is drawn"),
    ("top-k", "only the k likeliest characters may come next"),
    ("top-p", "only the likeliest characters that together have probability p"),
    ("min-p", "only characters at least p times as likely as the likeliest"),
    ("⟨T 0.85⟩", "a mark in the stream: from here on the knob was set so"),
)


def help_rows(columns: int) -> list[Row]:
    """The whole text, wrapped into `columns` cells with the keys in a column of their own."""
    groups: list[tuple[str, list[tuple[str, str]]]] = [
        (group, [(key.shown, key.description) for key in table]) for group, table in keys.grouped()
    ]
    groups.append(("Words", list(WORDS)))
    margin = max(width(shown) for _, entries in groups for shown, _ in entries) + 2
    rows: list[Row] = []
    for group, entries in groups:
        if rows:
            rows.append([])
        rows.append([(group, palette.STRONG)])
        for shown, description in entries:
            for number, line in enumerate(wrap(description, max(10, columns - margin - 2))):
                name = "" if number else shown
                gap = " " * (margin - width(name))
                rows.append([("  " + name + gap, palette.ACCENT), (line.rstrip(), palette.PLAIN)])
    return rows


class HelpText(Rows):
    def __init__(self) -> None:
        super().__init__(id="help-text")
        self._rows: list[Row] = []

    def row_count(self) -> int:
        return len(self._rows)

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        return self._rows[number]

    def on_resize(self, event: events.Resize) -> None:
        self._rows = help_rows(self.text_columns)
        self.top = min(self.top, self.last_top)
        self.refresh()


class HelpScreen(Covering[None]):
    AUTO_FOCUS = "#help-text"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,f1,q", "close", "Close the help", show=False),
    ]

    def compose(self) -> ComposeResult:
        pane = Pane("Keys", HelpText(), id="help")
        pane.lower.show([Part("esc closes", rank=1)], [Part("↑ ↓ scroll", palette.QUIET, 2)])
        yield pane

    def action_close(self) -> None:
        self.dismiss()
