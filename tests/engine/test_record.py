from __future__ import annotations

import json
from pathlib import Path

from charrnn.engine.messages import LossPoint
from charrnn.engine.record import Record


def point(step: int) -> LossPoint:
    return LossPoint(step, step * 10, 0.1, 2.0, None, 0.003)


def test_what_was_said_before_the_folder_existed_is_written_once_it_does(tmp_path: Path) -> None:
    record = Record(lambda _: None)
    record.log(b"first\n")
    record.points([point(1)])
    record.event("begin", "cpu", 0)
    record.open(tmp_path)
    record.log(b"second\n")
    assert (tmp_path / "engine.log").read_bytes() == b"first\nsecond\n"
    assert json.loads((tmp_path / "metrics.jsonl").read_text())["step"] == 1
    assert json.loads((tmp_path / "events.jsonl").read_text())["event"] == "begin"
    assert record.last_words() == "first\nsecond\n"


def test_a_disk_that_refuses_is_told_once_and_its_lines_come_later(tmp_path: Path) -> None:
    told: list[str | None] = []
    folder = tmp_path / "run"
    folder.write_text("a file where the folder should be")
    record = Record(told.append)
    record.open(folder)
    for step in (1, 2, 3):
        record.points([point(step)])
    assert len(told) == 1
    assert "cannot be written" in str(told[0])
    folder.unlink()
    folder.mkdir()
    record.points([point(4)])
    assert told[1:] == [None]
    steps = [json.loads(line)["step"] for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4]
