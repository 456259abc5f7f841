"""A torchrun that starts its workers again finds the run that they began."""

from __future__ import annotations

from pathlib import Path

import pytest

from charrnn.runs import relaunch
from charrnn.runs.directory import CONFIG
from charrnn.torchrun import Seat, launch_identity, seat

LAUNCH = {"TORCHELASTIC_RUN_ID": "some", "RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}


@pytest.fixture
def sockets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(relaunch, "socket_folder", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def run(tmp_path: Path) -> Path:
    place = tmp_path / "words ☃-1"
    place.mkdir()
    (place / CONFIG).touch()
    return place


def test_a_launch_remembers_its_run_until_it_is_done(sockets: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "some")
    assert relaunch.recall() is None
    relaunch.remember(run)
    assert relaunch.recall() == run
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "another")
    assert relaunch.recall() is None
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "some")
    relaunch.forget()
    assert relaunch.recall() is None
    assert list(sockets.glob("*.torchrun")) == []


def test_a_run_that_was_removed_is_not_gone_on_with(sockets: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "some")
    relaunch.remember(run)
    (run / CONFIG).unlink()
    assert relaunch.recall() is None


def test_without_torchrun_nothing_is_remembered(sockets: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCHELASTIC_RUN_ID", raising=False)
    assert launch_identity() is None
    relaunch.remember(run)
    relaunch.forget()
    assert relaunch.recall() is None
    assert list(sockets.iterdir()) == [run]


def test_the_seat_is_what_torchrun_says() -> None:
    assert seat(LAUNCH) == Seat(rank=3, size=4, local_rank=1, local_size=2)


@pytest.mark.parametrize(
    "environment",
    [{}, {"RANK": "3", "WORLD_SIZE": "4"}, {**LAUNCH, "RANK": "0", "WORLD_SIZE": "1"}],
    ids=["no torchrun", "another launcher", "torchrun of one"],
)
def test_a_process_is_alone_without_torchrun_or_in_one_of_one(environment: dict[str, str]) -> None:
    assert seat(environment) == Seat()
