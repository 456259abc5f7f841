from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from charrnn.config import UsageError
from charrnn.runs.checkpoint import load_tensors, save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.runs.manifest import MODEL, STATE, TOKENS_AT_MOST, NewerError, require_room
from charrnn.runs.recovery import open_checkpoint, resume_point, verify
from charrnn.runs.saved import DamagedError, choose_checkpoint, list_checkpoints, mark


def save(run: Path, step: int, val_loss: float | None = None, value: float = 0.0) -> Path:
    model = {"w": torch.full((3, 2), value)}
    state = {"n": torch.tensor(step)}
    return save_checkpoint(run, step=step, model=model, state=state, val_loss=val_loss, facts={"symbols": "ab"})


def spoil(checkpoint: Path, name: str = MODEL) -> None:
    data = bytearray((checkpoint / name).read_bytes())
    data[-3] ^= 1
    (checkpoint / name).write_bytes(data)


def names(run: Path) -> list[str]:
    return sorted(path.name for path in (run / "checkpoints").iterdir())


def test_the_files_are_safetensors_of_every_kind(tmp_path: Path) -> None:
    kinds = [torch.bool, torch.uint8, torch.int32, torch.int64, torch.bfloat16, torch.float16, torch.float32]
    tensors = {f"t/{kind}": (torch.randn(3, 5) * 9).to(kind) for kind in [*kinds, torch.float64]}
    tensors |= {"none": torch.zeros(0, 4), "one": torch.tensor(7), "turned": torch.randn(3, 5).t()}
    path = save_checkpoint(tmp_path, step=1, model=tensors, state={}, val_loss=None, facts={})
    loaded = load_file(path / MODEL)
    assert loaded.keys() == tensors.keys()
    assert all(torch.equal(tensors[name], tensor) for name, tensor in loaded.items())
    assert all(tensors[name].dtype == tensor.dtype for name, tensor in loaded.items())


def test_a_checkpoint_of_the_first_format_is_read(tmp_path: Path) -> None:
    path = save(tmp_path, 5, 1.25)
    manifest = json.loads((path / "MANIFEST.json").read_text())
    del manifest["digest"]
    (path / "MANIFEST.json").write_text(json.dumps({**manifest, "format": 1}, indent=1))
    found = resume_point(tmp_path)
    assert found.checkpoint is not None
    assert (found.checkpoint.step, found.checkpoint.val_loss, found.remarks) == (5, 1.25, ())
    assert load_tensors(found.checkpoint, STATE)["n"] == 5


def test_a_digit_of_the_manifest_cannot_change_unnoticed(tmp_path: Path) -> None:
    place = save(tmp_path, 5, 1.25) / "MANIFEST.json"
    place.write_text(place.read_text().replace("1.25", "1.35"))
    with pytest.raises(DamagedError, match="not the recorded digest"):
        verify(place.parent)


def test_the_newest_is_set_aside_if_it_is_damaged_and_the_one_before_is_used(tmp_path: Path) -> None:
    for step in (1, 2, 3):
        save(tmp_path, step)
    spoil(tmp_path / "checkpoints" / "step-00000003")
    (tmp_path / "checkpoints" / "step-00000002" / STATE).unlink()
    found = resume_point(tmp_path)
    assert found.checkpoint is not None
    assert found.checkpoint.step == 1
    assert names(tmp_path) == ["damaged-step-00000002", "damaged-step-00000003", "step-00000001"]
    assert "step 3 is damaged" in found.remarks[0]
    assert "set aside as damaged-step-00000003" in found.remarks[0]
    assert "that of step 1 is used" in found.remarks[0]
    spoil(save(tmp_path, 3))
    resume_point(tmp_path)
    assert "damaged-step-00000003-2" in names(tmp_path)


def test_where_none_is_whole_the_run_does_not_begin_anew(tmp_path: Path) -> None:
    assert resume_point(tmp_path).checkpoint is None  # a run that never had one begins
    spoil(save(tmp_path, 1))
    for _ in range(2):  # also once it was set aside
        with pytest.raises(UsageError, match="remove that folder to begin the run again at step 0"):
            resume_point(tmp_path)
    with pytest.raises(UsageError, match="no checkpoint that is whole"):
        open_checkpoint(tmp_path, "best")
    shutil.rmtree(tmp_path / "checkpoints")
    assert resume_point(tmp_path).checkpoint is None


