"""Keys of whatever pane scrolls."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="scroll",
        keys=(),
        shown="↑ ↓",
        description="scroll by a row",
        group="Scrolling",
    ),
    Key(
        id="scroll-page",
        keys=(),
        shown="pgup pgdn",
        description="scroll by a page",
        group="Scrolling",
    ),
    Key(
        id="scroll-home",
        keys=(),
        shown="home",
        description="to the beginning",
        group="Scrolling",
    ),
    Key(
        id="select-rows",
        keys=(),
        shown="shift+↑↓",
        description="select rows, from the last in sight; y copies, esc lets go; with the mouse: drag, or click twice",
        group="While a pane has the focus",
    ),
)
