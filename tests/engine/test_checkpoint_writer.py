from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from charrnn.engine import checkpoint_writer
from charrnn.engine.checkpoint_writer import CheckpointWriter, Snapshot
from charrnn.runs.saved import list_checkpoints


def snapshot(step: int, *, asked: bool = False, val_loss: float | None = None, value: float = 1.0) -> Snapshot:
    return Snapshot(step, {"w": torch.tensor([value])}, {"optimiser/0/exp_avg": torch.zeros(1)}, val_loss, asked)


class Disk:
    """Takes the first checkpoint and keeps it until it is told to go on."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
        self.stuck, self.go_on = threading.Event(), threading.Event()
        self.told: list[tuple[int, bool, str | None]] = []
        real = checkpoint_writer.save_checkpoint

        def save(*arguments: Any, **named: Any) -> Path:
            self.stuck.set()
            assert self.go_on.wait(30)
            return real(*arguments, **named)

        monkeypatch.setattr(checkpoint_writer, "save_checkpoint", save)
        self.writer = CheckpointWriter(run, {}, lambda s, problem: self.told.append((s.step, s.asked, problem)))

    def end(self) -> list[tuple[int, bool, str | None]]:
        self.go_on.set()
        self.writer.close()
        return self.told


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Disk:
    return Disk(monkeypatch, tmp_path)


def test_a_disk_that_is_stuck_holds_one_snapshot_of_each_purpose(disk: Disk) -> None:
    disk.writer.put(snapshot(1))
    assert disk.stuck.wait(30)
    for step in range(2, 100):
        disk.writer.put(snapshot(step, asked=step == 7), "best" if step in (20, 30) else "newest")
    disk.writer.put(snapshot(100), "cooled")
    assert disk.end() == [(1, False, None), (30, False, None), (99, True, None), (100, False, None)]


def test_a_best_one_is_never_lost_to_a_newer_of_another_purpose(disk: Disk, tmp_path: Path) -> None:
    disk.writer.put(snapshot(1))
    assert disk.stuck.wait(30)
    disk.writer.put(snapshot(5, val_loss=1.0), "best")
    disk.writer.put(snapshot(5, val_loss=1.0, asked=True))  # of the same step: written once, and told
    disk.writer.put(snapshot(6))
    assert disk.end() == [(1, False, None), (5, True, None), (6, False, None)]
    assert [(c.step, c.val_loss) for c in list_checkpoints(tmp_path)] == [(1, None), (5, 1.0), (6, None)]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_push_no_good_checkpoint_out(disk: Disk, tmp_path: Path, value: float) -> None:
    disk.writer.put(snapshot(1))
    assert disk.stuck.wait(30)
    disk.go_on.set()
    disk.writer.put(snapshot(2, value=value))
    told = disk.end()
    assert told[0] == (1, False, None)
    assert "not finite" in (told[1][2] or "")
    assert [c.step for c in list_checkpoints(tmp_path)] == [1]


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("in the way")
    told: list[str | None] = []
    writer = CheckpointWriter(tmp_path, {}, lambda _, problem: told.append(problem))
    writer.put(snapshot(1))
    writer.close()
    assert told == [f"File exists ({tmp_path})"]
