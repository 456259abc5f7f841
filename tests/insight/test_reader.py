"""A text read while it is typed is read as if it had been whole from the beginning, and little of it anew."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from charrnn.config import Cell
from charrnn.insight import reader as module
from charrnn.insight.reader import Reader, placed
from charrnn.insight.surprise import by_character, surprise
from charrnn.text.vocabulary import Bytes, Characters, Words
from tests.insight.models import CELLS, small_model

VOCABULARY = Characters(" abcdefgh")
TEXTS = st.lists(st.text("abc defgh", max_size=40), min_size=1, max_size=6)


@pytest.mark.parametrize("cell", CELLS)
def test_what_is_read_again_is_what_is_read_at_once(cell: Cell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    monkeypatch.setattr(module, "AT_ONCE", 8)
    model = small_model(cell, len(VOCABULARY))
    reader = Reader(model, VOCABULARY, 7)

    @settings(max_examples=25, deadline=None)
    @given(TEXTS)
    def read(texts: list[str]) -> None:
        text = ""
        for more in texts:  # a text that grows, then one that is cut back and changed in the middle
            text += more
            agrees(text)
        agrees(text[: len(text) // 2])
        agrees(text[: len(text) // 3] + "a" + text[len(text) // 3 :])

    def agrees(text: str) -> None:
        found = reader.read(VOCABULARY.encode(text))
        whole = surprise(model, VOCABULARY, text, top=5)
        assert found.tokens == whole.tokens
        assert found.nats == pytest.approx(whole.nats, abs=1e-4, nan_ok=True)
        assert found.chances == pytest.approx(whole.chances, abs=1e-4)

    read()


def test_only_what_follows_the_first_change_is_read_again() -> None:
    reader = Reader(small_model("lstm", len(VOCABULARY)), VOCABULARY, 1)
    lengths: list[int] = []
    reader.model.register_forward_pre_hook(lambda _, given: lengths.append(len(given[0])))
    text = "abc def " * 400
    assert len(list(reader.pieces(VOCABULARY.encode(text)))) == (len(text) - 2) // module.AT_ONCE
    assert sum(lengths) == len(text) - 1
    lengths.clear()
    reader.read(VOCABULARY.encode(text + "h"))
    assert sum(lengths) <= module.BLOCK
    lengths.clear()
    reader.read(VOCABULARY.encode(text[:2000] + "h" + text[2000:]))
    assert sum(lengths) <= len(text) - 2000 + module.BLOCK + 1
    lengths.clear()
    reader.read(VOCABULARY.encode(text[:2000] + "h" + text[2000:]))
    assert sum(lengths) <= module.BLOCK


def test_its_weights_stay_when_the_models_change() -> None:
    model = small_model("gru", len(VOCABULARY))
    reader = Reader(model, VOCABULARY, 1)
    before = reader.read(VOCABULARY.encode("a bad cab")).nats
    with torch.no_grad():
        model.output.weight.zero_()
    assert reader.read(VOCABULARY.encode("a cab")).nats[1:3] == pytest.approx(
        surprise(reader.model, VOCABULARY, "a cab").nats[1:3]
    )
    assert reader.read(VOCABULARY.encode("a bad cab")).nats[1:] == pytest.approx(before[1:], abs=1e-5)


def test_bytes_are_added_up_and_words_shared_out() -> None:
    seen = surprise(small_model("lstm", 256), Bytes(), "aé☃b")
    costs, places = by_character(seen.tokens, seen.nats)
    assert places.tolist() == [0, 1, 3, 6]
    assert costs[1:] == pytest.approx([seen.nats[1:3].sum(), seen.nats[3:6].sum(), seen.nats[6]])
    vocabulary = Words.of_text("the cat sat on the mat and the cat sat")
    seen = surprise(small_model("lstm", len(vocabulary)), vocabulary, "the cat sat")
    costs, places = by_character(seen.tokens, seen.nats)
    assert len(costs) == len("the cat sat")
    assert np.nansum(costs) == pytest.approx(np.nansum(seen.nats))
    assert places.tolist() == sorted(places.tolist())


def test_characters_that_are_left_out_have_no_place() -> None:
    assert placed("a☃b☃", "ab", np.array([5, 6])).tolist() == [5, -1, 6, -1]
    assert placed("", "", np.array([], np.int64)).tolist() == []
