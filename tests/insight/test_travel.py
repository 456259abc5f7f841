"""Asking a run's younger selves: each writes what its weights would have written then, from the same draws."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from charrnn.config import Knobs, UsageError
from charrnn.insight.eras import kept_states, nearest_first, places
from charrnn.insight.travel import Traveller, eras_of, travel
from charrnn.runs.manifest import MODEL
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Characters
from tests.insight.small_runs import CHECKPOINT, MILESTONES, TEXT, small_run, weights_of

STEPS = [*MILESTONES, CHECKPOINT]


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return small_run(tmp_path / "fox")


def test_every_state_writes_what_its_own_weights_write(run: Path) -> None:
    knobs = Knobs(temperature=0.7, top_k=10)
    eras = travel(run, "The fox", seed=5, length=60, knobs=knobs)
    assert [era.step for era in eras] == STEPS
    vocabulary = Characters.of_text(TEXT)
    for era in eras:
        stream = TextStream(weights_of(era.step, vocabulary), vocabulary, prime="The fox", seed=5, knobs=knobs)
        assert (era.prime, era.text) == ("The fox", stream.take(60))
    assert len({era.text for era in eras}) == len(eras)
    assert eras == travel(run, "The fox", seed=5, length=60, knobs=knobs)


def test_an_era_says_what_was_known_of_the_state(run: Path) -> None:
    eras = {era.step: era for era in travel(run, length=5)}
    assert [era.chars for era in eras.values()] == [0, 1000, 2500, 6000, 9000]
    assert [era.val_loss for era in eras.values()] == [None, None, None, 3.5, 3.5]
    losses = [era.train_loss for era in eras.values()]
    assert losses[0] is None
    assert losses[1:] == pytest.approx([3.8, 3.6, 2.8, 2.2])  # as last measured by then
    assert eras[0].prime == "The "  # the run's own, where none is given


def test_what_the_model_does_not_know_is_left_out_of_the_prime(run: Path) -> None:
    assert {era.prime for era in travel(run, "T☃he", length=3)} == {"The"}


def test_a_damaged_state_is_passed_over_and_named(run: Path) -> None:
    place = run / "milestones" / "step-00000010" / MODEL
    place.write_bytes(place.read_bytes()[:-1])
    shutil.copyfile(run / "milestones" / "step-00000025" / MODEL, run / "milestones" / "step-00000060" / MODEL)
    remarks: list[str] = []
    eras = list(eras_of(run, length=5, remarks=remarks))
    assert [era.step for era in eras] == [0, 25, 90]
    assert [words.split(" is ")[0] for words in remarks] == ["Step 10", "Step 60"]
    for name in ("milestones", "checkpoints"):
        for path in (run / name).glob(f"*/{MODEL}"):
            path.write_bytes(b"\0")
    with pytest.raises(UsageError, match="damaged"):
        travel(run, length=5)


def test_a_run_without_any_state_says_so(run: Path) -> None:
    shutil.rmtree(run / "milestones")
    assert [era.step for era in travel(run, length=5)] == [CHECKPOINT]
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(UsageError, match="kept no state"):
        travel(run, length=5)


def test_weights_of_another_network_or_vocabulary_are_refused(run: Path, tmp_path: Path) -> None:
    vocabulary = Characters.of_text(TEXT + "Zz!")
    state = kept_states(run)[0]
    with pytest.raises(UsageError, match="other characters"):
        Traveller(weights_of(0, vocabulary), vocabulary).open(state)
    (run / "config.toml").write_text((run / "config.toml").read_text().replace("hidden = 16", "hidden = 17"))
    with pytest.raises(UsageError, match="does not fit"):
        travel(run, length=5)


def test_the_model_that_is_travelled_with_is_a_copy(run: Path) -> None:
    vocabulary = Characters.of_text(TEXT)
    model = weights_of(3, vocabulary)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    Traveller.like(model, vocabulary).open(kept_states(run)[0])
    assert all(bool((before[name] == tensor).all()) for name, tensor in model.state_dict().items())


def test_those_nearest_to_the_slider_come_first(run: Path) -> None:
    states = kept_states(run)
    assert [state.step for state in nearest_first(states, 24)] == [25, 60, 10, 90, 0]
    assert [state.step for state in nearest_first(states, 10**9)] == STEPS[::-1]
    assert nearest_first([], 3) == []


def test_steps_have_their_places_on_a_line() -> None:
    assert places([], 10) == []
    assert places([7], 10) == [0]
    spread = places([0, 100, 300, 700, 1500], 41)
    assert spread == [0, 10, 20, 30, 40]  # the scale doubles
