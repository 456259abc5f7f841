"""Lanes: each is the single stream of its model, knobs and seed, and all are in step."""

from __future__ import annotations

from itertools import pairwise

import pytest

import charrnn
from charrnn.config import Cell, Knobs, UsageError
from charrnn.insight.lanes import InStep, Track, lanes
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.saved_model import SavedModel
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words
from tests.insight.models import CELLS, small_model

VOCABULARY = Characters("\n abcdefgh")
MANY_KNOBS = [Knobs(temperature=0.4), Knobs(), Knobs(temperature=1.2, top_k=4), Knobs(), Knobs(greedy=True)]


def alone(
    model: LanguageModel, vocabulary: Vocabulary, knobs: Knobs, seed: int, length: int, prime: str = "abc"
) -> str:
    return TextStream(model, vocabulary, prime=prime, seed=seed, knobs=knobs).take(length)


def saved(model: LanguageModel, vocabulary: Vocabulary, step: int, name: str = "hamlet") -> SavedModel:
    from tests.tui.fake_engine import corpus, model as told  # noqa: I001 - a whole configuration

    assert corpus().name == name
    return SavedModel(model, vocabulary, told().config, step)


@pytest.mark.parametrize("cell", CELLS)
def test_each_lane_is_the_single_stream_of_its_knobs_and_seed(cell: Cell) -> None:
    """In float64, where a draw within rounding of a border is out of the question, to the last character."""
    model = small_model(cell, len(VOCABULARY)).double()
    seeds = [3, 3, 3, 4, 5]
    running = InStep(
        [Track(model, VOCABULARY, knobs, seed) for knobs, seed in zip(MANY_KNOBS, seeds, strict=True)], "abc"
    )
    assert running.batches == 1
    found = ["".join(lane) for lane in zip(*(running.next() for _ in range(150)), strict=True)]
    wanted = [alone(model, VOCABULARY, knobs, seed, 150) for knobs, seed in zip(MANY_KNOBS, seeds, strict=True)]
    assert found == wanted
    assert len(set(found)) == 5


def test_lanes_of_other_vocabularies_wait_for_each_other() -> None:
    """Characters, words and bytes: none is ahead of another by more than one token, and each is what it is alone."""
    words = Words.of_text("the cat sat on the mat. the dog, the hat and the ant ate a bat.\n" * 4)
    longest = max(map(len, words.texts))
    kinds: list[tuple[LanguageModel, Vocabulary]] = [
        (small_model("gru", len(VOCABULARY)).double(), VOCABULARY),
        (small_model("lstm", len(words)).double(), words),
        (small_model("rnn", 256).double(), Bytes()),
    ]
    kinds.append((small_model("gru", 256).double(), Bytes()))  # a lane alone
    seeds = [(1, 2), (1, 2), (1, 2), (3,)]
    tracks = [
        Track(model, vocabulary, Knobs(), seed)
        for (model, vocabulary), own in zip(kinds, seeds, strict=True)
        for seed in own
    ]
    running = InStep(tracks, "a cat")
    texts = [""] * len(tracks)
    for _ in range(400):
        texts = [text + more for text, more in zip(texts, running.next(), strict=True)]
        assert max(map(len, texts)) - min(map(len, texts)) <= longest
        assert min(map(len, texts)) == running.characters
    assert running.characters > 50
    for track, text in zip(tracks, texts, strict=True):
        assert text == alone(track.model, track.vocabulary, track.knobs, track.seed, len(text), "a cat")


@pytest.mark.parametrize("lanes_of", [(1, 2), (2,)])
def test_new_knobs_count_from_the_very_next_character_and_new_weights_go_on_from_the_state(
    lanes_of: tuple[int, ...],
) -> None:
    model, other = small_model("lstm", len(VOCABULARY)).double(), small_model("lstm", len(VOCABULARY), seed=9).double()
    running = InStep([Track(model, VOCABULARY, Knobs(), seed, live=True) for seed in lanes_of], "abc")
    single = TextStream(model, VOCABULARY, prime="abc", seed=2)
    assert running.next()[-1] == single.next()
    running.tune([Knobs(temperature=3.0)] * len(lanes_of))
    single.knobs = Knobs(temperature=3.0)
    assert [running.next()[-1] for _ in range(30)] == [single.next() for _ in range(30)]
    running.replace(model, other)
    model.load_state_dict(other.state_dict())  # the single stream's own weights are overwritten in place
    assert [running.next()[-1] for _ in range(30)] == [single.next() for _ in range(30)]


def test_a_call_gives_plain_data_with_names_that_tell_the_lanes_apart() -> None:
    model = saved(small_model("mingru", len(VOCABULARY)), VOCABULARY, 1200)
    found = charrnn.lanes(model, prime="abc", knobs=[Knobs(temperature=t) for t in (0.4, 0.8, 1.2)], length=50)
    assert [lane.name for lane in found] == ["T 0.40", "T 0.80", "T 1.20"]
    assert [len(lane.text) for lane in found] == [50] * 3
    assert {(lane.seed, lane.step) for lane in found} == {(1, 1200)}
    younger = saved(small_model("mingru", len(VOCABULARY), seed=8), VOCABULARY, 10)
    both = lanes([younger, model], prime="abc", seeds=[1, 2], length=5)
    assert [lane.name for lane in both] == ["step 10 · seed 1", "step 1,200 · seed 2"]
    (one,) = lanes(model, prime="abc", length=5)
    assert one.name == "T 0.80"
    assert lanes([], prime="abc") == []
    with pytest.raises(UsageError, match="as many"):
        lanes([model, younger], prime="abc", seeds=[1, 2, 3])


def test_knobs_in_a_few_characters() -> None:
    said = [one.in_brief for one in (*MANY_KNOBS[1:3], Knobs(top_p=0.9, min_p=0.05), Knobs(greedy=True, top_k=2))]
    assert said == ["T 0.80", "T 1.20 top-k 4", "T 0.80 top-p 0.9 min-p 0.05", "greedy"]
    assert all(one != other for one, other in pairwise(said))
