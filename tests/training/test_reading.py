"""Text read in shares is text read in one piece."""

import pytest
import torch
from torch.testing import assert_close

from charrnn.config import Cell, ModelConfig
from charrnn.model.language_model import LanguageModel
from charrnn.training.evaluation import stream_loss
from charrnn.training.reading import InShares, in_one_piece

CELLS: list[Cell] = ["lstm", "gru", "mingru"]


def model_of(cell: Cell) -> LanguageModel:
    torch.manual_seed(1)
    return LanguageModel(7, ModelConfig(cell=cell, hidden=32, layers=2, embedding=32, dropout=0.5)).eval()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("streams", [1, 2, 5])
def test_logits_and_state_are_those_of_one_piece(cell: Cell, streams: int) -> None:
    model, inputs = model_of(cell), torch.randint(7, (9, streams))
    read = InShares(3, None)
    state = wanted_state = None
    for portion in inputs.split(4):
        with torch.inference_mode():
            wanted, wanted_state = in_one_piece(model, portion, wanted_state)
        found, state = read(model, portion, state)
        assert_close(found, wanted, atol=1e-5, rtol=1e-4)
        assert_close(state, wanted_state, atol=1e-5, rtol=1e-4)


def test_in_bfloat16_a_loss_is_nearly_the_same() -> None:
    model = model_of("mingru")
    ids = torch.randint(7, (4000,)).numpy().astype("uint8")
    exact = stream_loss(model, ids, segments=4)
    found = stream_loss(model, ids, segments=4, chunk=64, read=InShares(2, torch.bfloat16))
    assert found == pytest.approx(exact, abs=3e-3)
