"""What the views of the model's mind send while a real run trains: each in turn, and all of them together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.terminal.watching import REAL, Watched, workbench
from tests.faults.promise import Outcome, Promise

WARM = 15.0
MOST = 12_000
TYPED = "It was the best of times, it was the worst of times, it was the age of wisdom.\r" * 4


@dataclass(frozen=True, slots=True)
class View:
    """`keys` open it, `there` is on the screen once it is at work, `leave` closes it."""

    name: str
    keys: tuple[str, ...]
    there: str
    leave: tuple[str, ...]


VIEWS = (
    View("surprise on the stream", ("v",), "startling", ()),
    View("and on the corpus", ("\t", "\t", "e"), "nats", ("e",)),
    View("choices, stream going on", ("i", "\x1b[D", "\r"), "entropy", ("\x1b",)),
    View("your text", ("j", TYPED), "nats", ("\x1b",)),
    View("units", ("m",), "is high", ()),
    View("one unit on stream and corpus", ("\r",), "unit ", ()),
    View("lanes", ("b",), "T 1.20", ("\x1b",)),
    View("time travel, the film", ("T", " "), "step", ("\x1b",)),
    View("copies", ('"',), "copied", ("\x1b",)),
)


def _open(one: Watched, view: View) -> None:
    for keys in view.keys:
        one.press(keys)
        one.watch(0.7)
    one.shows(view.there, seconds=90)
    one.watch(3.0)


def views(seconds: int, folder: Path, seed: int) -> Outcome:
    """A sum over views that cover each other, so that whatever stands side by side is below it."""
    found: list[tuple[str, float]] = []
    with workbench(*REAL, "--seed", str(seed), folder=folder) as one:
        one.shows("── seed ", "● training", seconds=90)
        one.watch(WARM)
        for view in VIEWS:
            _open(one, view)
            found.append((view.name, one.watch(seconds)[0]))
            for key in view.leave:
                one.press(key)
                one.watch(1.0)
    total = sum(sent for _, sent in found)
    measured = f"{total / 1e3:.1f} KB/s in all; " + ", ".join(f"{name} {sent / 1e3:.1f}" for name, sent in found)
    return Outcome(seconds, measured, (f"{total:,.0f} B/s",) if total > MOST else ())


ROWS = (Promise(12, "bytes with every view open: the sum of each", "≤ 12 KB/s", 20, 5, views),)
