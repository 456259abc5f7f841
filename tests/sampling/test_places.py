"""Going back: the state is the one that a new stream has after the same tokens, bit for bit."""

from __future__ import annotations

import contextlib
import random
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Cell, Knobs
from charrnn.model.language_model import LanguageModel
from charrnn.sampling import stream as module
from charrnn.sampling.places import GoneError, Places
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary, Words
from tests.insight.models import small_model

LETTERS = Characters(" abcdefgh\n")
CELLS: tuple[Cell, ...] = get_args(Cell)


def text_of(stream: TextStream) -> list[int]:
    """The tokens of the present text, as far as the places are known."""
    places = stream.places
    assert places is not None
    tokens, place = [], places.end - 1
    while place >= 0:
        tokens.append(places.token(place))
        place = places.before(place)
    return tokens[::-1]


def assert_same_state(one: TextStream, other: TextStream) -> None:
    assert torch.equal(one.look(), other.look())
    for layer, other_layer in zip(one._state or [], other._state or [], strict=True):
        for part, other_part in zip(layer, other_layer, strict=True):
            assert torch.equal(part, other_part)


def fresh(model: LanguageModel, vocabulary: Vocabulary, tokens: list[int]) -> TextStream:
    """A new stream that is made to take these tokens one by one."""
    stream = TextStream(model, vocabulary, prime="abc", seed=9)
    for token in tokens:
        stream.take_token(token)
    return stream


