"""The command palette: every action of the table of keys by its name, a line each, the key before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from rich.text import Text
from textual.app import SystemCommand
from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui import keys, palette
from tui.arranging import Arranging
from tui.terminal import pad

KEY_COLUMNS = 10


def line(key: keys.Key, found: tuple[int, ...] = ()) -> Text:
    """A command's line; `found` are the places in its name that were searched for. Nothing of it is markup."""
    made = Text(pad(key.shown.split()[0] if key.shown else "", KEY_COLUMNS) + key.command)
    made.stylize(palette.STRONG, 0, KEY_COLUMNS)
    for place in found:
        made.stylize("underline", KEY_COLUMNS + place, KEY_COLUMNS + place + 1)
    return made


class Commands(Provider):
    """What there is to do, that of the focused pane first."""

    def _keys(self) -> Iterator[tuple[keys.Key, Callable[[], Awaitable[None]]]]:
        if isinstance(self.app, Arranging):
            for key in self.app.commands():
                yield key, partial(self.app.perform, key)

    def _elsewhere(self) -> list[SystemCommand]:
        """What there is to do on a screen that has a palette of its own; nothing where the table of keys says it."""
        return list(self.app.get_system_commands(self.screen)) if self.screen.name == "opening" else []

    async def discover(self) -> Hits:
        if commands := self._elsewhere():
            for title, words, do, _ in commands:
                yield DiscoveryHit(Text(title), do, text=title, help=words)
            return
        for key, do in self._keys():
            yield DiscoveryHit(line(key), do, text=key.command)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        if commands := self._elsewhere():
            for title, words, do, _ in commands:
                if (score := matcher.match(title)) > 0:
                    yield Hit(score, Text(title), do, text=title, help=words)
            return
        for key, do in self._keys():
            score, places = matcher.fuzzy_search.match(query, key.command)
            words = f"{key.group} {key.description} {key.shown}".lower()
            if score > 0:
                yield Hit(score, line(key, tuple(places)), do, text=key.command)
            elif query.lower() in words:
                yield Hit(0.001, line(key), do, text=key.command)
