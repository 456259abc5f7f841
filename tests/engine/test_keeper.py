"""What becomes of a run whose folder goes, or is another's: real folders, a trainer that only hears."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import RunConfig
from charrnn.engine import keeper as module
from charrnn.engine import trainer_messages as trainer
from charrnn.engine.board import Board
from charrnn.engine.keeper import Keeper
from charrnn.engine.messages import LossPoint, Notice
from charrnn.presets import corpus_config, resolve
from charrnn.runs import directory
from charrnn.runs.metrics import read_metrics


class Kept:
    """A keeper of a run at `place`, what it told the trainer, and what it says."""

    def __init__(self, place: Path) -> None:
        self.config: RunConfig = resolve(
            {}, corpus=corpus_config({}, source="/a/text", name="text"), characters=10_000, device="cpu", cores=2
        )
        self.place, self.board, self.orders = place, Board(), list[Any]()
        self.texts = 0
        self.keeper = Keeper(self.board, self.orders.append, self._made_again)
        place.parent.mkdir(exist_ok=True)
        folder = directory.RunFolder.create(place, self.config)
        self.keeper.begin(folder, self.config, needed=1000, saved_step=None)

    def _made_again(self) -> None:
        self.texts += 1

    def train(self, *steps: int) -> None:
        points = [LossPoint(step, step * 10, 0.1, 2.0, None, 0.003) for step in steps]
        self.board.add_points(points)
        self.keeper.record.points(points)

    @property
    def trouble(self) -> str:
        return " ".join(self.board.status.troubles)

    @property
    def notices(self) -> list[str]:
        return [message.text for message in self.board.passing if isinstance(message, Notice)]

    def steps(self) -> list[int]:
        return [line["step"] for line in read_metrics(self.place)]


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path / "runs" / "text-1")
    yield made
    made.keeper.close()


def test_while_all_is_well_nothing_is_said_or_asked(kept: Kept) -> None:
    kept.train(1, 2)
    kept.keeper.saved(2, None)
    kept.keeper.look()
    assert (kept.trouble, kept.notices, kept.orders) == ("", [], [])
    assert kept.steps() == [1, 2]


def test_a_folder_that_has_gone_is_made_again_with_every_loss_and_event_and_a_new_checkpoint(kept: Kept) -> None:
    kept.train(1, 2)
    kept.keeper.record.event("learning_rate", 0.5, 2)
    kept.keeper.record.log("something was said")
    before = kept.keeper.identity
    shutil.rmtree(kept.place)
    kept.train(3)
    assert "cannot be written" in kept.trouble
    kept.keeper.look()
    assert kept.steps() == [1, 2, 3]
    assert json.loads((kept.place / "events.jsonl").read_text())["value"] == 0.5
    assert "something was said" in (kept.place / "engine.log").read_text()
    assert directory.read_config(kept.place) == kept.config
    assert directory.is_live(kept.place)
    identity = kept.keeper.identity
    assert identity != before
    assert kept.orders == [trainer.Place(identity or (0, 0)), trainer.Save(again=True)]
    assert kept.texts == 1
    assert "checkpoints with it" in kept.trouble
    kept.keeper.saved(3, None)
    assert kept.trouble == ""
    assert "made again, with every loss; the newest checkpoint is of step 3" in kept.notices[-1]
    kept.train(4)
    assert kept.steps() == [1, 2, 3, 4]


def test_where_the_folder_around_it_has_gone_too_the_run_waits_until_it_is_back(kept: Kept) -> None:
    kept.train(1)
    away = kept.place.parent.with_name("away")
    kept.place.parent.rename(away)
    kept.train(2)
    kept.keeper.look()
    assert "has gone" in kept.trouble
    assert str(kept.place.parent) in kept.trouble
    assert not kept.place.parent.exists()
    away.rename(kept.place.parent)
    kept.keeper.look()
    assert kept.trouble == ""
    assert "nothing was lost" in kept.notices[-1]
    assert kept.steps() == [1, 2]
    assert kept.orders == []


def test_another_folder_in_its_place_is_left_alone(kept: Kept) -> None:
    kept.train(1)
    kept.place.rename(kept.place.with_name("moved"))
    other = directory.RunFolder.create(kept.place, kept.config)
    (kept.place / "metrics.jsonl").write_text('{"step": 99}\n')
    held = {path: path.read_bytes() for path in kept.place.rglob("*") if path.is_file()}
    kept.train(2)
    kept.keeper.look()
    kept.keeper.record.event("pause", True, 2)
    assert "Another folder lies where the run's was" in kept.trouble
    assert {path: path.read_bytes() for path in kept.place.rglob("*") if path.is_file()} == held
    assert kept.orders == []
    other.close()
    kept.place.rename(kept.place.with_name("other"))
    kept.keeper.look()
    assert kept.steps() == [1, 2]
    assert read_metrics(kept.place.with_name("moved")) == [read_metrics(kept.place)[0]]


def test_a_copy_of_the_run_in_its_place_is_not_the_run(kept: Kept) -> None:
    kept.train(1)
    copy = kept.place.with_name("copy")
    shutil.copytree(kept.place, copy)
    shutil.rmtree(kept.place)
    copy.rename(kept.place)
    kept.train(2)
    kept.keeper.look()
    assert "Another folder" in kept.trouble
    assert kept.steps() == [1]


def test_a_lock_that_was_removed_is_taken_again(kept: Kept) -> None:
    kept.train(1)
    (kept.place / "lock").unlink()
    kept.keeper.look()
    assert directory.is_live(kept.place)
    kept.keeper.saved(1, None)
    assert kept.trouble == ""
    assert kept.steps() == [1]


def test_a_checkpoint_that_failed_is_asked_for_again_when_there_is_hope(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, free = 100.0, 5000
    monkeypatch.setattr(module.time, "monotonic", lambda: now)
    monkeypatch.setattr(module, "free_bytes", lambda _: free)
    kept.keeper.saved(5, None)
    kept.keeper.saved(9, f"{os.strerror(28)} ({kept.place})")
    for words in ("Checkpoints cannot be written: No space left", "make room there", "checkpoint is of step 5"):
        assert words in kept.trouble
    kept.keeper.look()
    assert kept.orders == []
    free += 1000  # what a checkpoint needs
    kept.keeper.look()
    assert kept.orders == [trainer.Save(again=True)]
    kept.keeper.look()
    now += module.SAVE_AGAIN_EVERY
    kept.keeper.look()
    assert len(kept.orders) == 2
    kept.keeper.saved(12, None)
    assert kept.trouble == ""
    assert kept.notices == ["The disk takes the run again: nothing was lost; the newest checkpoint is of step 12."]
    now += module.SAVE_AGAIN_EVERY
    kept.keeper.look()
    assert len(kept.orders) == 2


def test_what_was_more_than_memory_holds_is_said(kept: Kept, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("charrnn.engine.record._KEPT_LOG", 10)
    hidden = kept.place.with_name("hidden")
    kept.place.rename(hidden)
    kept.keeper.record.log(b"0123456789abcde\n")
    hidden.rename(kept.place)
    kept.keeper.look()
    assert (kept.place / "engine.log").read_bytes().startswith(b"6789abcde\n")
    assert "lost are 6 bytes of engine.log" in kept.notices[-1]


def test_the_record_is_synced_after_a_checkpoint_and_written_again_where_that_fails(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def sync(file: int) -> None:
        synced.append(file)
        if len(synced) == 1:
            (kept.place / "metrics.jsonl").write_text("nobody knows what a failed sync has kept")
            raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", sync)
    kept.train(1, 2)
    kept.keeper.saved(2, None)
    asyncio.run(kept.keeper.sync())
    assert kept.steps() == [1, 2]
    asyncio.run(kept.keeper.sync())
    assert len(synced) == 4  # once in vain; then metrics, events and log
    assert "could not be synced" in (kept.place / "engine.log").read_text()
