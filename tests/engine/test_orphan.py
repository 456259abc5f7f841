from __future__ import annotations

import json
from pathlib import Path

from charrnn.engine.messages import LossPoint
from charrnn.engine.orphan import LastWords
from charrnn.engine.record import Record
from charrnn.engine.trainer_messages import Applied, Done, Recorded, SavedAt
from charrnn.runs.metrics import read_metrics


def point(step: int, loss: float = 2.0) -> LossPoint:
    return LossPoint(step, step * 10, step / 10, loss / step, None, 0.003)


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_only_what_the_engine_did_not_write_is_added(tmp_path: Path) -> None:
    record = Record(lambda _: None)
    record.open(tmp_path)
    record.points([point(1), point(2), point(3)])
    last = LastWords()
    last.add(Recorded([point(2), point(3)]), unheard=False)
    last.add(Applied("pause", True, 3), unheard=False)  # the engine had heard of it
    last.add(Recorded([point(4)]), unheard=False)
    last.add(Recorded([point(5)]), unheard=True)
    last.add(Applied("last_cooldown", 7, 5), unheard=True)
    last.add(SavedAt(5, False, "No space left on device"), unheard=True)
    last.add(Done("asked", 5), unheard=True)
    last.write(tmp_path)
    assert steps(tmp_path) == [1, 2, 3, 4, 5]
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_text().splitlines()]
    assert [(e["event"], e["value"], e["step"]) for e in events] == [("last_cooldown", 7, 5), ("end", "asked", 5)]
    log = (tmp_path / "engine.log").read_text()
    assert "the checkpoint of step 5 could not be written: No space left on device" in log
    assert "the engine has gone; the trainer ended after step 5" in log


def test_after_a_return_the_newer_losses_count(tmp_path: Path) -> None:
    record = Record(lambda _: None)
    record.open(tmp_path)
    record.points([point(1), point(2), point(3), point(4)])
    last = LastWords()
    last.add(Recorded([point(2, 1.0)]), unheard=True)  # the run had gone back to step 1
    last.write(tmp_path)
    assert [(line["step"], line["train_loss"]) for line in read_metrics(tmp_path)] == [(1, 2.0), (2, 0.5)]


def test_half_a_line_is_ended_before_others_follow(tmp_path: Path) -> None:
    record = Record(lambda _: None)
    record.open(tmp_path)
    record.points([point(1)])
    with open(tmp_path / "metrics.jsonl", "a") as metrics:
        metrics.write('{"step": 2, "cha')
    last = LastWords()
    last.add(Recorded([point(2)]), unheard=False)
    last.write(tmp_path)
    assert [line["step"] for line in read_metrics(tmp_path)] == [1, 2]


def test_a_folder_that_has_vanished_ends_nothing(tmp_path: Path) -> None:
    last = LastWords()
    last.add(Done("asked", 5), unheard=True)
    last.write(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()
