from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from charrnn.config import UsageError
from charrnn.runs.checkpoint import (
    MODEL,
    STATE,
    load_tensors,
    require_vocabulary,
    save_checkpoint,
    vocabulary_of,
)
from charrnn.runs.saved import best_checkpoint, choose_checkpoint, list_checkpoints
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words


def save(run: Path, step: int, val_loss: float | None = None) -> Path:
    model = {"w": torch.full((3, 2), float(step)), "b": torch.arange(4)}
    return save_checkpoint(
        run, step=step, model=model, state={"n": torch.tensor(step)}, val_loss=val_loss, facts={"symbols": "ab"}
    )


def test_tensors_come_back_and_the_manifest_names_every_file(tmp_path: Path) -> None:
    path = save(tmp_path, 12, 1.5)
    assert path == tmp_path / "checkpoints" / "step-00000012"
    checkpoint = choose_checkpoint(tmp_path, "last")
    assert torch.equal(load_tensors(checkpoint, MODEL)["w"], torch.full((3, 2), 12.0))
    assert int(load_tensors(checkpoint, STATE)["n"]) == 12
    manifest = json.loads((path / "MANIFEST.json").read_text())
    assert set(manifest["files"]) == {MODEL, STATE} == {p.name for p in path.iterdir()} - {"MANIFEST.json"}
    assert {name: (path / name).stat().st_size for name in manifest["files"]} == {
        name: entry["bytes"] for name, entry in manifest["files"].items()
    }
    assert (manifest["step"], manifest["val_loss"], manifest["symbols"]) == (12, 1.5, "ab")


def test_the_last_three_and_the_best_stay(tmp_path: Path) -> None:
    for step, val_loss in ((1, 3.0), (2, 1.0), (3, 2.0), (4, None), (5, 1.5), (6, None)):
        save(tmp_path, step, val_loss)
    assert [c.step for c in list_checkpoints(tmp_path)] == [2, 4, 5, 6]


def test_a_checkpoint_is_meant_by_best_last_or_its_step(tmp_path: Path) -> None:
    for step, val_loss in ((10, 1.0), (20, 2.0), (30, None)):
        save(tmp_path, step, val_loss)
    assert [choose_checkpoint(tmp_path, which).step for which in ("best", "last", "20", "020")] == [10, 30, 20, 20]
    with pytest.raises(UsageError, match="10, 20, 30"):
        choose_checkpoint(tmp_path, "11")


def test_without_held_out_text_the_best_is_the_last(tmp_path: Path) -> None:
    save(tmp_path, 1)
    save(tmp_path, 2)
    assert best_checkpoint(list_checkpoints(tmp_path)) is None
    assert choose_checkpoint(tmp_path, "best").step == 2


def test_a_run_without_a_checkpoint_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint yet"):
        choose_checkpoint(tmp_path, "best")


@pytest.mark.parametrize("at", [0, 8, 60, -1])
def test_a_flipped_bit_anywhere_is_found(tmp_path: Path, at: int) -> None:
    path = save(tmp_path, 1) / MODEL
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)
    with pytest.raises(UsageError, match="damaged"):
        load_tensors(choose_checkpoint(tmp_path, "last"), MODEL)


def test_a_newer_format_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = save(tmp_path, 1) / "MANIFEST.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))
    with pytest.raises(UsageError, match="newer charrnn"):
        load_tensors(choose_checkpoint(tmp_path, "last"), MODEL)


def test_a_save_that_fails_leaves_the_others_and_nothing_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path, 1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 2)
    assert [p.name for p in (tmp_path / "checkpoints").iterdir()] == ["step-00000001"]


@pytest.mark.parametrize("vocabulary", [Characters("ab?", "?"), Bytes(), Words("abc", ("ab", "abc"))])
def test_a_checkpoint_holds_its_vocabulary_and_knows_another(vocabulary: Vocabulary, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, step=1, model={}, state={}, val_loss=None, facts=vocabulary.facts())
    checkpoint = choose_checkpoint(tmp_path, "last")
    assert vocabulary_of(checkpoint) == vocabulary
    require_vocabulary(checkpoint, vocabulary)
    for other in (Characters("abc"), Words("abc", ("ab", "ac"))):
        with pytest.raises(UsageError, match="or start a new run"):
            require_vocabulary(checkpoint, other)


def test_a_checkpoint_from_before_there_were_kinds_of_tokens_is_of_characters(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, step=1, model={}, state={}, val_loss=None, facts={"symbols": "ab", "replacement": None})
    assert vocabulary_of(choose_checkpoint(tmp_path, "last")) == Characters("ab")
    save(tmp_path, 2)
    with pytest.raises(UsageError, match="no vocabulary"):
        vocabulary_of(choose_checkpoint(tmp_path, "2"))
