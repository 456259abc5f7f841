"""The table of keys with the user's own keys in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from charrnn.config import UsageError
from tui.keys import names
from tui.keys.key import Key

TAKEN = frozenset({"ctrl+a", "ctrl+b", "ctrl+h", "ctrl+i", "ctrl+j", "ctrl+m", "ctrl+s", "ctrl+q", "ctrl+z"})
"""Chords that tmux, screen or a terminal take for themselves, or send as another key."""
MOVES = frozenset({"tab", "shift+tab", "up", "down", "pageup", "pagedown", "home", "end", "escape"})
"""Keys that move about in every pane and screen, and are nobody else's."""


def remapped(mapping: Mapping[str, Sequence[str]], table: Sequence[Key]) -> tuple[Key, ...]:
    """`table` where each action whose id is in `mapping` has the keys given there, and no others.

    Keys are called as the help calls them, or as Textual does. Raises UsageError for an id or a key that there is not,
    a key that something else takes, and one that two actions would have.
    """
    known = {key.id: key for key in table}
    for name in mapping:
        if name not in known:
            import difflib  # a start with keys that are right need not wait for it

            near = difflib.get_close_matches(name, known, 3, 0.4)
            hint = f"; the nearest are {', '.join(near)}" if near else f"; there are {', '.join(known)}"
            raise UsageError(f"There is no action {name!r} to give a key to{hint}.")
        if not known[name].action:
            raise UsageError(f"The key of {name!r} is always {known[name].shown}; leave it out of the settings.")
    made = [_with_keys(key, mapping[key.id]) if key.id in mapping else key for key in table]
    _refuse_conflicts(made, mapping)
    first = {key.id: key.shown.split()[0] if key.shown else "" for key in made}
    return tuple(
        replace(key, footer_keys="/".join(filter(None, (first[key.id], first.get(key.pair, "")))))
        if key.footer_keys and not mapping.keys().isdisjoint({key.id, key.pair})
        else key
        for key in made
    )


def _with_keys(key: Key, wanted: Sequence[str]) -> Key:
    found = {}
    for word in wanted:
        name = names.named(word)
        if name is None:
            raise UsageError(
                f"There is no key {word!r} for {key.id!r}; write a character such as x, or a name such as f5, ctrl+x "
                "or enter."
            )
        if name in TAKEN - set(key.keys):
            raise UsageError(
                f"The key {word} for {key.id!r} is one that tmux, screen or the terminal itself takes; choose another."
            )
        if name in MOVES - set(key.keys):
            raise UsageError(f"The key {word} for {key.id!r} moves about in every pane; choose another.")
        found[name] = word if len(word) == 1 and word != " " else names.called(name)
    return replace(key, keys=tuple(found), shown=" ".join(found.values()))


def _refuse_conflicts(table: Sequence[Key], mapping: Mapping[str, Sequence[str]]) -> None:
    """A pane's own key hides one of the whole screen's while it has the focus; else a key means one thing."""
    for number, one in enumerate(table):
        for other in table[number + 1 :]:
            if one.id not in mapping and other.id not in mapping:
                continue
            shared = set(one.keys) & set(other.keys)
            if shared and one.pane == other.pane:
                named = names.called(min(shared))
                raise UsageError(
                    f"The key {named} would mean both {one.id!r} and {other.id!r}; give one of them another."
                )
