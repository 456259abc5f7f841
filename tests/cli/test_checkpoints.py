from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from charrnn.runs.saved import list_checkpoints
from tests.cli.test_commands import TINY, charrnn


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with checkpoints at 20, 40 and 60 steps."""
    folder = tmp_path_factory.mktemp("trained")
    (folder / "words").write_text("some words are said again and again, and some are not; " * 200)
    options = [*TINY, "--steps", 60, "--evaluate-every", 20, "--save-every", 0, "--run", folder / "run"]
    done = charrnn("train", folder / "words", *options)
    assert done.returncode == 0, done.stderr
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "run"))


def cut_off(run: Path, step: int) -> None:
    place = run / "checkpoints" / f"step-{step:08d}" / "model.safetensors"
    os.truncate(place, 1024)


def rows(run: Path) -> list[dict[str, object]]:
    done = charrnn("checkpoints", run, "--json")
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_checkpoints_are_listed_with_their_marks_and_verified(run: Path) -> None:
    steps = [c.step for c in list_checkpoints(run)]
    assert steps[-1] == 60
    assert [row["step"] for row in rows(run)] == steps
    assert all(row["problem"] == "" and row["size"] for row in rows(run))
    assert "last" in rows(run)[-1]["marks"]  # type: ignore[operator]
    first = steps[0]
    kept = charrnn("keep", run, "--checkpoint", first)
    assert (kept.returncode, kept.stderr) == (0, f"the checkpoint of step {first} stays\n")
    assert "kept" in rows(run)[0]["marks"]  # type: ignore[operator]
    assert charrnn("keep", run, "--checkpoint", first, "--off").returncode == 0
    assert "kept" not in rows(run)[0]["marks"]  # type: ignore[operator]
    cut_off(run, 60)
    table = charrnn("checkpoints", run).stdout.splitlines()
    assert table[0].split() == ["step", "held-out", "size", "marks", "state"]
    assert "damaged: model.safetensors: it has 1,024 bytes" in table[-1]
    assert list_checkpoints(run)[-1].step == 60  # listing changes nothing


def test_a_run_without_checkpoints_says_so_and_a_step_that_is_none_is_refused(run: Path) -> None:
    none = charrnn("keep", run, "--checkpoint", 7)
    assert none.returncode == 2
    assert "has no checkpoint '7'; it has best, last and the steps" in none.stderr
    shutil.rmtree(run / "checkpoints")
    done = charrnn("checkpoints", run)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "the run run has no checkpoint yet\n"


def test_a_sample_says_that_it_takes_an_older_checkpoint(run: Path) -> None:
    before = list_checkpoints(run)[-2].step
    cut_off(run, 60)
    done = charrnn("sample", run, "--checkpoint", "last", "--length", 5)
    assert done.returncode == 0, done.stderr
    assert "The checkpoint of step 60 is damaged" in done.stderr
    assert f"it is set aside as damaged-step-00000060, and that of step {before} is used." in done.stderr
    again = charrnn("export", run, "-o", run / "model.safetensors", "--checkpoint", "last")
    assert again.returncode == 0, again.stderr
    assert "damaged" not in again.stderr
    assert rows(run)[0]["problem"] == "damaged, set aside"


def test_training_goes_on_from_the_checkpoint_before_a_damaged_one_and_says_so(run: Path) -> None:
    before = list_checkpoints(run)[-2].step
    cut_off(run, 60)
    done = charrnn("train", run, "--steps", 80)
    assert done.returncode == 0, done.stderr
    words = f"it is set aside as damaged-step-00000060, and that of step {before} is used."
    assert words in done.stderr
    assert words in (run / "engine.log").read_text()
    assert list_checkpoints(run)[-1].step == 80


def test_a_run_whose_every_checkpoint_is_damaged_is_refused(run: Path) -> None:
    for checkpoint in list_checkpoints(run):
        cut_off(run, checkpoint.step)
    config = (run / "config.toml").read_bytes()
    for _ in range(2):
        done = charrnn("train", run, "--steps", 80)
        assert done.returncode == 2
        assert "no checkpoint that is whole" in done.stderr
        assert "remove that folder to begin the run again at step 0" in done.stderr
    assert (run / "config.toml").read_bytes() == config


def test_a_checkpoint_of_another_network_is_refused_to_whoever_opens_it(run: Path) -> None:
    place = run / "config.toml"
    place.write_text(re.sub(r"layers = \d", "layers = 3", place.read_text()))
    for command in (["sample", run], ["train", run]):
        done = charrnn(*command)
        assert done.returncode == 2
        assert "does not fit its run's settings (layers.2" in done.stderr
        assert "Traceback" not in done.stderr


def test_looking_at_a_checkpoint_does_not_load_pytorchs_compiler(run: Path) -> None:
    """It takes seconds, and shapes alone were wanted."""
    code = (
        "import sys; from pathlib import Path; from charrnn.sampling.saved_model import load_model; "
        f"load_model(Path({str(run)!r})); sys.exit('torch._dynamo' in sys.modules)"
    )
    place = run / "config.toml"
    assert 'cell = "' in place.read_text()
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
