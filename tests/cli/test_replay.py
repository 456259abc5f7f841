"""`charrnn train RUN --replay` and `--accept-new-corpus`, as their users meet them."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from charrnn.commands.replay import replay
from charrnn.config import UsageError
from charrnn.engine import wire
from charrnn.engine.client import attach
from charrnn.engine.messages import Hello, RunRequest, SetLearningRate
from charrnn.engine.opening import open_request, read_corpus
from charrnn.engine.replay import read_replay
from charrnn.runs.directory import read_config, socket_path
from charrnn.runs.events import changes_of, read_events
from charrnn.runs.metrics import EVENTS, append
from charrnn.runs.saved import list_checkpoints
from charrnn.text import cache
from tests.cli.test_commands import TINY, charrnn

SETTINGS = [*TINY, "--steps", "200", "--evaluate-every", "20", "--dropout", "0.2", "--cooldown", "0.2"]


def killed_once(run: Path, text: Path, folder: Path) -> None:
    """Begins a run, changes its rate, kills all of it a little later."""
    command = [sys.executable, "-m", "charrnn", "train", text, *SETTINGS, "--run", run.name, "--runs-folder", folder]
    with subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL, start_new_session=True) as process:
        end = time.monotonic() + 100
        try:
            while not socket_path(run).exists() and time.monotonic() < end:
                time.sleep(0.01)
            with contextlib.closing(attach(str(socket_path(run)), Hello(stream=False))) as client:
                client.sendall(wire.frame(SetLearningRate(0.02)))
                while not changes_of(read_events(run)) and time.monotonic() < end:
                    time.sleep(0.01)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose rate was changed live, and which was killed and went on to its end."""
    folder = tmp_path_factory.mktemp("replays")
    text = folder / "words"
    text.write_text("some words are said again and again, and some are not; " * 200)
    killed_once(folder / "runs" / "words-1", text, folder / "runs")
    done = charrnn("train", "words-1", "--runs-folder", folder / "runs")
    assert done.returncode == 0, done.stderr
    return folder / "runs" / "words-1"


def test_a_run_is_made_again_from_its_record_bit_for_bit(run: Path) -> None:
    done = charrnn("train", run, "--replay", "--runs-folder", run.parent)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("the same, bit for bit: the weights after step 200 (sha256 ")
    again = run.with_name("words-1-replay-1")
    assert changes_of(read_events(again)) == changes_of(read_events(run))
    assert ("learning_rate", 0.02) in [(change.event, change.value) for change in changes_of(read_events(run))]
    assert read_config(again).training == read_config(run).training
    last = list_checkpoints(run)[-1].path / "model.safetensors"
    assert last.read_bytes() == (list_checkpoints(again)[-1].path / "model.safetensors").read_bytes()


def test_a_replay_of_a_record_that_is_not_true_says_that_it_differs(run: Path) -> None:
    changed = run.with_name("changed")
    config = (run / "config.toml").read_text()
    (changed / "checkpoints").mkdir(parents=True)
    first = list_checkpoints(run)[0]
    (changed / "config.toml").write_text(config.replace("seed = 1", "seed = 2"))
    shutil.copytree(first.path, changed / "checkpoints" / first.path.name)
    append(changed / EVENTS, [{"step": 0, "event": "begin", "value": "cpu"}])
    done = charrnn("train", changed, "--replay", "--runs-folder", run.parent, "--run", "made", "--steps", first.step)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.startswith("differs: for no reason that the record knows")


def refused(run: Path, **options: Any) -> str:
    with pytest.raises(UsageError) as refusal:
        read_replay(run, options)
    return str(refusal.value)


def test_what_cannot_be_made_again_is_refused(run: Path, tmp_path: Path) -> None:
    assert "leave --lr out" in refused(run, lr=0.1)
    assert "no checkpoint of step 7 " in refused(run, steps=7)
    other = tmp_path / "other"
    other.mkdir()
    append(other / EVENTS, [{"step": 0, "event": "begin", "value": "cpu"}])
    assert "no checkpoint, so there is no record" in refused(other)
    (other / EVENTS).unlink()
    for name in ("config.toml", "checkpoints"):
        copied(run / name, other / name)
    assert "no events.jsonl" in refused(other)
    append(other / EVENTS, [{"step": 5, "event": "settings", "value": {"average": [0.0, 0.9]}}])
    assert "another --average at step 5" in refused(other)
    (other / EVENTS).unlink()
    append(other / EVENTS, [{"step": 5, "event": "corpus", "value": ["a", "b"]}])
    assert "another text at step 5" in refused(other)


def copied(what: Path, place: Path) -> None:
    """A link would not be looked at."""
    if what.is_dir():
        shutil.copytree(what, place)
    else:
        shutil.copy(what, place)


def test_the_replay_begins_with_the_settings_of_the_beginning(run: Path, tmp_path: Path) -> None:
    for name in ("config.toml", "checkpoints"):
        copied(run / name, tmp_path / name)
    changed = [{"lr": [0.5, 0.6]}, {"lr": [0.6, 0.7], "steps": [40, 200]}]
    append(tmp_path / EVENTS, [{"step": 5 + i, "event": "settings", "value": value} for i, value in enumerate(changed)])
    training = read_replay(tmp_path, {}).config.training
    assert (training.lr, training.steps) == (0.5, 40)


def test_without_a_run_there_is_nothing_to_replay_or_to_accept(run: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no run 'nothing'"):
        replay(RunRequest(target="nothing", runs_folder=str(tmp_path), replay=True))
    text = run.parent.parent / "words"
    for option in ({"replay": True}, {"accept_new_corpus": True}):
        with pytest.raises(UsageError, match="is for a run"):
            open_request(RunRequest(target=str(text), runs_folder=str(run.parent), **option))  # type: ignore[arg-type]


@pytest.fixture
def changed_text(run: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The run's text, of which nothing is kept in the cache; it is as it was afterwards."""
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    assert cache.cache_folder()
    return run.parent.parent / "words"


def corpus_of(run: Path, **options: Any) -> Any:
    request = RunRequest(target=str(run), runs_folder=str(run.parent), **options)
    return read_corpus(open_request(request), request)


def test_a_text_that_has_changed_is_trained_on_only_when_asked_to(run: Path, changed_text: Path) -> None:
    was = changed_text.read_text()
    changed_text.write_text("and some words are not said again; " * 300)
    try:
        with pytest.raises(UsageError, match="give --accept-new-corpus"):
            corpus_of(run)
        done = charrnn("train", run, "--accept-new-corpus", "--steps", 220)
        assert done.returncode == 0, done.stderr
        lines = [json.loads(line) for line in (run / EVENTS).read_text().splitlines()]
        ((before, after),) = [line["value"] for line in lines if line["event"] == "corpus"]
        assert read_config(run).corpus.sha256 == after != before
        assert list_checkpoints(run)[-1].step == 220
        again = corpus_of(run)  # its own vocabulary has fewer characters than the model knows
        assert "b" not in again.head(5000)
        assert len(again.vocabulary) == len(set(was))
    finally:
        changed_text.write_text(was)


def test_a_new_text_with_characters_that_the_model_does_not_know_is_refused(run: Path, changed_text: Path) -> None:
    was = changed_text.read_text()
    changed_text.write_text("SOME words, said differently! " * 300)
    try:
        with pytest.raises(UsageError, match=r"does not know \('!', 'E', 'M', 'O', 'S'") as refusal:
            corpus_of(run, accept_new_corpus=True)
        assert "\n" not in str(refusal.value)
    finally:
        changed_text.write_text(was)
