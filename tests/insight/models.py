"""Small networks of every kind, untrained, for tests of what is read off them."""

from __future__ import annotations

from typing import get_args

import torch

from charrnn.config import Cell, ModelConfig
from charrnn.model.language_model import LanguageModel

CELLS: tuple[Cell, ...] = get_args(Cell)


def small_model(cell: Cell, symbols: int, *, layers: int = 2, hidden: int = 16, seed: int = 3) -> LanguageModel:
    """A network whose logits differ enough for its choices to be no toss-up."""
    torch.manual_seed(seed)
    model = LanguageModel(symbols, ModelConfig(cell=cell, hidden=hidden, embedding=hidden, layers=layers)).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    return model
