"""How large a network is, told from its settings, is how large it becomes."""

from __future__ import annotations

import itertools
from typing import get_args

import pytest

from charrnn.config import Cell, ModelConfig
from charrnn.model.language_model import LanguageModel, count_parameters
from charrnn.model.size import parameters

SHAPES: list[dict[str, object]] = [
    {},
    {"layers": 3, "residual": True},
    {"embedding": 0, "residual": True},
    {"embedding": 0},
    {"embedding": 24, "tie": True},
]


@pytest.mark.parametrize(("cell", "shape"), list(itertools.product(get_args(Cell), SHAPES)))
def test_the_parameters_are_those_of_the_network(cell: Cell, shape: dict) -> None:
    config = ModelConfig(cell=cell, hidden=24, **{"layers": 2, "embedding": 10} | shape)
    assert parameters(config, 61) == count_parameters(LanguageModel(61, config))