@pytest.mark.parametrize("room", [64_000_000, 4 * 16 * 30], ids=["every state", "every k-th"])
@pytest.mark.parametrize("kernels_used", [True, False], ids=["kernels", "torch"])
@pytest.mark.parametrize("cell", CELLS)
def test_the_state_is_that_of_a_fresh_run(
    cell: Cell, kernels_used: bool, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not kernels_used:
        monkeypatch.setattr(module, "stepper", lambda model: None)
        monkeypatch.setattr("charrnn.sampling.choose.library", lambda: None)
    model = small_model(cell, len(LETTERS))
    stream = TextStream(model, LETTERS, prime="abc", seed=1)
    places = stream.remember(Places(len(LETTERS), window=200, states_room=room))
    chance = random.Random(4)
    stream.take(250)
    assert (places.every > 1) == (room < 64_000_000)
    for _ in range(12):
        place = chance.randrange(places.first, places.end)
        stream.go_back(place, chance.randrange(len(LETTERS)))
        stream.take(chance.randrange(6))
        if chance.random() < 0.3:
            stream.look()
    assert_same_state(stream, fresh(model, LETTERS, _all_tokens(stream, model)))


def _all_tokens(stream: TextStream, model: LanguageModel) -> list[int]:
    """The present text's tokens from the stream's beginning: those that left the window are made again."""
    places = stream.places
    assert places is not None
    known: list[int] = []
    place = places.end - 1
    with contextlib.suppress(GoneError):
        while place >= 0:
            known.append(places.token(place))
            place = places.before(place)
    if place < 0:
        return known[::-1]
    again = TextStream(model, LETTERS, prime="abc", seed=1)  # before the window nothing was gone back on
    first = [again._next_token() for _ in range(place)]
    return first + known[::-1]


@pytest.mark.parametrize("vocabulary", [Bytes(), Words("ab ", (" ab", "abba"))], ids=["bytes", "words"])
def test_characters_of_several_tokens_and_tokens_of_several_characters(vocabulary: Vocabulary) -> None:
    model = small_model("lstm", len(vocabulary))
    stream = TextStream(model, vocabulary, prime="ab", seed=2)
    places = stream.remember()
    text = stream.take(200)
    chance = random.Random(8)
    for _ in range(30):
        at = chance.randrange(len(text))
        place = places.begin_of(places.at(at))
        token = chance.randrange(len(vocabulary))
        begin, made = places.start(place), stream.made
        last = places.begin_of(places.end - 1)  # may still wait for its rest
        assert place <= max(last, place)
        completed = stream.go_back(place, token)
        completed += "".join(stream.next() for _ in range(5))
        tokens = text_of(stream)
        whole = vocabulary.decode(np.array(tokens))
        assert stream.made == made + len(completed)
        assert whole.startswith(text[:begin] + completed)
        stream.restart()
        assert places.end == 0
        assert stream.take(200) == text


def test_what_the_model_was_unsure_between_is_kept_or_computed_again() -> None:
    model = small_model("gru", len(LETTERS))
    stream = TextStream(model, LETTERS, prime="abc", seed=1)
    places = stream.remember(Places(len(LETTERS), window=100, logits_room=4 * len(LETTERS) * 20))
    stream.take(60)
    stream.go_back(50, 2)
    stream.go_back(30, 3)
    stream.take(5)
    for place in range(places.end):
        kept = places.logits(place)
        assert (kept is not None) == (place >= places.end - 20 and place != 61)
        held = stream.look().clone()
        again = stream.logits_at(place)
        if kept is not None:
            assert torch.equal(torch.from_numpy(kept), again)
        assert torch.equal(held, stream.look())
    nats = places.nats(0, places.end)
    for place in range(places.end):
        logits = places.logits(place)
        if logits is not None:
            chances = torch.softmax(torch.from_numpy(logits).double(), 0)
            assert nats[place] == pytest.approx(-chances[places.token(place)].log().item(), abs=1e-9)
        else:
            assert np.isnan(nats[place])


def test_looking_changes_nothing_and_knobs_still_count() -> None:
    model = small_model("lstm", len(LETTERS))
    one, other = (TextStream(model, LETTERS, prime="abc", seed=5) for _ in range(2))
    for number in range(40):
        if number % 3 == 0:
            one.look()
        one.knobs = other.knobs = Knobs(temperature=0.3 + number / 20)
        assert one.next() == other.next()


def test_a_place_that_left_the_window_is_gone_and_nothing_has_changed() -> None:
    model = small_model("lstm", len(LETTERS))
    stream = TextStream(model, LETTERS, prime="abc", seed=5)
    places = stream.remember(Places(len(LETTERS), window=50))
    stream.take(200)
    before = stream.look().clone()
    for place in (0, places.first - 1, places.end, -1):
        with pytest.raises(GoneError):
            stream.go_back(place, 1)
    with pytest.raises(IndexError):
        stream.go_back(places.first, len(LETTERS))
    assert places.first == 150
    assert torch.equal(before, stream.look())
    assert stream.go_back(places.first, 1) == "a"


def test_lost_numbers_are_lost_again_after_going_back() -> None:
    model = small_model("gru", len(LETTERS))
    stream = TextStream(model, LETTERS, prime="abc", seed=5)
    places = stream.remember(Places(len(LETTERS), window=50, states_room=4 * 16 * 30))
    stream.take(10)
    weight = model.output.bias.detach().clone()
    with torch.no_grad():
        model.output.bias[0] = float("nan")
    stream.take(1)
    with torch.no_grad():
        model.output.bias.copy_(weight)
    stream.take(10)
    assert places.lost(10)
    text = stream.look().clone()
    stream.go_back(places.end - 1, places.token(places.end - 1))
    assert torch.equal(stream.look(), text)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3)), max_size=20), st.integers(1, 40))
def test_the_window_never_takes_more_than_its_room(steps: list[tuple[int, int]], window: int) -> None:
    places = Places(3, window=window, states_room=4 * 2 * 8, logits_room=4 * 3 * 7)
    start = 0
    for run, token in steps:
        for _ in range(run):
            places.keep([(torch.full((1, 2), float(places.end)),)], torch.ones(3), token % 3, start)
            start += 1
        if places.end and places.first < places.end - 1:
            places.keep([(torch.ones(1, 2),)], None, 1, start, joint=places.first)
    assert len(places._held) <= window // places.every + 64
    assert len(places._tokens) <= 2 * window + places.every
    assert places.end - places.first <= window
