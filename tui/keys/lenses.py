"""Keys that say through what the stream is seen."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="lens",
        keys=("v",),
        shown="v",
        description="look at the stream through the next lens, or through none",
        group="What it thinks",
        action="lens",
        label="lens",
        rank=11,
        command="Next lens on the stream",
    ),
)
