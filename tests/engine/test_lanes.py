"""Lanes of a live engine: in step, as the single streams write them, of other checkpoints and runs, until closed."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import Knobs, UsageError
from charrnn.engine.answering.lanes import _load
from charrnn.engine.messages import SetPace, SetPaused, Welcome, WriteCheckpoint
from charrnn.engine.questions.lanes import (
    LONGEST_PRIME,
    MOST_LANES,
    CheckpointsListed,
    CloseLanes,
    LanesEnded,
    LanesOpened,
    LanesText,
    LaneWish,
    ListCheckpoints,
    OpenLanes,
    TuneLanes,
)
from charrnn.runs.saved import list_checkpoints
from charrnn.sampling.saved_model import load_model
from charrnn.sampling.stream import TextStream
from tests.engine.driving import Watcher, engine

KNOBS = [Knobs(temperature=0.4), Knobs(), Knobs(temperature=1.2)]


def texts(watcher: Watcher, number: int, lanes: int) -> list[str]:
    """What the lanes of that question wrote so far."""
    told = [answer.texts for answer in watcher.told(LanesText) if answer.number == number]
    return ["".join(pieces[lane] for pieces in told) for lane in range(lanes)]


async def paused_with_a_checkpoint(watcher: Watcher) -> Path:
    """The run's folder, once it stands still at a step of which there is a checkpoint with the same weights."""
    (welcome,) = await watcher.until(lambda: watcher.told(Welcome))
    await watcher.until(lambda: watcher.status.step > 3)
    watcher.client.send(SetPaused(True))
    await watcher.until(lambda: watcher.status.state == "paused")
    watcher.client.send(WriteCheckpoint())
    folder = Path(welcome.folder)
    await watcher.until(lambda: watcher.messages and list_checkpoints(folder))
    return folder


