from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from charrnn.config import RunConfig, UsageError
from charrnn.engine.opening import Opened, begin_run
from charrnn.presets import corpus_config, resolve
from charrnn.runs import directory
from charrnn.runs.lock import TakenError


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
    assert (found["a"].process, found["b"].process) == (os.getpid(), None)
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


BEGINS = """
import sys
from dataclasses import replace
from pathlib import Path
from charrnn.config import StreamConfig
from charrnn.engine.opening import Opened, begin_run
from charrnn.runs.directory import read_config
source, config = Path(sys.argv[1]), read_config(Path(sys.argv[2]))
opened = Opened(source, str(source / "corpus.txt"), "words.txt", StreamConfig(), None)
config = replace(config, corpus=replace(config.corpus, source=opened.source))
print("ready", flush=True)
sys.stdin.readline()
folder, opened, config = begin_run(opened, None, config)
assert read_config(folder.path) == config
print(folder.path, opened.place, config.corpus.source, flush=True)
sys.stdin.readline()
"""


def test_engines_that_begin_the_same_new_run_at_once_get_a_run_each(tmp_path: Path, config: RunConfig) -> None:
    directory.RunFolder.create(tmp_path / "model", config).close()
    runs = tmp_path / "runs"
    words = [sys.executable, "-c", BEGINS, str(runs / "words-1"), str(tmp_path / "model")]
    with contextlib.ExitStack() as stack:
        engines = []
        for _ in range(4):
            process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
            stack.callback(process.wait)
            stack.callback(process.kill)
            engines.append((process, stack.enter_context(process.stdin), stack.enter_context(process.stdout)))
        for _, _, output in engines:
            assert output.readline() == "ready\n"
        for _, start, _ in engines:
            start.write("\n")
        places = set()
        for _, _, output in engines:
            place, opened, source = output.readline().split()
            assert place == opened
            assert source == f"{place}/corpus.txt"
            places.add(Path(place))
        assert places == {runs / f"words-{number}" for number in range(1, 5)}
        assert all(directory.is_live(place) for place in places)
    assert set(runs.iterdir()) == places


def test_a_name_that_was_asked_for_and_is_taken_meanwhile_is_refused(tmp_path: Path, config: RunConfig) -> None:
    first = directory.RunFolder.create(tmp_path / "a", config)
    opened = Opened(tmp_path / "a", "/text", "text", config.stream, None)
    with pytest.raises(TakenError, match="live in another process"):
        begin_run(opened, "a", config)
    first.close()
    with pytest.raises(TakenError, match="There is a run at"):
        begin_run(opened, "a", config)
    assert not directory.is_live(tmp_path / "a")
    assert directory.read_config(tmp_path / "a") == config


def test_a_run_that_cannot_be_begun_leaves_nothing_half_made(
    tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: directory.RunFolder, config: RunConfig) -> None:
        (self.path / "config.toml").write_text("half")  # renamed, and then its folder could not be synced
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(directory.RunFolder, "write_config", full)
    with pytest.raises(UsageError, match="No space left"):
        directory.RunFolder.create(tmp_path / "a", config)
    assert list(tmp_path.iterdir()) == []


def test_the_newest_run_comes_first_and_none_is_younger_than_now_whatever_the_clock_says(
    tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    for name, ago in (("a", 50.0), ("b", 10.0), ("c", 30.0)):
        directory.RunFolder.create(tmp_path / name, config).close()
        for path in (tmp_path / name).iterdir():
            os.utime(path, (now - ago, now - ago))
    for set_back in (0.0, 86_400.0, -86_400.0):
        monkeypatch.setattr(time, "time", lambda set_back=set_back: now - set_back)
        found = directory.list_runs(tmp_path)
        assert [run.name for run in found] == ["b", "c", "a"]
        assert all(0 <= run.age <= 86_460 for run in found)
