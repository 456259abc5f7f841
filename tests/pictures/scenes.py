"""What the pictures show: a size, and what is pressed when."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """After `seconds`, `keys` are pressed, and the screen then `shows` something."""

    seconds: float
    keys: str
    shows: str = ""


@dataclass(frozen=True, slots=True)
class Scene:
    """One workbench on `run`: its `size` (columns, rows), its acts; `rest` seconds later it is the picture."""

    name: str
    title: str
    size: tuple[int, int]
    acts: tuple[Act, ...]
    rest: float = 2.0
    run: str = "python-docs-1"


PICTURES = (
    Scene(
        "workbench",
        "The workbench after a minute: the loss falls, and the stream has begun to write words",
        (120, 34),
        (
            Act(30, "\t"),
            Act(0.5, "\t"),
            Act(0.5, "t"),
            Act(0.5, "\t"),
            Act(10, "]"),
            Act(8, "+", "T 0.85"),
            Act(0.3, "+", "T 0.90"),
            Act(4, "---", "T 0.75"),
        ),
    ),
    Scene(
        "chart",
        "The chart alone: held-out and training loss in bits, what they mean, and a cursor that reads off values",
        (120, 34),
        (
            Act(6, "\t"),
            Act(0.5, "z"),
            Act(1, "u"),
            Act(1, "\x1b[D"),
            Act(0.3, "\x1b[D"),
            Act(0.3, "\x1b[D"),
        ),
    ),
    Scene(
        "choice",
        "The choice behind a character: the stream by surprise, and the ten likeliest before and after the knobs",
        (120, 34),
        (
            Act(5, "v", "startling"),
            Act(8, "i", "entropy"),
            Act(1, "\x1b[D"),
            Act(0.4, "\x1b[D"),
            Act(0.4, "\x1b[D"),
        ),
    ),
    Scene(
        "travel",
        "Time travel: the same prime and seed, written by the network as it was then",
        (120, 34),
        (Act(4, "T", "Time travel"), Act(12, "\x1b[D" * 12)),
        4.0,
    ),
    Scene(
        "choosing",
        "The runs there are, and the form of a new one",
        (120, 34),
        (Act(3, "o", "New run"), Act(2, "\t"), Act(0.5, "python-source")),
        12.0,
    ),
    Scene("narrow", "The same run at 80x24: chart above, stream below", (80, 24), (Act(4, "]"),), 6.0),
    Scene("small", "The same run at 60x16: a line of bars and the stream", (60, 16), (), 8.0),
)
RECORDING = Scene(
    "charrnn",
    "A network learns to write",
    (100, 30),
    (
        Act(6, "]]"),
        Act(6, "+", "T 0.85"),
        Act(0.5, "++", "T 0.95"),
        Act(3, "-----", "T 0.70"),
        Act(3, "p"),
        *(Act(0.12, character) for character in "The class "),
        Act(0.6, "\r"),
        Act(8, "z"),
        Act(6, "z"),
        Act(2, "k", "top-k 40"),
        Act(3, "q"),
    ),
    0.0,
    "python-docs-2",
)
