"""Passages follow one another, are the text, and cost what the text costs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import charrnn
from charrnn.insight import passages as module
from charrnn.insight.passages import Passages, passages
from charrnn.insight.surprise import by_character, surprise
from charrnn.text.vocabulary import Bytes, Characters
from tests.insight.models import small_model

CHARACTERS = Characters("\n abcdefgh")


def test_they_are_the_text_and_their_nats_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 50)
    for vocabulary, letters in ((CHARACTERS, "\n abcdefgh"), (Bytes(), "a é\n☃")):
        model = small_model("lstm", len(vocabulary))

        @settings(max_examples=30, deadline=None)
        @given(text=st.text(letters, max_size=300), context=st.text(letters, max_size=10))
        def holds(text: str, context: str) -> None:
            found = passages(model, vocabulary, vocabulary.encode(text), vocabulary.encode(context), length=20)  # noqa: B023
            assert [one.nats for one in found] == sorted((one.nats for one in found), reverse=True)
            found.sort(key=lambda one: one.at)
            first = 0 if context else 1
            assert "".join(one.text for one in found) == text[first : first + sum(len(one.text) for one in found)]
            assert len(text) - first - sum(len(one.text) for one in found) <= 10
            seen = surprise(model, vocabulary, text, context=context)  # noqa: B023
            costs = by_character(seen.tokens, seen.nats)[0]
            at = first
            for one in found:
                assert one.at == at
                assert one.nats == pytest.approx(costs[at : at + len(one.text)].mean(), abs=1e-4)
                at += len(one.text)
            assert all(len(one.text) <= 25 for one in found)

        holds()


def test_they_end_with_lines_and_words() -> None:
    text = "a bad cab had a bag\n" * 30
    found = charrnn.passages(small_model("gru", len(CHARACTERS)), CHARACTERS, CHARACTERS.encode(text), length=20)
    assert len(found) > 20
    assert all(one.text.endswith("\n") for one in found)


def test_it_is_told_how_far_it_is_and_which_are_the_extremes() -> None:
    vocabulary = CHARACTERS
    text = "".join(np.random.default_rng(1).choice(list("abcdefgh "), 5000))
    search = Passages(small_model("gru", len(vocabulary)), vocabulary, vocabulary.encode(text))
    reads = [search.read for _ in search.pieces()]
    assert reads == sorted(reads)
    assert search.read == len(text)
    worst, best = search.extremes(5)
    assert len(worst) == len(best) == 5
    order = sorted(one.nats for one in search.found)
    assert [one.nats for one in best] == order[:5]
    assert [one.nats for one in worst] == order[:-6:-1]
