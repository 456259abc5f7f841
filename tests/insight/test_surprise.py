"""Surprise, what was expected, and how unsure the model was: against the plain formula, a token at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

import charrnn
from charrnn.config import Cell
from charrnn.insight.surprise import surprise
from charrnn.text.vocabulary import Bytes, Characters
from charrnn.training import predictions as module
from tests.insight.models import CELLS, small_model

VOCABULARY = Characters(" abcdefgh")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("context", ["", "hag"])
def test_it_is_what_the_plain_formula_gives(cell: Cell, context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOGITS_AT_ONCE", 5 * len(VOCABULARY))  # several portions
    model = small_model(cell, len(VOCABULARY))
    text = "bad cab, a bag he had"
    seen = surprise(model, VOCABULARY, text, context=context, top=4)
    known = "bad cab a bag he had"
    assert "".join(seen.tokens) == known
    ids = VOCABULARY.encode(context + known).astype(int).tolist()
    state, logits = None, torch.empty(0)
    for place, symbol in enumerate(ids):
        at = place - len(context)
        if place:
            chances = torch.softmax(logits[0, 0].double(), 0)
            if at >= 0:
                assert seen.nats[at] == pytest.approx(-math.log(chances[symbol]), abs=1e-5)
                assert seen.entropy[at] == pytest.approx(-(chances * chances.log()).sum().item(), abs=1e-5)
                best = chances.sort(descending=True)
                assert seen.chances[at] == pytest.approx(best.values[:4].numpy(), abs=1e-5)
                assert chances[seen.likeliest[at]].numpy() == pytest.approx(seen.chances[at], abs=1e-5)
        with torch.inference_mode():
            logits, state = model(torch.tensor([[symbol]]), state)
    assert math.isnan(seen.nats[0]) == (context == "")
    assert not np.isnan(seen.nats[1:]).any()


@pytest.mark.parametrize("text", ["", "a", "☃", "ab"])
def test_short_texts_and_what_is_unknown(text: str) -> None:
    seen = charrnn.surprise(small_model("lstm", len(VOCABULARY)), VOCABULARY, text)
    known = text.replace("☃", "")
    assert "".join(seen.tokens) == known
    assert seen.nats.shape == (len(known),)
    assert seen.chances.shape == (len(known), 3)


def test_a_character_of_several_bytes_is_read_byte_by_byte() -> None:
    seen = charrnn.surprise(small_model("lstm", 256), Bytes(), "aé")
    assert seen.tokens == ("a", "", "é")
    assert np.isfinite(seen.nats[1:]).all()
