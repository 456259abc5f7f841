"""What the presets that adapt pick fits the text, the device, the time, and what the user said."""

from __future__ import annotations

from typing import Any

import pytest

from charrnn.config import CorpusConfig, RunConfig
from charrnn.picks import LONG, pick
from charrnn.presets import resolve


def picked(characters: int = 1_000_000, preset: str = "auto", device: str = "cpu", **options: Any) -> dict[str, Any]:
    return pick(preset, options, characters=characters, device=device)[0]  # type: ignore[arg-type]


def resolved(characters: int = 1_000_000, **options: Any) -> RunConfig:
    corpus = CorpusConfig(source="/x", name="x")
    return resolve(options, corpus=corpus, characters=characters, device="cpu", cores=2)


def test_there_are_two_sizes_and_time_decides() -> None:
    small, large = picked(preset="fast"), picked(preset="large")
    assert small["hidden"] < large["hidden"]
    assert picked() == small
    assert picked(minutes=LONG - 1) == small
    assert picked(minutes=LONG) == large
    assert picked(preset="fast", minutes=60) == small
    assert picked(preset="large", device="cuda") == picked(device="cuda")
    assert picked(device="cuda")["hidden"] > large["hidden"]


def test_dropout_and_noise_go_with_the_length_of_the_text() -> None:
    short, long, endless = picked(1_000_000), picked(5_000_000), picked(50_000_000)
    assert short["dropout"] > long["dropout"] > endless.get("dropout", 0)
    assert short["noise"] > long["noise"] > endless.get("noise", 0)


@pytest.mark.parametrize("characters", [4, 5, 50, 199, 200, 1000, 30_000])
def test_short_texts_get_what_they_bear(characters: int) -> None:
    for preset in ("auto", "fast", "large"):
        training = resolved(characters, preset=preset).training
        assert training.batch >= 1
        assert training.batch * training.length < characters


def test_what_is_picked_fits_what_the_user_said() -> None:
    assert resolved(hidden=200).model.embedding == 200
    assert resolved(hidden=200, embedding=10).model.embedding == 10
    assert resolved(optimiser="adam").training.lr < resolved().training.lr
    assert resolved(lr=0.1).training.lr == 0.1
    classic = resolved(cell="lstm")
    assert (classic.training.optimiser, classic.training.noise, classic.training.average) == ("adam", 0, 0)
    assert resolved(cell="lstm", preset="large").model.hidden > classic.model.hidden
    assert resolved(300, length=32).training.batch == 2


def test_it_says_what_and_why() -> None:
    assert resolved().reason.startswith("mingru 2×128, 32 streams of 64: on a CPU many small updates")
    assert "learnt by heart" in resolved().reason
    assert "time for a larger network" in resolved(minutes=10).reason
    assert "only 3 streams" in resolved(800).reason