def test_the_best_falls_to_the_next_best(tmp_path: Path) -> None:
    for step, val_loss in ((1, 1.0), (2, None), (3, 1.2), (4, 1.1)):
        save(tmp_path, step, val_loss)
    steps = []
    for _ in range(4):
        found = open_checkpoint(tmp_path, "best").checkpoint
        assert found is not None
        steps.append(found.step)
        if len(steps) < 4:
            spoil(found.path)
    assert steps == [1, 4, 3, 2]


def test_a_step_that_was_named_is_refused_if_it_is_damaged(tmp_path: Path) -> None:
    save(tmp_path, 1)
    spoil(save(tmp_path, 2))
    with pytest.raises(DamagedError, match="give another with --checkpoint"):
        open_checkpoint(tmp_path, "2")
    assert names(tmp_path) == ["step-00000001", "step-00000002"]
    with pytest.raises(UsageError, match="it has best, last and the steps 1, 2"):
        open_checkpoint(tmp_path, "3")


def test_a_reader_only_passes_over_what_a_live_run_has(tmp_path: Path) -> None:
    save(tmp_path, 1)
    spoil(save(tmp_path, 2))
    with contextlib.closing(RunFolder.open(tmp_path)):
        found = open_checkpoint(tmp_path, "last")
    assert found.checkpoint is not None
    assert found.checkpoint.step == 1
    assert "passed over" in found.remarks[0]
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_what_a_later_charrnn_wrote_is_neither_damaged_nor_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)
    with monkeypatch.context() as later:
        later.setattr("charrnn.runs.manifest.FORMAT", 3)
        save(tmp_path, 2)
    with pytest.raises(NewerError, match="was written by a newer charrnn; update to open it"):
        resume_point(tmp_path)
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_leftovers_of_saves_that_were_cut_are_put_right_by_the_owner_alone(tmp_path: Path) -> None:
    folder = save(tmp_path, 1).parent
    (folder / "step-00000001").rename(folder / ".step-00000001.77.old")  # killed between two renames
    shutil.copytree(save(tmp_path, 2), folder / ".step-00000002.77.old")
    for name in (".step-00000003.77.new", ".step-00000000.77.gone"):
        (folder / name).mkdir()
    assert [c.step for c in list_checkpoints(tmp_path)] == [1, 2]
    assert open_checkpoint(tmp_path, "1").checkpoint is not None
    assert len(names(tmp_path)) == 5
    found = resume_point(tmp_path)
    assert found.checkpoint is not None
    assert (found.checkpoint.step, found.remarks) == (2, ())
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_a_checkpoint_of_the_same_step_takes_the_olds_place_and_its_keep_mark(tmp_path: Path) -> None:
    save(tmp_path, 1, value=1.0)
    mark(choose_checkpoint(tmp_path, "1"), keep=True)
    save(tmp_path, 1, value=2.0)
    (only,) = list_checkpoints(tmp_path)
    assert only.kept
    assert load_tensors(only, MODEL)["w"][0, 0] == 2
    assert names(tmp_path) == ["step-00000001"]


def test_a_failed_sync_of_the_folder_above_is_a_failed_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1, value=1.0)
    sync = os.fsync

    def refuse(descriptor: int) -> None:
        if os.readlink(f"/proc/self/fd/{descriptor}").endswith("/checkpoints"):
            raise OSError(5, "Input/output error")
        sync(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc")
    for step in (1, 2):
        with monkeypatch.context() as failing:
            failing.setattr("os.fsync", refuse)
            with pytest.raises(OSError, match="Input/output"):
                save(tmp_path, step, value=2.0)
        assert names(tmp_path) == ["step-00000001"]
        assert load_tensors(choose_checkpoint(tmp_path, "1"), MODEL)["w"][0, 0] == 1


def test_a_keep_mark_protects_until_it_is_taken_away(tmp_path: Path) -> None:
    save(tmp_path, 1)
    for _ in range(2):
        mark(choose_checkpoint(tmp_path, "1"), keep=True)
    for step in range(2, 7):
        save(tmp_path, step)
    assert [c.step for c in list_checkpoints(tmp_path)] == [1, 4, 5, 6]
    verify(tmp_path / "checkpoints" / "step-00000001")
    mark(choose_checkpoint(tmp_path, "1"), keep=False)
    save(tmp_path, 7)
    assert [c.step for c in list_checkpoints(tmp_path)] == [5, 6, 7]


def test_a_vocabulary_that_no_manifest_holds_is_refused_before_anything_is_saved() -> None:
    require_room({"symbols": "ab", "words": ["ab"] * (TOKENS_AT_MOST - 2)})
    with pytest.raises(UsageError, match="give --tokens byte"):
        require_room({"symbols": "ab", "words": ["ab"] * (TOKENS_AT_MOST - 1)})
