"""Keys of the line in which the prime is edited."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="apply-prime",
        keys=(),
        shown="enter",
        description="start the stream from this prime",
        group="Editing the prime",
        pane="prime",
        label="start",
        rank=0,
    ),
    Key(
        id="leave-prime",
        keys=(),
        shown="esc",
        description="leave the prime as it was",
        group="Editing the prime",
        pane="prime",
        label="leave",
        rank=0,
    ),
    Key(
        id="escapes",
        keys=(),
        shown="\\n \\t \\\\",
        description="a new line, a tab, a backslash in the prime; pasted line breaks become \\n",
        group="Editing the prime",
        pane="prime",
    ),
)
