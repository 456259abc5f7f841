"""What is inside: states as the model's own forward has them, gates as the equations say."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import charrnn
from charrnn.config import Cell, ModelConfig
from charrnn.insight.units.naming import KINDS, Unit
from charrnn.insight.units.recording import Inside, look_inside, units_of
from charrnn.model.language_model import LanguageModel, State
from charrnn.text.vocabulary import Bytes, Characters
from tests.insight.models import CELLS

VOCABULARY = Characters(" abcdefgh")


def model_of(cell: Cell, *, residual: bool, embedding: int) -> LanguageModel:
    torch.manual_seed(5)
    config = ModelConfig(cell=cell, hidden=12, embedding=embedding, layers=3, residual=residual, dropout=0.2)
    model = LanguageModel(len(VOCABULARY), config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("residual", "embedding"), [(False, 5), (True, 12), (True, 0)])
def test_the_states_are_the_models_own_after_every_character(cell: Cell, residual: bool, embedding: int) -> None:
    model = model_of(cell, residual=residual, embedding=embedding)
    ids = torch.randint(len(VOCABULARY), (40, 3), generator=torch.Generator().manual_seed(1))
    first, between = look_inside(model, ids[:25])
    second, after = look_inside(model, ids[25:], between)
    state: State | None = None
    for t in range(len(ids)):
        with torch.inference_mode():
            _, state = model(ids[t : t + 1], state)
        seen, at = (first, t) if t < 25 else (second, t - 25)
        for layer, inside in enumerate(seen):
            torch.testing.assert_close(inside.kind("h")[at], state[layer][0], atol=1e-5, rtol=0)
            if cell in ("lstm", "lstmcell"):
                torch.testing.assert_close(inside.kind("c")[at], state[layer][1], atol=1e-5, rtol=0)
    assert state is not None
    for mine, own in zip(after, state, strict=True):
        for one, other in zip(mine, own, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=0)


@pytest.mark.parametrize("cell", CELLS)
def test_the_gates_make_the_states(cell: Cell) -> None:
    model = model_of(cell, residual=False, embedding=5)
    ids = torch.randint(len(VOCABULARY), (30, 2), generator=torch.Generator().manual_seed(2))
    for inside in look_inside(model, ids)[0]:
        one = {kind: inside.kind(kind) for kind in KINDS[cell]}
        made = remade(cell, one, inside)
        torch.testing.assert_close(made, one["h"], atol=1e-5, rtol=0)
        for kind in "rzif":
            assert kind not in one or ((one[kind] >= 0) & (one[kind] <= 1)).all()


def remade(cell: Cell, one: dict[str, torch.Tensor], inside: Inside) -> torch.Tensor:
    """The states, from the gates and the states before."""
    before = torch.cat([torch.zeros_like(one["h"][:1]), one["h"][:-1]])
    if cell == "gru":
        return (1 - one["z"]) * one["n"] + one["z"] * before
    if cell == "mingru":
        return (1 - one["z"]) * before + one["z"] * one["c"]
    if cell == "rnn":
        w, u, b, c = (weight.detach() for weight in inside.layer.recurrence.all_weights[0])
        return torch.tanh(inside.inputs @ w.T + b + before @ u.T + c)
    cells = torch.cat([torch.zeros_like(one["c"][:1]), one["c"][:-1]])
    torch.testing.assert_close(one["f"] * cells + one["i"] * one["g"], one["c"], atol=1e-5, rtol=0)
    return one["o"] * torch.tanh(one["c"])


def test_activations_are_named_and_continue_a_context() -> None:
    model = model_of("lstm", residual=False, embedding=5)
    whole = charrnn.activations(model, VOCABULARY, "bad☃ cab")
    assert "".join(whole.tokens) == "bad cab"
    assert whole.units == units_of(model)
    assert whole.values.shape == (7, 3 * 6 * 12)
    assert str(Unit("c", 1, 7)) == "c 1·7"
    part = charrnn.activations(model, VOCABULARY, " cab", context="bad")
    np.testing.assert_allclose(part.of("f 3·12"), whole.of("f 3·12")[3:], atol=1e-6)
    with pytest.raises(KeyError, match="no unit 'x 1·1'"):
        whole.of("x 1·1")
    assert charrnn.activations(model, VOCABULARY, "☃").values.shape == (0, 216)


def test_a_character_of_several_bytes_has_an_activation_a_byte() -> None:
    model = LanguageModel(256, ModelConfig(cell="gru", hidden=4, embedding=4)).eval()
    assert charrnn.activations(model, Bytes(), "aé").tokens == ("a", "", "é")
