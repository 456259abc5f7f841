"""Keys for help, and for leaving and coming back."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = (
    Key(
        id="help",
        keys=("question_mark", "f1"),
        shown="? f1",
        description="this help",
        group="Leaving and help",
        action="help",
        label="help",
        rank=2,
        command="Help",
    ),
    Key(
        id="palette",
        keys=(),
        shown="ctrl+p",
        description="command palette: every action by name",
        group="Leaving and help",
    ),
    Key(
        id="detach",
        keys=("d",),
        shown="d",
        description="detach: leave the screen, training goes on",
        group="Leaving and help",
        action="detach",
        label="detach",
        rank=6,
        command="Detach: leave, training goes on",
    ),
    Key(
        id="quit",
        keys=("q", "ctrl+q"),
        shown="q",
        description="write a checkpoint, stop training, leave",
        group="Leaving and help",
        action="stop",
        label="save and quit",
        rank=1,
        command="Save, stop and quit",
    ),
    Key(
        id="start-again",
        keys=("enter",),
        shown="enter",
        description="when the engine has gone or ended: start it again",
        group="Leaving and help",
        action="start_again",
        command="Start the engine again",
    ),
    Key(
        id="interrupt",
        keys=("ctrl+c",),
        shown="ctrl+c",
        description="as q; the exit status says that it was interrupted (130)",
        group="Leaving and help",
        action="interrupt",
    ),
    Key(
        id="suspend",
        keys=("ctrl+z",),
        shown="ctrl+z",
        description="suspend: back to the shell, training goes on; fg comes back",
        group="Leaving and help",
        action="suspend_process",
        command="Suspend: back to the shell",
    ),
    Key(
        id="redraw",
        keys=("ctrl+l",),
        shown="ctrl+l",
        description="draw the whole screen anew",
        group="Leaving and help",
        action="redraw",
        command="Draw the screen anew",
    ),
)
