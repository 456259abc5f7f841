"""One table of keys. Bindings, footer, help screen, command palette and the README's table are made from it.

Where the user has keys of their own, `remapped` makes the table that is in force; the app has it, and all that shows
keys is made from that one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.keys import (
    chart,
    choice,
    copying,
    corpus,
    editing,
    lanes,
    leaving,
    lenses,
    look,
    names,
    opening,
    panes,
    reading,
    remapping,
    rows,
    stream,
    training,
    travel,
    units,
)
from tui.keys.key import Key

if TYPE_CHECKING:
    from textual.binding import BindingType

__all__ = ["GROUPS", "TABLE", "Entry", "Key", "bindings", "footer", "grouped", "keymap", "markdown", "remapped"]

TABLE: tuple[Key, ...] = (
    *training.KEYS,
    *stream.KEYS,
    *chart.KEYS,
    *corpus.KEYS,
    *lenses.KEYS,
    *choice.KEYS,
    *reading.KEYS,
    *units.KEYS,
    *lanes.KEYS,
    *travel.KEYS,
    *copying.KEYS,
    *panes.KEYS,
    *look.KEYS,
    *leaving.KEYS,
    *rows.KEYS,
    *editing.KEYS,
    *opening.KEYS,
)
GROUPS = tuple(dict.fromkeys(key.group for key in TABLE))
HOMES = {
    "stream": "Stream",
    "loss": "Chart",
    "corpus": "Corpus",
    "prime": "Editing the prime",
    "choice": "The choice behind a character",
}
"""The groups that belong to a pane, also where their keys work everywhere; the pane's own keys need not stand here."""
_NO_KEY = "no-key"
"""What no terminal sends: an action whose keys were all taken away."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the footer may show: how the key is called, its word, and which entries go last when it is narrow."""

    shown: str
    label: str
    rank: int
    key: Key


def bindings(pane: str = "", table: Sequence[Key] = TABLE) -> list[BindingType]:
    """What the app binds, or the widget that has the focus in `pane`."""
    from textual.binding import Binding  # the settings are checked before anything is drawn

    return [
        Binding(
            ",".join(key.keys or (_NO_KEY,)),
            key.action,
            key.description,
            show=False,
            id=key.id,
            priority=key.keys[-1:] != () and key.keys[-1].startswith("ctrl+"),
        )
        for key in table
        if key.action and key.pane == pane
    ]


def remapped(mapping: Mapping[str, Sequence[str]]) -> tuple[Key, ...]:
    """The table with the user's keys, by the actions' ids. Raises UsageError for what cannot be."""
    return remapping.remapped(mapping, TABLE)


def keymap(table: Sequence[Key]) -> dict[str, str]:
    """What Textual's App.set_keymap needs so that the keys are those of `table`: only what differs from TABLE."""
    usual = {key.id: key.keys for key in TABLE}
    return {key.id: ",".join(key.keys or (_NO_KEY,)) for key in table if key.keys != usual[key.id]}


def footer(
    pane: str = "",
    table: Sequence[Key] = TABLE,
    *,
    idle: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
) -> list[Entry]:
    """What the footer may show while `pane` has the focus, that pane's own keys first.

    `idle` holds the ids of what would do nothing now, `labels` the words that are others now. In the line in which the
    prime is edited, a key that types a character does only that.
    """
    shown = [key for key in table if key.pane == pane] if pane else []
    shown += [key for key in table if not key.pane]
    hidden = {name for key in shown if pane and key.pane == pane for name in key.keys}
    entries = []
    for key in shown:
        label = (labels or {}).get(key.id, key.label)
        usable = [name for name in key.keys if key.pane or name not in hidden]
        if pane == "prime" and not key.pane:
            usable = [name for name in usable if not names.types(name) and name not in ("enter", "end")]
        if not label or key.id in idle or (not usable and (key.keys or key.action)):
            continue
        called = key.footer_keys or key.shown.split()[0] if usable == list(key.keys) else names.called(usable[0])
        # What is another word now is news, and the pane's own keys are what its user looks for.
        rank = key.rank - 100 if pane and key.pane else min(key.rank, 2) if key.id in (labels or {}) else key.rank
        entries.append(Entry(called, label, rank, key))
    return entries


def grouped(table: Sequence[Key] = TABLE, pane: str = "") -> Iterator[tuple[str, list[Key]]]:
    """The table by group, for the help screen: first the groups that belong to `pane`."""
    own = [group for group in GROUPS if group == HOMES.get(pane) or any(_is_of(key, group, pane) for key in table)]
    for group in (*own, *(group for group in GROUPS if group not in own)):
        yield group, [key for key in table if key.group == group]


def _is_of(key: Key, group: str, pane: str) -> bool:
    return bool(pane) and key.group == group and key.pane == pane


def markdown() -> str:
    """The README's table of keys; an id stands where the key can be another."""
    lines: list[str] = ["| key | does | id |", "|---|---|---|"]
    for group, keys in grouped():
        lines.append(f"| | **{group}** | |")
        for key in keys:
            called = " ".join(f"`{name}`" for name in key.shown.split())
            name = f"`{key.id}`" if key.action else ""
            lines.append(f"| {called} | {key.description.replace('|', chr(92) + '|')} | {name} |")
    return "\n".join(lines) + "\n"
