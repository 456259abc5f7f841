"""The marks that an engine tells: from the run's record when it is opened, then as things happen."""

from __future__ import annotations

import json
from pathlib import Path

from charrnn.engine.board import Board
from charrnn.engine.mark_messages import Mark, Marks
from charrnn.engine.marks import MOST_OF_A_KIND, MarkBook
from charrnn.engine.record import Record


def told(board: Board) -> list[Mark]:
    (message,) = board.standing()
    assert isinstance(message, Marks)
    return message.marks


def run_of(folder: Path, *lines: tuple[str, object, int]) -> Path:
    text = "".join(json.dumps({"step": step, "event": event, "value": value}) + "\n" for event, value, step in lines)
    (folder / "events.jsonl").write_text(text)
    return folder


def test_a_run_that_is_opened_tells_what_its_record_and_its_checkpoints_say(tmp_path: Path) -> None:
    for name in ("step-00000300", "step-00000500", "damaged-step-00000200"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    run = run_of(
        tmp_path,
        ("begin", "cpu", 0),
        ("learning_rate", 0.002, 100),
        ("pause", True, 120),
        ("checkpoint", True, 150),
        ("begin", "cpu", 150),
        ("cooldown", 200, 400),
        ("learning_rate", 0.001, 900),
    )
    board = Board()
    MarkBook(board).load(run, 500)
    assert told(board) == [
        Mark("rate", 100, 0.002),
        Mark("checkpoint", 150),
        Mark("restart", 150),
        Mark("checkpoint", 300),
        Mark("cooldown", 400, 200.0),
        Mark("checkpoint", 500),
    ]


def test_a_run_without_a_record_tells_nothing(tmp_path: Path) -> None:
    board = Board()
    MarkBook(board).load(tmp_path, 500)
    assert board.standing() == []


def test_what_is_recorded_is_marked_at_once_and_a_restart_takes_back_what_was_lost() -> None:
    board = Board()
    book, record = MarkBook(board), Record(lambda _: None)
    record.heard = book.event
    record.event("begin", "cpu", 0)
    assert board.standing() == []
    record.event("learning_rate", 0.002, 100)
    book.saved(200)
    book.saved(300)
    record.event("checkpoint", True, 300)
    record.event("learning_rate", 0.004, 350)
    record.event("restart", "SIGKILL", 200)
    record.event("begin", "cpu", 200)
    assert told(board) == [
        Mark("rate", 100, 0.002),
        Mark("checkpoint", 200),
        Mark("restart", 200),
        Mark("rate", 350, 0.004),  # a wish, which is made again at its step
    ]
    record.event("learning_rate", 0.001, 250)
    assert [mark for mark in told(board) if mark.kind == "rate"][-1] == Mark("rate", 250, 0.001)


def test_a_return_after_a_divergence_is_one_mark_where_the_run_goes_on() -> None:
    board = Board()
    book = MarkBook(board)
    book.saved(90)
    book.event("went_back", 60, 100)
    book.event("learning_rate", 0.001, 100)
    assert told(board) == [Mark("back", 60, 100.0)]


def test_of_each_kind_only_the_newest_are_kept() -> None:
    board = Board()
    book = MarkBook(board)
    book.event("learning_rate", 0.001, 5)
    for step in range(10, 10 + MOST_OF_A_KIND + 50):
        book.saved(step)
    marks = told(board)
    assert len(marks) == MOST_OF_A_KIND + 1
    assert marks[0] == Mark("rate", 5, 0.001)
    assert marks[1].step == 60
    assert board.standing_count > MOST_OF_A_KIND
    assert len(board.standing()) == 1
