"""Keys that steer training."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="pause",
        keys=("space",),
        shown="space",
        description="pause and resume training; when it has failed: start it again",
        group="Training",
        action="pause",
        label="pause",
        rank=3,
        command="Pause or resume training",
    ),
    Key(
        id="rate-down",
        keys=("comma",),
        shown=",",
        description="learning rate ÷ 1.25",
        group="Training",
        action="learning_rate(-1)",
        command="Learning rate down",
    ),
    Key(
        id="rate-up",
        keys=("full_stop",),
        shown=".",
        description="learning rate × 1.25",
        group="Training",
        action="learning_rate(1)",
        command="Learning rate up",
    ),
    Key(
        id="cool-down",
        keys=("c",),
        shown="c",
        description="cool down: the learning rate falls to its end, then training waits; again: call it off",
        group="Training",
        action="cool_down",
        label="cool down",
        rank=14,
        command="Cool down, or call it off",
    ),
    Key(
        id="checkpoint",
        keys=("w",),
        shown="w",
        description="write a checkpoint now",
        group="Training",
        action="checkpoint",
        label="checkpoint",
        rank=13,
        command="Write a checkpoint",
    ),
)
