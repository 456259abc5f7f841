"""A run keeps weights for looking back while it trains, and trains on whatever becomes of them."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from charrnn.engine import milestone_writer
from charrnn.engine.milestone_writer import WAITING_AT_MOST, MilestoneWriter, NoMilestones, milestones_of
from charrnn.engine.trainer_messages import Done, Finish, Remark
from charrnn.runs.checkpoint import MODEL, load_tensors
from charrnn.runs.milestones import list_milestones
from charrnn.runs.saved import Saved, choose_checkpoint, folder_name
from tests.engine.test_training_loop import Runs


@pytest.fixture
def runs(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "run", small_text)


@pytest.fixture
def others(tmp_path: Path, small_text: str) -> Runs:
    return Runs(tmp_path / "other", small_text)


def steps_of(runs: Runs) -> list[int]:
    return [one.step for one in list_milestones(runs.folder)]


def test_training_goes_the_same_way_with_milestones_and_without(runs: Runs, others: Runs) -> None:
    options: dict[str, Any] = {"steps": 60, "average": 0.9, "dropout": 0.2, "evaluate_every": 20}
    runs.go(**options)
    others.go(**options, milestones=0)
    assert steps_of(runs)[:4] == [0, 11, 23, 36]
    assert not (others.folder / "milestones").exists()
    one, other = runs.saved(), others.saved()
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_milestone_is_what_a_checkpoint_of_that_step_has_for_a_model(runs: Runs) -> None:
    runs.go(steps=36, average=0.9)
    place = runs.folder / "milestones" / folder_name(36)
    milestone = load_tensors(Saved(place, 36, None), MODEL)
    checkpoint = load_tensors(choose_checkpoint(runs.folder, "36"), MODEL)
    assert all(torch.equal(milestone[name], checkpoint[name]) for name in checkpoint)


def test_no_more_are_kept_than_the_run_wants(runs: Runs) -> None:
    runs.go(steps=200, milestones=5)
    kept = steps_of(runs)
    assert len(kept) == 5
    assert kept[0] == 0


def test_a_run_that_goes_on_keeps_its_milestones_and_drops_those_of_steps_to_come(runs: Runs) -> None:
    runs.go({50: [Finish()]}, steps=100)
    before = steps_of(runs)
    assert before[-1] <= 50
    later = runs.folder / "milestones" / folder_name(77)
    (runs.folder / "milestones" / folder_name(before[-1])).rename(later)
    runs.go(resume="50", steps=100)
    after = steps_of(runs)
    assert 77 not in after
    assert after[: len(before) - 1] == before[:-1]
    assert after[-1] > 50


def test_a_disk_that_takes_none_is_told_once_and_training_goes_on(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(milestone_writer, "save_milestone", full)
    told = runs.go(steps=60)
    assert told.of(Done)[0].step == 60
    (remark,) = told.of(Remark)
    assert remark.level == "warning"
    assert "No space left on device" in remark.text
    assert steps_of(runs) == []


def trainer_at(step: int, value: float = 1.0) -> Any:
    network = torch.nn.Linear(2, 2)
    torch.nn.init.constant_(network.weight, value)
    return SimpleNamespace(steps_done=step, chars_done=step * 64, evaluated_model=network)


def test_another_folder_in_the_runs_place_is_left_alone(tmp_path: Path) -> None:
    told: list[str] = []
    run = tmp_path / "run"
    run.mkdir()
    writer = MilestoneWriter(run, 50, {}, step=0, identity=(0, 0), failed=told.append)
    writer.look(trainer_at(0), None)
    writer.close()
    assert len(told) == 1
    assert list(run.iterdir()) == []


def test_the_last_room_of_a_disk_is_left_to_the_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    free = [10_000]
    monkeypatch.setattr(milestone_writer, "free_bytes", lambda _: free[0])
    writer = MilestoneWriter(tmp_path, 50, {}, step=0, spare=9_990, failed=told.append)
    writer.look(trainer_at(0), None)
    writer.look(trainer_at(20), None)
    until = time.monotonic() + 10
    while not told and time.monotonic() < until:
        time.sleep(0.01)
    free[0] = 20_000
    writer.look(trainer_at(100), None)
    writer.close()
    assert len(told) == 1
    assert "checkpoints may need" in told[0]
    assert list_milestones(tmp_path)[-1].step == 100


def test_weights_that_are_no_numbers_are_not_kept(tmp_path: Path) -> None:
    told: list[str] = []
    writer = MilestoneWriter(tmp_path, 50, {}, step=0, failed=told.append)
    writer.look(trainer_at(0, float("nan")), None)
    writer.close()
    assert told == ["the weights after step 0 are not finite"]
    assert list_milestones(tmp_path) == []


def test_a_disk_that_is_slow_holds_no_more_than_a_few_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, real = threading.Event(), milestone_writer.save_milestone

    def slow(*given: Any, **named: Any) -> Path:
        go.wait(10)
        return real(*given, **named)

    monkeypatch.setattr(milestone_writer, "save_milestone", slow)
    writer = MilestoneWriter(tmp_path, 50, {}, step=0)
    for step in range(0, 400):
        writer.look(trainer_at(step), None)
    go.set()
    writer.close()
    assert 1 <= len(list_milestones(tmp_path)) <= WAITING_AT_MOST + 1


def test_only_the_first_rank_keeps_any() -> None:
    none = milestones_of(SimpleNamespace(ranks=SimpleNamespace(rank=1)), None)  # type: ignore[arg-type]
    assert isinstance(none, NoMilestones)
    none.look(trainer_at(0), None)
    none.close()
