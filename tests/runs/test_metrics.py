from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.runs.metrics import METRICS, append, last_point, metrics_line, read_metrics, record_interval


def test_lines_grow_sparser_by_the_step_so_that_an_overnight_run_stays_small() -> None:
    assert [record_interval(s) for s in (1, 999, 1000, 9999, 10_000, 123_456)] == [1, 1, 10, 10, 100, 1000]
    assert sum(s % record_interval(s) == 0 for s in range(1, 100_001)) < 3000


@given(st.integers(1, 10**9))
def test_every_power_of_ten_has_a_line(step: int) -> None:
    assert record_interval(step) <= max(1, step // 100)


def line(step: int, train: float | None = 1.0, val: float | None = None) -> dict[str, object]:
    return metrics_line(step=step, chars=step * 10, seconds=0.5, train_loss=train, val_loss=val, learning_rate=0.1)


def test_a_line_has_the_contracts_fields_and_a_held_out_loss_only_if_there_is_one(tmp_path: Path) -> None:
    append(tmp_path / METRICS, [line(1), line(2, 0.9, 1.1)])
    first, second = map(json.loads, (tmp_path / METRICS).read_text().splitlines())
    assert first == {"step": 1, "chars": 10, "seconds": 0.5, "train_loss": 1.0, "learning_rate": 0.1}
    assert second["val_loss"] == 1.1


def test_what_is_not_finite_is_never_written_as_such(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON"):
        append(tmp_path / METRICS, [line(1, float("nan"))])


@given(st.integers(0, 400))
def test_a_file_cut_anywhere_loses_its_last_line_at_most(tmp_path_factory: pytest.TempPathFactory, at: int) -> None:
    run = tmp_path_factory.mktemp("run")
    append(run / METRICS, [line(step) for step in range(1, 6)])
    whole = (run / METRICS).read_bytes()
    (run / METRICS).write_bytes(whole[:at])
    kept = [entry["step"] for entry in read_metrics(run)]
    assert kept == list(range(1, len(kept) + 1))
    assert len(kept) >= whole[:at].count(b"\n")


def test_steps_that_were_done_again_count_once(tmp_path: Path) -> None:
    append(tmp_path / METRICS, [line(1, 3.0, 3.0), line(2, 2.0), line(3, 1.0), line(2, 2.5, 2.6)])
    assert [(entry["step"], entry["train_loss"]) for entry in read_metrics(tmp_path)] == [(1, 3.0), (2, 2.5)]
    assert last_point(tmp_path) == (2, 2.6)


def test_the_best_of_a_run_without_held_out_text_is_its_training_loss(tmp_path: Path) -> None:
    assert last_point(tmp_path) == (0, None)
    append(tmp_path / METRICS, [line(1, 3.0), line(2, 2.0)])
    assert last_point(tmp_path) == (2, 2.0)
