from __future__ import annotations

import os
from pathlib import Path

import pytest

from charrnn.config import RunConfig, UsageError
from charrnn.presets import corpus_config, resolve
from charrnn.runs import directory


@pytest.fixture
def config() -> RunConfig:
    corpus = corpus_config({}, source="/somewhere/text.txt", name="text.txt")
    return resolve({"steps": 12}, corpus=corpus, characters=10_000, device="cpu", cores=2)


def test_a_new_run_gets_the_first_free_readable_name(tmp_path: Path, config: RunConfig) -> None:
    assert directory.new_place("my novel.txt", None, tmp_path).name == "my-novel-1"
    directory.RunFolder.create(tmp_path / "my-novel-1", config).close()
    assert directory.new_place("my novel.txt", None, tmp_path).name == "my-novel-2"
    assert directory.new_place("../..", None, tmp_path).parent == tmp_path


def test_choosing_a_place_writes_nothing(tmp_path: Path) -> None:
    directory.new_place("text", None, tmp_path / "not" / "there")
    directory.new_place("text", "named", tmp_path / "not" / "there")
    assert list(tmp_path.iterdir()) == []


def test_settings_come_back_as_they_were_written(tmp_path: Path, config: RunConfig) -> None:
    directory.RunFolder.create(tmp_path / "a", config).close()
    assert directory.read_config(tmp_path / "a") == config


def test_a_place_that_cannot_be_written_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="not a folder"):
        directory.new_place("text", str(tmp_path / "file" / "run"), tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").write_text("x")
    with pytest.raises(UsageError, match="not an empty folder"):
        directory.new_place("text", "full", tmp_path)
    with pytest.raises(UsageError, match="/proc"):
        directory.new_place("text", "/proc/run", tmp_path)


def test_a_run_is_found_by_name_and_by_folder_and_nothing_else_is(tmp_path: Path, config: RunConfig) -> None:
    directory.RunFolder.create(tmp_path / "a-1", config).close()
    assert directory.find_run("a-1", tmp_path) == tmp_path / "a-1"
    assert directory.find_run(str(tmp_path / "a-1"), Path("/nowhere")) == tmp_path / "a-1"
    (tmp_path / "empty").mkdir()
    assert [directory.find_run(t, tmp_path) for t in ("empty", "", "-", "b")] == [None] * 4


def test_the_lock_is_held_by_one_and_only_while_it_lives(tmp_path: Path, config: RunConfig) -> None:
    first = directory.RunFolder.create(tmp_path / "a", config)
    assert directory.is_live(tmp_path / "a")
    with pytest.raises(UsageError, match="live in another process"):
        directory.RunFolder.open(tmp_path / "a")
    first.close()
    assert not directory.is_live(tmp_path / "a")
    directory.RunFolder.open(tmp_path / "a").close()


def test_asking_whether_a_run_is_live_never_takes_its_lock_away(tmp_path: Path, config: RunConfig) -> None:
    directory.RunFolder.create(tmp_path / "a", config).close()
    assert not directory.is_live(tmp_path / "a")
    directory.RunFolder.open(tmp_path / "a").close()


def test_the_list_has_every_run_and_passes_over_what_is_none(tmp_path: Path, config: RunConfig) -> None:
    live = directory.RunFolder.create(tmp_path / "a", config)
    directory.RunFolder.create(tmp_path / "b", config).close()
    (tmp_path / "b" / "metrics.jsonl").write_text('{"step": 7, "train_loss": 2.5, "val_loss": 2.0}\n{"step": 9, "tr')
    (tmp_path / "junk").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.toml").write_text("preset = 3")
    found = {run.name: run for run in directory.list_runs(tmp_path)}
    assert set(found) == {"a", "b"}
    assert (found["a"].state, found["b"].state) == ("live", "saved")
    assert (found["b"].step, found["b"].best) == (7, 2.0)
    assert directory.list_runs(tmp_path / "nowhere") == []
    live.close()


def test_a_socket_has_a_short_path_in_a_private_folder_whatever_the_runs_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    path = directory.socket_path(Path("/very" * 60))
    assert path.parent == tmp_path / f"charrnn-{os.getuid()}"
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(path.name) < 40
    assert directory.socket_path(Path("/other")) != path


def test_a_socket_folder_that_others_can_write_to_or_that_is_a_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    planted = tmp_path / f"charrnn-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    with pytest.raises(UsageError, match="0700"):
        directory.socket_folder()
    planted.rmdir()
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    planted.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="0700"):
        directory.socket_folder()
