"""What a line of the table of keys says."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One thing a key does.

    `keys` are Textual's names; `shown` is how a person calls them. `label` is the footer's word ("" keeps it out of
    the footer), `footer_keys` what stands before it where one word serves two keys, of which `pair` is the other one's
    id, and `rank` says which labels go last when the footer is narrow (1 is the last to go). `action` is the app's
    action, or, where `pane` names one of the panes ("loss", "corpus", "stream"), that of the widget that has the focus
    in it: such keys mean something only there, and the footer shows them only then. Keys that a widget binds itself
    have no action here. `command` is the name in the command palette, "" for none.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    description: str
    group: str
    action: str = ""
    pane: str = ""
    label: str = ""
    footer_keys: str = ""
    pair: str = ""
    rank: int = 99
    command: str = ""
