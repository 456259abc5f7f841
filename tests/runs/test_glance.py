"""Runs at a glance: listed at once, read one by one, whatever lies among them."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig, UsageError
from charrnn.runs.directory import RunFolder
from charrnn.runs.glance import CURVE_POINTS, METRICS_AT_MOST, any_runs, glance, holdings, places
from charrnn.runs.metrics import METRICS, last_point, read_metrics

CONFIG = RunConfig(
    preset="fast",
    corpus=CorpusConfig(source="/texts/moby.txt", name="moby.txt"),
    model=ModelConfig(),
    training=TrainingConfig(),
    stream=StreamConfig(),
)


def line(step: int, **changes: object) -> dict[str, object]:
    made: dict[str, object] = {"step": step, "chars": step * 2048, "seconds": step / 50, "train_loss": 4.0 / step**0.2}
    return made | {"learning_rate": 0.003} | changes


def make_run(folder: Path, name: str, lines: int = 40, *, age: float = 0.0) -> Path:
    run = RunFolder.create(folder / name, CONFIG)
    run.close()
    values = [line(n, **({"val_loss": 4.1 / n**0.2} if n % 10 == 0 else {})) for n in range(1, lines + 1)]
    (run.path / METRICS).write_text("".join(json.dumps(one) + "\n" for one in values))
    for path in (run.path / METRICS, run.path / "config.toml"):
        os.utime(path, (time.time() - age, time.time() - age))
    return run.path


def test_live_runs_come_first_and_then_the_newest(tmp_path: Path) -> None:
    for name, age in (("old", 500.0), ("new", 5.0), ("middle", 50.0)):
        make_run(tmp_path, name, age=age)
    live = RunFolder.open(make_run(tmp_path, "alive", age=900.0))
    found = places(tmp_path)
    live.close()
    assert [place.name for place in found] == ["alive", "new", "middle", "old"]
    assert [place.live for place in found] == [True, False, False, False]
    assert found[1].age == pytest.approx(5.0, abs=3.0)


def test_what_is_no_run_is_left_out_and_what_is_damaged_says_so(tmp_path: Path) -> None:
    (tmp_path / "a file").write_text("x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.toml").mkdir()
    assert not any_runs(tmp_path)
    assert not any_runs(tmp_path / "nowhere")
    assert places(tmp_path / "nowhere") == []
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "config.toml").write_bytes(b"\xff\x00 = [")
    assert any_runs(tmp_path)
    assert [place.name for place in places(tmp_path)] == ["broken"]
    with pytest.raises(UsageError, match="is not a run's settings"):
        glance(tmp_path / "broken")


def test_a_glance_agrees_with_the_record(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one", 200)
    seen = glance(run)
    assert (seen.step, seen.best) == last_point(run)
    assert seen.best_step == 200
    assert seen.held_out == read_metrics(run)[-1]["val_loss"]
    assert seen.train == read_metrics(run)[-1]["train_loss"]
    assert seen.speed == pytest.approx(2048 * 50)
    assert seen.config.corpus.name == "moby.txt"
    assert list(seen.curve) == sorted(seen.curve, reverse=True)
    assert 1 < len(seen.curve) <= CURVE_POINTS


LINES = st.lists(
    st.one_of(
        st.builds(line, st.integers(1, 60)).map(json.dumps),
        st.builds(lambda n: json.dumps(line(n, partial=True)), st.integers(1, 60)),
        st.sampled_from(["{", "[]", "null", '{"step": "x"}', '{"step": 3, "train_loss": 1e400}', ""]),
    ),
    max_size=30,
)


@given(LINES, st.binary(max_size=20))
def test_a_glance_takes_whatever_a_record_holds(
    tmp_path_factory: pytest.TempPathFactory, lines: list, end: bytes
) -> None:
    run = make_run(tmp_path_factory.mktemp("runs"), "one", 0)
    (run / METRICS).write_bytes("\n".join(lines).encode() + b"\n" + end)
    seen = glance(run)
    assert seen.step >= 0
    assert all(loss == loss for loss in seen.curve)


def test_a_record_that_is_no_plain_file_or_endless_is_not_read_whole(tmp_path: Path) -> None:
    run = make_run(tmp_path, "pipe", 0)
    (run / METRICS).unlink()
    os.mkfifo(run / METRICS)
    assert glance(run).step == 0
    long = make_run(tmp_path, "long", 0)
    with (long / METRICS).open("wb") as file:
        file.seek(4 * METRICS_AT_MOST)
        file.write(b"\n" + json.dumps(line(7)).encode() + b"\n")
    assert glance(long).step == 7


def test_five_hundred_runs_are_listed_at_once(tmp_path: Path) -> None:
    config = (make_run(tmp_path, "run-0") / "config.toml").read_bytes()
    for number in range(1, 500):
        (tmp_path / f"run-{number}").mkdir()
        (tmp_path / f"run-{number}" / "config.toml").write_bytes(config)
    begun = time.process_time()
    assert len(places(tmp_path)) == 500
    assert time.process_time() - begun < 0.5


def test_what_a_run_has_on_the_disk(tmp_path: Path) -> None:
    run = make_run(tmp_path, "one")
    for step in (100, 200):
        (run / "checkpoints" / f"step-{step:08d}").mkdir(parents=True)
    (run / "checkpoints" / "step-00000200" / "model.safetensors").write_bytes(b"x" * 5000)
    held = holdings(run)
    assert held.checkpoints == (100, 200)
    assert held.complete
    assert held.size >= 5000
    assert holdings(tmp_path / "nowhere").size == 0
