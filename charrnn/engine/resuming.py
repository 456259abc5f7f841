"""A run that goes on, as its record has it: what is made again, what was missing, what is new. No torch here."""

from __future__ import annotations

from pathlib import Path

from charrnn.config import RunConfig
from charrnn.engine.board import Board
from charrnn.engine.messages import Notice
from charrnn.engine.opening import Opened
from charrnn.engine.record import Record
from charrnn.engine.trainer_messages import Resumed
from charrnn.runs.events import Change, changes_of, read_events, without
from charrnn.runs.metrics import read_metrics
from charrnn.runs.saved import Saved
from charrnn.text.corpus import Corpus


def changes_to_come(opened: Opened, checkpoint: Saved | None, *, begun: bool = False) -> list[Change]:
    """The changes of the run's record from the checkpoint on, which it is to make again; all of them in a replay.

    A run that has not `begun` and was not there before has no record.
    """
    if opened.replayed is not None:
        return opened.replayed.changes
    if opened.recorded is None and not begun:
        return []
    step = checkpoint.step if checkpoint else 0
    return [change for change in changes_of(read_events(opened.place)) if change.step >= step]


def tell(resumed: Resumed, place: Path, record: Record, board: Board) -> None:
    """Writes what the record lacks of the time before the checkpoint, and that the run goes on from there."""
    step = resumed.step
    lines = [line["step"] for line in read_metrics(place) if line["step"] <= step and not line.get("partial")]
    points = [point for point in resumed.points if point.step > max(lines, default=0)]
    record.points(points)
    board.add_points(points)
    there = [change for change in changes_of(read_events(place)) if change.step <= step]
    for change in without(resumed.changes, there):
        record.event(change.event, change.written, change.step)
    record.event("resumed", {"again": resumed.again, "differs": resumed.differs}, step)
    if resumed.settings:
        record.event("settings", resumed.settings, step)
    if resumed.differs:
        words = f"The run goes on, but not bit for bit as it would have without the break: {resumed.differs}."
        board.announce(Notice("warning", words))
        record.log(words)


def tell_corpus(recorded: RunConfig | None, corpus: Corpus, step: int, record: Record, board: Board) -> None:
    """Where the run goes on with another text than it was trained on, that it does."""
    if recorded is None or recorded.corpus.sha256 in ("", corpus.sha256):
        return
    record.event("corpus", [recorded.corpus.sha256, corpus.sha256], step)
    words = f"From step {step:,} on the run is trained on the text as it is now: its digest is {corpus.sha256[:12]}…"
    board.announce(Notice("info", words))
    record.log(words)
