"""The choice behind a token: against the plain formulas in float64, under every combination of knobs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import charrnn
from charrnn.config import Knobs
from charrnn.insight.choices import choice, choices
from charrnn.sampling.choose import probabilities
from charrnn.text.vocabulary import Characters
from tests.insight.models import CELLS, small_model

VOCABULARY = Characters(" abcdefgh\n")
KNOBS = st.builds(
    Knobs,
    temperature=st.sampled_from([0.0, 0.05, 0.8, 1.0, 2.0, 50.0]),
    top_k=st.integers(0, 12),
    top_p=st.sampled_from([1.0, 0.95, 0.5, 0.0]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    greedy=st.booleans(),
)
LOGITS = st.lists(st.floats(-20, 20, width=32), min_size=1, max_size=12)


def reference(logits: list[float], knobs: Knobs) -> list[float]:
    """The same by the definitions, in plain Python."""
    order = sorted(range(len(logits)), key=lambda token: (-logits[token], token))
    if knobs.greedy:
        return [float(token == order[0]) for token in range(len(logits))]
    temperature = max(knobs.temperature, 1e-30)
    top = max(logits)
    weights = [math.exp((one - top) / temperature) for one in logits]
    chances = [weight / sum(weights) for weight in weights]

    def keep(tokens: list[int]) -> list[float]:
        total = sum(chances[token] for token in tokens)
        return [chances[token] / total if token in tokens else 0.0 for token in range(len(logits))]

    if 0 < knobs.top_k < len(logits):
        chances = keep(order[: knobs.top_k])
    if knobs.top_p < 1:
        tokens, reached = [], 0.0
        for token in order:
            if tokens and reached >= knobs.top_p - 1e-12:
                break
            tokens.append(token)
            reached += chances[token]
        chances = keep(tokens)
    best = max(chances)
    return keep([token for token in range(len(logits)) if chances[token] >= knobs.min_p * best])


@given(LOGITS, KNOBS)
def test_probabilities_sum_to_1_after_every_combination_of_knobs(logits: list[float], knobs: Knobs) -> None:
    found = choice(logits, knobs, 0)
    assert found.before.sum() == pytest.approx(1, abs=1e-12)
    assert found.after.sum() == pytest.approx(1, abs=1e-12)
    assert np.array_equal(found.after, probabilities(torch.tensor(logits, dtype=torch.float64), knobs).numpy())
    assert found.left == (found.after > 0).sum()
    plain = [math.exp(one - max(logits)) for one in logits]
    assert found.before == pytest.approx([one / sum(plain) for one in plain], abs=1e-5)
    for one in found.candidates:
        assert (one.after == 0) == bool(one.removed)
    assert found.taken is not None
    assert [one.rank for one in found.candidates] == list(range(1, min(10, len(logits)) + 1))
    assert all(a.before >= b.before for a, b in zip(found.candidates, found.candidates[1:], strict=False))


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=10, unique=True), KNOBS)
def test_they_are_a_float64_references(steps: list[int], knobs: Knobs) -> None:
    logits = [0.37 * step for step in steps]  # no ties, and no border that rounding could move
    assert choice(logits, knobs).after == pytest.approx(reference(logits, knobs), abs=1e-5)


def test_each_filter_is_named_for_what_it_removed() -> None:
    logits = np.log([0.5, 0.2, 0.15, 0.1, 0.05])
    found = choice(logits, Knobs(temperature=1.0, top_k=4, top_p=0.88, min_p=0.35), taken=4)
    assert [one.removed for one in found.candidates] == ["", "", "min-p", "top-p", "top-k"]
    assert found.taken is not None
    assert (found.taken.rank, found.taken.removed, found.taken.before) == (5, "top-k", pytest.approx(0.05))
    assert [one.removed for one in choice(logits, Knobs(greedy=True)).candidates] == ["", *["greedy"] * 4]
    assert choice([0.0, 900.0], Knobs(temperature=1.0)).candidates[1].before == 0
    assert choice([0.0, 100.0], Knobs(temperature=0.05)).candidates[1].removed == "temperature"


def test_entropy_is_of_all_and_what_was_taken_need_not_be_among_the_likeliest() -> None:
    found = choice(np.zeros(64), Knobs(temperature=1.0, top_k=16), taken=50)
    assert found.entropy_before == pytest.approx(math.log(64))
    assert found.entropy_after == pytest.approx(math.log(16))
    assert found.left == 16
    assert len(found.candidates) == 10
    assert found.taken is not None
    assert found.taken.rank == 51
    with pytest.raises(IndexError):
        choice(np.zeros(4), taken=4)


@pytest.mark.parametrize("cell", CELLS)
def test_the_choices_behind_a_text_are_the_streams_own(cell: charrnn.config.Cell) -> None:  # type: ignore[name-defined]
    model = small_model(cell, len(VOCABULARY))
    knobs = Knobs(temperature=0.7, top_k=5)
    stream = charrnn.TextStream(model, VOCABULARY, prime="abc", seed=3, knobs=knobs)
    places = stream.remember()
    text = stream.take(30)
    found = choices(model, VOCABULARY, text, prime="abc", knobs=knobs)
    assert len(found) == 31
    assert found[30].taken is None
    for place, one in enumerate(found[:30]):
        assert one.taken is not None
        assert one.taken.after > 0
        own = choice(places.logits(place), knobs)  # type: ignore[arg-type]
        assert one.after == pytest.approx(own.after, abs=1e-5)
        assert -math.log(one.taken.before) == pytest.approx(places.nats(place, place + 1)[0], abs=1e-4)


@pytest.mark.parametrize("prime", ["", "☃", "a☃"])
def test_what_the_model_does_not_know_is_passed_over(prime: str) -> None:
    found = charrnn.choices(small_model("lstm", len(VOCABULARY)), VOCABULARY, "a☃b", prime=prime)
    assert [one.taken.token if one.taken else None for one in found] == [1, 2, None]
