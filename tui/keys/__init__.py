"""One table of keys. Bindings, footer, help screen, command palette and the README's table are made from it."""

from __future__ import annotations

from collections.abc import Iterator

from textual.binding import Binding, BindingType

from tui.keys import chart, corpus, editing, leaving, panes, rows, stream, training
from tui.keys.key import Key

__all__ = ["GROUPS", "TABLE", "Key", "bindings", "footer", "grouped", "markdown"]

TABLE: tuple[Key, ...] = (
    *training.KEYS,
    *stream.KEYS,
    *chart.KEYS,
    *corpus.KEYS,
    *panes.KEYS,
    *leaving.KEYS,
    *rows.KEYS,
    *editing.KEYS,
)
GROUPS = tuple(dict.fromkeys(key.group for key in TABLE))


def bindings(pane: str = "") -> list[BindingType]:
    """What the app binds, or the widget that has the focus in `pane`."""
    return [
        Binding(
            ",".join(key.keys),
            key.action,
            key.description,
            show=False,
            id=key.id,
            priority=key.keys[-1].startswith("ctrl+"),
        )
        for key in TABLE
        if key.action and key.pane == pane
    ]


def footer(pane: str = "") -> list[tuple[str, str, int]]:
    """What the footer may show while `pane` has the focus: keys, word, rank; the pane's own keys come first."""
    shown = [key for key in TABLE if key.label and key.pane == pane]
    if pane:
        shown += [key for key in TABLE if key.label and not key.pane]
    return [(key.footer_keys or key.shown.split()[0], key.label, key.rank) for key in shown]


def grouped() -> Iterator[tuple[str, list[Key]]]:
    """The table by group, for the help screen."""
    for group in GROUPS:
        yield group, [key for key in TABLE if key.group == group]


def markdown() -> str:
    """The README's table of keys."""
    lines: list[str] = ["| key | does |", "|---|---|"]
    for _, keys in grouped():
        for key in keys:
            names = " ".join(f"`{name}`" for name in key.shown.split())
            lines.append(f"| {names} | {key.description.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"
