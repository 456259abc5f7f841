"""What a preset means here: figures from the settings, speeds from runs, from the cache, or measured."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from charrnn.config import UsageError
from charrnn.engine import estimates
from charrnn.engine.estimates import Estimate, keep_speed, kept_speeds, measure, speed_key
from charrnn.presets import PRESETS
from charrnn.text.preview import look_at


def of(path: Path, speeds: estimates.Speeds | None = None, **options: str | int | float) -> list[Estimate]:
    return estimates.estimates(look_at(str(path)), options, device="cpu", cores=1, speeds=speeds or {})


def test_every_preset_has_its_figures(corpus_file: Path) -> None:
    found = of(corpus_file)
    assert [one.preset for one in found] == list(PRESETS)
    assert all(one.parameters > 1000 and one.memory > 1e8 and one.speed is None for one in found)
    large, lecture = found[2], found[3]
    assert (large.network, lecture.network) == ("mingru 2×256", "lstm 1×128")
    assert large.memory > found[1].memory
    assert lecture.symbols == 100


def test_a_pass_takes_the_training_part_through_the_speed(corpus_file: Path, small_text: str) -> None:
    first = of(corpus_file)[0]
    key = speed_key(first.config.model, first.config.training)
    again = of(corpus_file, {key: (1000.0, "as in moby-1")})[0]
    assert (again.speed, again.source) == (1000.0, "as in moby-1")
    assert again.pass_seconds == pytest.approx(0.9 * len(small_text) / 1000, rel=0.01)


def test_options_count_and_contradictions_are_told(corpus_file: Path) -> None:
    assert of(corpus_file, minutes=10.0)[0].network == "mingru 2×256"
    with pytest.raises(UsageError):
        of(corpus_file, steps=0)


def test_measured_speeds_are_kept_and_damage_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    assert kept_speeds() == {}
    keep_speed("one network", 12345.6)
    keep_speed("another", 5.0)
    assert kept_speeds() == {"one network": (12345.6, "measured"), "another": (5.0, "measured")}
    for damage in (b"[", b"[1]", b'{"a": "x"}', b"\xff"):
        (tmp_path / "cache" / "speeds.json").write_bytes(damage)
        assert kept_speeds() == {}


def test_a_measurement_tells_devices_and_speeds(corpus_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "MEASURED_FOR", 0.05)
    asked = of(corpus_file)[:2]

    async def said() -> list[object]:
        return [news async for news in measure(asked)]

    devices, *speeds = asyncio.run(said())
    assert isinstance(devices, list)
    assert "cpu" in devices
    assert speeds == [(speed_key(asked[0].config.model, asked[0].config.training), pytest.approx(speeds[0][1]))]  # type: ignore[index]
    assert speeds[0][1] > 100  # type: ignore[index]


def test_a_measurement_that_is_left_ends_its_process(corpus_file: Path) -> None:
    async def leave() -> int | None:
        made = measure(of(corpus_file))
        task = asyncio.ensure_future(anext(made))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await made.aclose()
        return len(asyncio.all_tasks())

    assert asyncio.run(leave()) == 1