def test_lanes_are_what_single_streams_write_and_stop_when_they_are_closed(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            folder = await paused_with_a_checkpoint(watcher)
            step = list_checkpoints(folder)[-1].step
            wishes = [LaneWish(knobs, 7) for knobs in KNOBS] + [LaneWish(KNOBS[1], 7, "", str(step))]
            watcher.client.send(OpenLanes(1, "The ☃quick", wishes))
            (opened,) = await watcher.until(lambda: watcher.told(LanesOpened))
            assert [lane.live for lane in opened.lanes] == [True, True, True, False]
            assert {(lane.step, lane.unknown, lane.problem) for lane in opened.lanes} == {(step, "☃", "")}
            await watcher.until(lambda: min(map(len, texts(watcher, 1, 4))) >= 60)
            found = texts(watcher, 1, 4)
            assert len(set(map(len, found))) == 1
            saved = load_model(folder, str(step))
            for knobs, text in zip([*KNOBS, KNOBS[1]], found, strict=True):
                single = TextStream(saved.model, saved.vocabulary, prime="The quick", seed=7, knobs=knobs)
                assert text == single.take(len(text))
            watcher.client.send(TuneLanes([replace(knobs, greedy=True) for knobs in [*KNOBS, KNOBS[1]]], held=True))
            await asyncio.sleep(0.5)
            count = len(watcher.told(LanesText))
            await asyncio.sleep(0.4)
            assert len(watcher.told(LanesText)) == count  # held
            watcher.client.send(TuneLanes([*KNOBS, KNOBS[1]]))
            await watcher.until(lambda: len(watcher.told(LanesText)) > count)
            watcher.client.send(SetPace(0.0))  # the stream's pace is theirs
            await asyncio.sleep(0.5)
            count = len(watcher.told(LanesText))
            await asyncio.sleep(0.4)
            assert len(watcher.told(LanesText)) == count
            watcher.client.send(CloseLanes())
            (ended,) = await watcher.until(lambda: watcher.told(LanesEnded))
            assert ended == LanesEnded(1, "")
            watcher.client.send(SetPace(200.0))
            await asyncio.sleep(0.4)
            assert len(watcher.told(LanesText)) == count

    asyncio.run(test())


def test_other_runs_can_be_lanes_and_what_cannot_says_why(
    small_text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARRNN_RUNS", str(tmp_path / "runs"))
    path = tmp_path / "text.txt"
    path.write_text(small_text)

    async def test() -> None:
        async with engine(path) as (watcher, _):
            folder = await paused_with_a_checkpoint(watcher)
            shutil.copytree(folder, folder.parent / "older")
            shutil.copytree(folder, folder.parent / "broken")
            for model in (folder.parent / "broken").rglob("model.safetensors"):
                model.write_bytes(model.read_bytes()[:-1] + b"?")
            shutil.copytree(folder, tmp_path / "elsewhere")
            os.mkdir(os.fsencode(folder.parent) + b"/odd\xff")
            shutil.copytree(folder, os.fsdecode(os.fsencode(folder.parent) + b"/odd\xff"), dirs_exist_ok=True)
            size = (list_checkpoints(folder)[-1].path / "model.safetensors").stat().st_size
            nobody: Any = None
            assert _load(folder, "", size, nobody)[1] == size
            with pytest.raises(UsageError, match="choose fewer runs"):  # all weights together are bounded
                _load(folder, "", size - 1, nobody)
            watcher.client.send(ListCheckpoints())
            (listed,) = await watcher.until(lambda: watcher.told(CheckpointsListed))
            assert [one.step for one in listed.own] == [one.step for one in list_checkpoints(folder)]
            assert {run.name for run in listed.runs} == {"older", "broken"}
            assert {run.corpus for run in listed.runs} == {"text.txt"}
            runs = ["", "older", "broken", "../elsewhere", "nowhere"]
            watcher.client.send(OpenLanes(2, "The", [LaneWish(Knobs(), 1, run, "best" if run else "") for run in runs]))
            (opened,) = await watcher.until(lambda: watcher.told(LanesOpened))
            problems = [lane.problem for lane in opened.lanes]
            assert problems[:2] == ["", ""]
            assert "checkpoint" in problems[2]
            assert "no run '../elsewhere'" in problems[3]
            assert "nowhere" in problems[4]
            assert all(problem.endswith(".") for problem in problems[2:])
            await watcher.until(lambda: min(map(len, texts(watcher, 2, 2))) > 20)
            assert texts(watcher, 2, 5)[2:] == ["", "", ""]
            watcher.client.send(OpenLanes(3, "The", [LaneWish(Knobs(), 1, "nowhere")]))  # takes the others' place
            await watcher.until(lambda: watcher.told(LanesEnded))
            assert [ended.number for ended in watcher.told(LanesEnded)] == [3]
            count = len(watcher.told(LanesText))
            await asyncio.sleep(0.4)
            assert len(watcher.told(LanesText)) == count

    asyncio.run(test())


def test_what_no_lanes_can_be_made_of_is_refused_with_a_sentence(small_text: str, tmp_path: Path) -> None:
    path = tmp_path / "text.txt"
    path.write_text(small_text)
    wish = LaneWish(Knobs(), 1)
    refused: list[tuple[OpenLanes, str]] = [
        (OpenLanes(1, "", []), f"There can be 1 to {MOST_LANES} lanes, not 0."),
        (OpenLanes(2, "", [wish] * (MOST_LANES + 1)), f"There can be 1 to {MOST_LANES} lanes, not {MOST_LANES + 1}."),
        (OpenLanes(3, "a" * (LONGEST_PRIME + 1), [wish]), "shorten the prime."),
        (OpenLanes(4, "", [LaneWish(Knobs(temperature=-1.0), 1)]), "temperature -1.0 is out of range"),
        (OpenLanes(5, "", [LaneWish(Knobs(), -1)]), "out of range"),
    ]

    async def test() -> None:
        async with engine(path) as (watcher, _):
            for question, words in refused:
                watcher.client.send(question)
                ended: Any = await watcher.until(
                    lambda number=question.number: [one for one in watcher.told(LanesEnded) if one.number == number]
                )
                assert words in ended[0].words
            assert not watcher.told(LanesOpened)

    asyncio.run(test())
