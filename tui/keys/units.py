"""Keys of the screen that lists the network's units, and the key that leads there."""

from __future__ import annotations

from tui.keys.key import Key

_GROUP = "What it thinks"

KEYS: tuple[Key, ...] = (
    Key(
        id="cells",
        keys=("m",),
        shown="m",
        description="the units inside the network that tell something of the text: quotes, brackets, position…",
        group=_GROUP,
        action="cells",
        command="Cells that mean something",
    ),
    Key(
        id="unit-off",
        keys=(),
        shown="",
        description="look at stream and corpus through no unit any more (v does, too)",
        group=_GROUP,
        action="unit_off",
        command="Stop looking through a unit",
    ),
    Key(
        id="unit-choose",
        keys=("enter",),
        shown="enter",
        description="units: stream and corpus are coloured by the unit's activation; on the one in use: no longer",
        group=_GROUP,
        action="choose",
        pane="units",
        label="look through it",
        rank=1,
    ),
    Key(
        id="units-property",
        keys=("p", "right"),
        shown="p →",
        description="units: only the best for one property of the text, the next, or all",
        group=_GROUP,
        action="property(1)",
        pane="units",
        label="property",
        rank=2,
    ),
    Key(
        id="units-property-before",
        keys=("left",),
        shown="←",
        description="units: those for the property before",
        group=_GROUP,
        action="property(-1)",
        pane="units",
    ),
    Key(
        id="units-sort",
        keys=("s",),
        shown="s",
        description="units: in turns by property, by AUC, or by place in the network",
        group=_GROUP,
        action="sort",
        pane="units",
        label="sort",
        rank=3,
    ),
    Key(
        id="units-again",
        keys=("r",),
        shown="r",
        description="units: rank them again, by the newest weights",
        group=_GROUP,
        action="rank",
        pane="units",
        label="rank again",
        rank=4,
    ),
    Key(
        id="units-close",
        keys=("escape", "m", "q"),
        shown="esc",
        description="units: back to the workbench",
        group=_GROUP,
        action="close",
        pane="units",
        label="close",
        rank=5,
    ),
)
