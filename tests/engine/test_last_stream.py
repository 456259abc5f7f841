"""A run's stream is played with on as it was last, unless the command line says otherwise."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from charrnn.config import Knobs, StreamConfig
from charrnn.engine.last_stream import FILE, LONGEST_PRIME, last_stream
from charrnn.engine.messages import RestartStream, RunRequest, SetKnobs, SetPace, Welcome
from charrnn.runs.directory import read_config
from tests.engine.driving import engine, launched

GOOD: dict[str, Any] = {"knobs": {"temperature": 1.1, "top_k": 5}, "pace": 50.0, "prime": "Th"}
RECORDED = StreamConfig(prime="old", seed=7, pace=3.0, knobs=Knobs(temperature=0.5))


def test_the_knobs_of_the_last_time_come_back(corpus_file: Path, runs_folder: Path) -> None:
    played = Knobs(temperature=1.25, top_k=3, min_p=0.05)

    async def go() -> None:
        async with engine(corpus_file, validation=0.0) as (watcher, _):
            await watcher.until(lambda: watcher.status.state == "training" and watcher.status.sampler_ready)
            watcher.client.send(SetKnobs(Knobs(temperature=0.3)))
            watcher.client.send(SetPace(123.0))
            watcher.client.send(RestartStream(prime="the quick"))
            watcher.client.send(SetKnobs(played))
            await watcher.until(lambda: watcher.status.knobs == played and watcher.status.prime == "the quick")
        place = Path(watcher.told(Welcome)[0].folder)
        assert json.loads((place / FILE).read_text())["prime"] == "the quick"
        async with launched(RunRequest(target=place.name, train=False)) as (again, _):
            await again.until(lambda: again.status.sampler_ready)
            assert (again.status.knobs, again.status.pace, again.status.prime) == (played, 123.0, "the quick")
            assert all(piece.knobs == played for piece in again.text)
        options = {"temperature": 0.6, "pace": 20.0}
        async with launched(RunRequest(target=place.name, train=False, options=options)) as (again, _):
            await again.until(lambda: again.status.sampler_ready)
            assert again.status.knobs == Knobs(temperature=0.6, top_k=3, min_p=0.05)
            assert (again.status.pace, again.status.prime) == (20.0, "the quick")
        assert read_config(place).stream.knobs == Knobs()

    asyncio.run(go())


def test_what_was_remembered_counts_where_it_fits(tmp_path: Path) -> None:
    assert last_stream(tmp_path, RECORDED) == RECORDED
    (tmp_path / FILE).write_text(json.dumps(GOOD))
    found = last_stream(tmp_path, RECORDED)
    assert found == StreamConfig(prime="Th", seed=7, pace=50.0, knobs=Knobs(temperature=1.1, top_k=5))
    (tmp_path / FILE).write_text(json.dumps({**GOOD, "prime": ""}))
    assert last_stream(tmp_path, RECORDED).prime == "old"


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b" " * (1 << 20),
        json.dumps({**GOOD, "pace": -1}).encode(),
        json.dumps({**GOOD, "pace": "fast"}).encode(),
        json.dumps({**GOOD, "knobs": {"temperature": 1e9}}).encode(),
        json.dumps({**GOOD, "prime": "x" * (LONGEST_PRIME + 1)}).encode(),
        json.dumps(GOOD).replace("1.1", "NaN").encode(),
    ],
    ids=lambda damaged: repr(damaged[:12]),
)
def test_a_damaged_file_is_as_none(damaged: bytes, tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(damaged)
    assert last_stream(tmp_path, RECORDED) == RECORDED


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text(json.dumps(GOOD))
    (tmp_path / FILE).symlink_to(tmp_path / "elsewhere")
    assert last_stream(tmp_path, RECORDED) == RECORDED
