"""Weights kept for looking back: dense at first, ever sparser, within a limit, and as sound as a checkpoint."""

from __future__ import annotations

import errno
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import UsageError
from charrnn.runs import milestone_file
from charrnn.runs.checkpoint import load_tensors, vocabulary_of
from charrnn.runs.manifest import MODEL, STATE
from charrnn.runs.milestone_file import save_milestone
from charrnn.runs.milestones import is_due, list_milestones, make_room, put_right, scale, thinned
from charrnn.runs.saved import CHECKPOINTS, DamagedError, Saved, folder_name, list_checkpoints, read_manifest
from charrnn.text.vocabulary import Characters

VOCABULARY = Characters.of_text("abc\n")


def save(run: Path, step: int, *, size: int = 10) -> Path:
    run.mkdir(exist_ok=True)
    model = {"weight": torch.full((size,), float(step))}
    return save_milestone(run, step=step, chars=step * 64, model=model, val_loss=None, vocabulary=VOCABULARY.facts())


def steps_of(run: Path) -> list[int]:
    return [one.step for one in list_milestones(run)]


def kept_by(end: int, most: int) -> list[int]:
    """The steps that a run of `end` steps has kept."""
    kept: list[int] = []
    for step in range(end + 1):
        if is_due(step, kept[-1] if kept else None, most):
            kept = thinned([*kept, step], most)
    return kept


@given(st.lists(st.integers(0, 10**9), unique=True).map(sorted), st.integers(1, 60))
def test_thinning_keeps_the_first_and_the_newest_and_never_more_than_it_may(steps: list[int], most: int) -> None:
    kept = thinned(steps, most)
    assert len(kept) == min(len(steps), most)
    assert set(kept) <= set(steps)
    assert kept == sorted(kept)
    if steps:
        assert kept[-1] == steps[-1]
        assert most < 2 or kept[0] == steps[0]


@pytest.mark.parametrize(("end", "most"), [(300, 50), (5_000, 50), (60_000, 50), (60_000, 12)])
def test_a_run_of_any_length_keeps_states_that_lie_evenly_in_the_logarithm_of_the_step(end: int, most: int) -> None:
    kept = kept_by(end, most)
    assert kept[0] == 0
    assert len(kept) <= most
    gaps = [scale(after) - scale(before) for before, after in pairwise(kept)]
    even = max(0.1, scale(end) / (most - 1))
    assert max(gaps) <= 2.5 * even + 0.01  # the first ten steps are one
    assert scale(end) - scale(kept[-1]) <= 2.5 * even
    if most == 50:
        assert sum(step <= 200 for step in kept) >= 6  # the lecture's first samples are of steps 0 and 200
        assert sum(step <= end // 2 for step in kept) >= len(kept) // 2


def test_none_is_taken_where_none_is_wanted_nor_twice_of_a_step() -> None:
    assert not is_due(0, None, 0)
    assert is_due(0, None, 50)
    assert not is_due(0, 0, 50)
    assert not is_due(5, 10, 50)


def test_a_milestone_comes_back_as_it_was(tmp_path: Path) -> None:
    path = save(tmp_path, 200)
    saved = Saved(path, 200, None)
    assert torch.equal(load_tensors(saved, MODEL)["weight"], torch.full((10,), 200.0))
    assert vocabulary_of(saved) == VOCABULARY
    assert read_manifest(path).chars == 200 * 64
    assert [one.size for one in list_milestones(tmp_path)] == [(path / MODEL).stat().st_size]
    with pytest.raises(DamagedError, match=STATE):
        load_tensors(saved, STATE)


@pytest.mark.parametrize("name", [MODEL, "MANIFEST.json"])
def test_one_wrong_bit_is_found(tmp_path: Path, name: str) -> None:
    path = save(tmp_path, 7)
    data = bytearray((path / name).read_bytes())
    data[len(data) // 2] ^= 1
    (path / name).write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        load_tensors(Saved(path, 7, None), MODEL)


def test_what_is_too_much_goes_and_what_is_left_is_whole(tmp_path: Path) -> None:
    for step in range(0, 100, 10):
        save(tmp_path, step, size=1000)
    make_room(tmp_path, 6)
    assert len(steps_of(tmp_path)) == 6
    assert {0, 90} <= set(steps_of(tmp_path))
    make_room(tmp_path, 50, most_bytes=13_000)
    assert len(steps_of(tmp_path)) == 3
    make_room(tmp_path, 50, most_bytes=1)  # the first and the newest stay whatever they take
    assert steps_of(tmp_path) == [0, 90]
    assert sorted(path.name for path in (tmp_path / "milestones").iterdir()) == [folder_name(0), folder_name(90)]
    make_room(tmp_path, 0)
    assert steps_of(tmp_path) == []


def test_a_run_that_goes_on_from_an_older_step_forgets_what_has_not_happened(tmp_path: Path) -> None:
    for step in (0, 100, 200):
        save(tmp_path, step)
    leftover = tmp_path / "milestones" / f".{folder_name(300)}.77.new"
    shutil.copytree(tmp_path / "milestones" / folder_name(200), leftover)
    put_right(tmp_path, 150)
    assert steps_of(tmp_path) == [0, 100]
    assert not leftover.exists()
    put_right(tmp_path / "nothing here", 0)


def test_what_the_disk_refuses_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 0)

    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(milestone_file, "sync_folder", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 10)
    assert [path.name for path in (tmp_path / "milestones").iterdir()] == [folder_name(0)]


def test_nothing_takes_a_milestone_for_a_checkpoint(tmp_path: Path) -> None:
    path = save(tmp_path, 10)
    (tmp_path / CHECKPOINTS).mkdir()
    shutil.copytree(path, tmp_path / CHECKPOINTS / path.name)
    assert list_checkpoints(tmp_path) == []
    with pytest.raises(DamagedError, match=STATE):
        read_manifest(tmp_path / CHECKPOINTS / path.name)
    assert set(json.loads((path / "MANIFEST.json").read_text())["files"]) == {MODEL}
