"""The marks of a run, as its record tells them and then as they happen. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from charrnn.engine.board import Board
from charrnn.engine.mark_messages import Mark, MarkKind, Marks
from charrnn.runs.events import CHANGES, read_events
from charrnn.runs.saved import checkpoint_folders

MOST_OF_A_KIND = 200


def mark_of(event: str, value: object, step: int) -> Mark | None:
    """The mark that a line of events.jsonl makes, None where it makes none."""
    number = float(value) if isinstance(value, int | float) else 0.0
    match event:
        case "learning_rate":
            return Mark("rate", step, number)
        case "cooldown" | "last_cooldown":
            return Mark("cooldown", step, number)
        case "checkpoint":
            return Mark("checkpoint", step)
        case "restart":
            return Mark("restart", step)
        case "begin" if step:
            return Mark("restart", step)
        case "went_back":
            return Mark("back", int(number), float(step))
        case _:
            return None


class MarkBook:
    """The marks of one run, told to the board whenever there is another: the newest MOST_OF_A_KIND of each kind."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._marks: list[Mark] = []
        self._told: list[Mark] = []
        self._back_from: int | None = None

    def load(self, run: Path, until: int) -> None:
        """Takes what the run's folder tells of its first `until` steps: its record, and the checkpoints there are."""
        known = [mark_of(event.event, event.value, event.step) for event in read_events(run)]
        saved = [Mark("checkpoint", step) for step, _ in checkpoint_folders(run)]
        self._take(mark for mark in [*known, *saved] if mark is not None and mark.step <= until)

    def event(self, event: str, value: object, step: int) -> None:
        """Takes a line of the record as it is written. A run that goes on from a step loses what came after it."""
        if event == "learning_rate" and step == self._back_from:
            return  # the lower rate of a run that went back: the mark of that says so
        self._back_from = step if event == "went_back" else None
        if event in {"begin", "went_back"}:
            back = step if event == "begin" else int(value) if isinstance(value, int | float) else step
            self._marks = [mark for mark in self._marks if mark.step <= back or mark.kind in {"rate", "cooldown"}]
        elif event in CHANGES:
            kind: MarkKind = "rate" if event == "learning_rate" else "cooldown"
            self._marks = [mark for mark in self._marks if mark.step <= step or mark.kind != kind]
        mark = mark_of(event, value, step)
        if mark is not None:
            self._take([mark])

    def saved(self, step: int) -> None:
        """A checkpoint was written, whether somebody asked for it or not."""
        self._take([Mark("checkpoint", step)])

    def _take(self, marks: Iterable[Mark]) -> None:
        """Adds to them; of one kind at one step the later counts."""
        found = {(mark.kind, mark.step): mark for mark in [*self._marks, *marks]}
        kept: list[Mark] = []
        counts: dict[MarkKind, int] = {}
        for mark in sorted(found.values(), key=lambda mark: mark.step)[::-1]:
            counts[mark.kind] = counts.get(mark.kind, 0) + 1
            if counts[mark.kind] <= MOST_OF_A_KIND:
                kept.append(mark)
        kept.reverse()
        self._marks = kept
        if kept != self._told:
            self._told = kept
            self._board.announce(Marks(kept), standing=True)
