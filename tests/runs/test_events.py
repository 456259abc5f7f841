from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from charrnn.runs.events import Change, changes_of, read_events, without
from charrnn.runs.metrics import EVENTS, METRICS, append, metrics_line, read_metrics

Line = tuple[str, Any, int]


def written(run: Path, *lines: Line) -> list[Line]:
    """What counts of these lines."""
    append(run / EVENTS, [{"step": step, "event": event, "value": value, "time": 1.0} for event, value, step in lines])
    return [(event.event, event.value, event.step) for event in read_events(run)]


def test_lines_of_steps_that_were_lost_are_void_but_not_what_somebody_wanted(tmp_path: Path) -> None:
    lost = [("learning_rate", 0.1, 50), ("pause", True, 60), ("cooldown", 30, 61), ("end", "asked", 62)]
    begin = ("begin", "cpu", 40)
    assert written(tmp_path, ("begin", "cpu", 0), *lost, begin) == [("begin", "cpu", 0), lost[0], lost[2], begin]
    assert written(tmp_path, begin, begin)[1:3] == [lost[0], lost[2]]  # it died again before it came there


def test_a_later_wish_takes_the_place_of_those_that_were_to_come(tmp_path: Path) -> None:
    lines = [("learning_rate", 0.1, 50), ("cooldown", 30, 61), ("begin", "cpu", 40), ("learning_rate", 0.2, 45)]
    assert written(tmp_path, *lines) == lines[1:]


def test_a_run_that_shall_end_elsewhere_does_not_cool_down_to_its_old_end(tmp_path: Path) -> None:
    lines = [("last_cooldown", 10, 30), ("begin", "cpu", 20), ("settings", {"steps": [40, 80]}, 20)]
    assert written(tmp_path, *lines) == lines[1:]
    other = [("last_cooldown", 10, 30), ("settings", {"threads": [1, 2]}, 20)]
    assert written(tmp_path, *other)[-2:] == other


def test_the_rate_of_a_run_that_went_back_is_its_own_doing(tmp_path: Path) -> None:
    lines = [("learning_rate", 0.4, 40), ("went_back", 20, 40), ("learning_rate", 0.2, 40), ("learning_rate", 0.3, 41)]
    written(tmp_path, *lines)
    assert changes_of(read_events(tmp_path)) == [Change("learning_rate", 0.4, 40), Change("learning_rate", 0.3, 41)]


def test_what_is_there_twice_must_be_there_twice() -> None:
    one, other = Change("cooldown", 30.0, 5), Change("cooldown", 0.0, 5)
    assert without([one, other, one], [one]) == [other, one]


@given(st.integers(0, 400))
def test_a_record_torn_anywhere_is_read_and_added_to(tmp_path_factory: Any, at: int) -> None:
    run = tmp_path_factory.mktemp("run")
    lines: list[Line] = [("learning_rate", 0.1, step) for step in range(5)]
    written(run, *lines)
    whole = (run / EVENTS).read_bytes()
    (run / EVENTS).write_bytes(whole[:at])
    found = written(run, ("learning_rate", 0.5, 9))
    assert found[:-1] == lines[: len(found) - 1]
    assert found[-1] == ("learning_rate", 0.5, 9)
    assert len(found) - 1 >= whole[:at].count(b"\n")


def test_a_partial_line_gives_way_to_the_next_one(tmp_path: Path) -> None:
    def line(step: int, *, partial: bool = False) -> dict[str, Any]:
        return metrics_line(
            step=step, chars=step, seconds=1.0, train_loss=1.0, val_loss=None, learning_rate=0.1, partial=partial
        )

    append(tmp_path / METRICS, [line(1000), line(1004, partial=True)])
    assert [entry["step"] for entry in read_metrics(tmp_path)] == [1000, 1004]
    append(tmp_path / METRICS, [line(1010)])
    assert [entry["step"] for entry in read_metrics(tmp_path)] == [1000, 1010]
    assert "partial" not in json.loads((tmp_path / METRICS).read_text().splitlines()[0])
