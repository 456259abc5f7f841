"""One table of keys. Bindings, footer, help screen, command palette and the README's table are made from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

GROUPS = ("Training", "Stream", "Chart", "Panes", "Leaving and help", "While a pane has the focus", "While editing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One thing a key does.

    `keys` are Textual's names; `shown` is how a person calls them. `label` is the footer's word ("" keeps it out of
    the footer), `footer_keys` what stands before it where one word serves two keys, and `rank` says which labels go
    last when the footer is narrow (1 is the last to go). `action` is the app's action; keys of a focused pane or of
    the prime editor have none here, since those widgets bind them. `command` is the name in the command palette, ""
    for none.
    """

    id: str
    keys: tuple[str, ...]
    shown: str
    description: str
    group: str
    action: str = ""
    label: str = ""
    footer_keys: str = ""
    rank: int = 99
    command: str = ""


TABLE: tuple[Key, ...] = (
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
        id="colder",
        keys=("minus",),
        shown="-",
        description="temperature −0.05: the likelier characters win more often",
        group="Stream",
        action="temperature(-1)",
        label="temperature",
        footer_keys="-/+",
        rank=5,
        command="Temperature down",
    ),
    Key(
        id="warmer",
        keys=("plus", "equals_sign", "shift+equals_sign"),
        shown="+ =",
        description="temperature +0.05: the unlikelier characters get a chance",
        group="Stream",
        action="temperature(1)",
        command="Temperature up",
    ),
    Key(
        id="prime",
        keys=("p",),
        shown="p",
        description="edit the prime, the text that the stream starts from",
        group="Stream",
        action="edit_prime",
        label="prime",
        rank=4,
        command="Edit the prime",
    ),
    Key(
        id="slower",
        keys=("left_square_bracket",),
        shown="[",
        description="slower stream",
        group="Stream",
        action="pace(-1)",
        label="pace",
        footer_keys="[/]",
        rank=10,
        command="Stream slower",
    ),
    Key(
        id="faster",
        keys=("right_square_bracket",),
        shown="]",
        description="faster stream",
        group="Stream",
        action="pace(1)",
        command="Stream faster",
    ),
    Key(
        id="top-k",
        keys=("k",),
        shown="k",
        description="top-k: off, 40, 20, 10, 5, 3, 1",
        group="Stream",
        action="top_k",
        label="top-k",
        rank=8,
        command="Next top-k",
    ),
    Key(
        id="nucleus",
        keys=("n",),
        shown="n",
        description="min-p 0.02 to 0.2, then top-p 0.95 to 0.5, then off",
        group="Stream",
        action="nucleus",
        label="min-p top-p",
        rank=9,
        command="Next min-p or top-p",
    ),
    Key(
        id="restart",
        keys=("r",),
        shown="r",
        description="start the stream again with a new seed",
        group="Stream",
        action="restart",
        label="restart",
        rank=7,
        command="Start the stream again",
    ),
    Key(
        id="follow",
        keys=("f", "end"),
        shown="f end",
        description="follow the newest text",
        group="Stream",
        action="follow",
        command="Follow the newest text",
    ),
    Key(
        id="copy",
        keys=("y",),
        shown="y",
        description="copy the stream's text to the clipboard and to a file",
        group="Stream",
        action="copy_text",
        label="copy",
        rank=12,
        command="Copy the text",
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
        id="scroll",
        keys=(),
        shown="↑ ↓",
        description="scroll by a row",
        group="While a pane has the focus",
    ),
    Key(
        id="scroll-page",
        keys=(),
        shown="pgup pgdn",
        description="scroll by a page",
        group="While a pane has the focus",
    ),
    Key(
        id="scroll-home",
        keys=(),
        shown="home",
        description="to the beginning",
        group="While a pane has the focus",
    ),
    Key(
        id="apply-prime",
        keys=(),
        shown="enter",
        description="start the stream from this prime",
        group="While editing",
    ),
    Key(
        id="leave-prime",
        keys=(),
        shown="esc",
        description="leave the prime as it was",
        group="While editing",
    ),
    Key(
        id="escapes",
        keys=(),
        shown="\\n \\t \\\\",
        description="a new line, a tab, a backslash in the prime; pasted line breaks become \\n",
        group="While editing",
    ),
)


def footer() -> list[tuple[str, str, int]]:
    """What the footer may show, in the table's order: keys, word, rank."""
    return [(key.footer_keys or key.shown.split()[0], key.label, key.rank) for key in TABLE if key.label]


def grouped() -> Iterator[tuple[str, list[Key]]]:
    """The table by group, for the help screen."""
    for group in GROUPS:
        yield group, [key for key in TABLE if key.group == group]


def markdown() -> str:
    """The README's table of keys."""
    lines: list[str] = ["| key | does |", "|---|---|"]
    for _, keys in grouped():
        for key in keys:
            names = " ".join(f"`{name}`" for name in key.shown.split())
            lines.append(f"| {names} | {key.description.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"
