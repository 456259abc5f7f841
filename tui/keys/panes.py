"""Keys that arrange the panes."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="show-corpus",
        keys=("1",),
        shown="1",
        description="show or hide the corpus",
        group="Panes",
        action="toggle_pane('corpus')",
        command="Show or hide the corpus",
    ),
    Key(
        id="show-loss",
        keys=("2",),
        shown="2",
        description="show or hide the loss",
        group="Panes",
        action="toggle_pane('loss')",
        command="Show or hide the loss",
    ),
    Key(
        id="show-stream",
        keys=("3",),
        shown="3",
        description="show or hide the stream",
        group="Panes",
        action="toggle_pane('stream')",
        command="Show or hide the stream",
    ),
    Key(
        id="zoom",
        keys=("z",),
        shown="z",
        description="the focused pane alone, or the stream; again: back",
        group="Panes",
        action="zoom",
        label="zoom",
        rank=10,
        command="Zoom",
    ),
    Key(
        id="reset",
        keys=("0",),
        shown="0",
        description="the layout that fits this size",
        group="Panes",
        action="reset_layout",
        command="Reset the layout",
    ),
    Key(
        id="next-pane",
        keys=(),
        shown="tab",
        description="focus the next pane (shift+tab: the one before)",
        group="Panes",
    ),
)
