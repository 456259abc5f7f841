"""How the screen looks. By the command palette: none has a key of its own, unless the settings give it one."""

from __future__ import annotations

from tui.keys.key import Key
from tui.themes import THEMES

KEYS: tuple[Key, ...] = (
    *(
        Key(
            id=f"theme-{name}",
            keys=(),
            shown="",
            description=f"theme: {theme.words}",
            group="Look (by the command palette)",
            action=f"theme('{name}')",
            command=f"Theme: {name}",
        )
        for name, theme in THEMES.items()
    ),
    Key(
        id="ascii",
        keys=(),
        shown="",
        description="frames, bars and chart in ASCII, or not",
        group="Look (by the command palette)",
        action="ascii",
        command="ASCII or Unicode glyphs",
    ),
)
