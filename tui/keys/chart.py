"""Keys of the loss chart."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="log",
        keys=("l",),
        shown="l",
        description="logarithmic or linear loss",
        group="Chart",
        action="log_scale",
        label="log",
        rank=11,
        command="Logarithmic or linear chart",
    ),
)
