"""Training in shares, a thread each, against training in one piece."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest
import torch

from charrnn.config import Cell, ModelConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Ids
from charrnn.training.trainer import Trainer

MODEL = ModelConfig(cell="gru", hidden=24, layers=2, embedding=10)
TRAINING = TrainingConfig(batch=7, length=12, lr=0.01, threads=1, seed=4, precision="float32")
SHARED_OUT = [cell for cell in get_args(Cell) if cell != "lstmcell"]


def trainer_of(ids: Ids, threads: int, cell: Cell = "gru", dropout: float = 0.0) -> Trainer:
    torch.manual_seed(2)
    model = LanguageModel(int(ids.max()) + 1, replace(MODEL, cell=cell, dropout=dropout))
    return Trainer(model, ids, ids[:0], replace(TRAINING, threads=threads))


@pytest.mark.parametrize("cell", SHARED_OUT)
@pytest.mark.parametrize("threads", [2, 3, 20])
def test_any_number_of_shares_gives_the_losses_and_weights_of_one_piece(ids: Ids, cell: Cell, threads: int) -> None:
    whole, shared = trainer_of(ids, 1, cell), trainer_of(ids, threads, cell)
    for _ in range(30):
        assert shared.step().loss == pytest.approx(whole.step().loss, abs=2e-4)
    for one, other in zip(whole.model.parameters(), shared.model.parameters(), strict=True):
        assert torch.allclose(one, other, atol=5e-3)


def test_shares_with_dropout_give_the_same_run_every_time(ids: Ids) -> None:
    once, again = trainer_of(ids, 2, dropout=0.4), trainer_of(ids, 2, dropout=0.4)
    assert [once.step().loss for _ in range(20)] == [again.step().loss for _ in range(20)]


def test_shares_draw_different_dropout(ids: Ids) -> None:
    trainer = trainer_of(ids, 2, dropout=0.5)
    one, other = trainer._shards.generators
    assert not torch.equal(torch.rand(8, generator=one), torch.rand(8, generator=other))


@pytest.mark.parametrize("cell", SHARED_OUT)
def test_a_resumed_run_in_shares_equals_an_uninterrupted_one_bit_for_bit(ids: Ids, cell: Cell) -> None:
    uncut = trainer_of(ids, 2, cell, dropout=0.3)
    for _ in range(9):
        uncut.step()
    resumed = trainer_of(ids, 2, cell, dropout=0.3)
    resumed.model.load_state_dict({name: t.clone() for name, t in uncut.model.state_dict().items()})
    resumed.load_state(uncut.state())
    for _ in range(15):
        assert resumed.step().loss == uncut.step().loss
    for one, other in zip(uncut.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_loss_that_is_not_finite_in_one_share_changes_no_weight(ids: Ids) -> None:
    trainer = trainer_of(ids, 2)
    trainer.step()
    before = [p.clone() for p in trainer.model.parameters()]
    assert trainer._hidden is not None
    for tensor in trainer._hidden[0]:
        tensor[-1] = torch.nan
    assert not trainer.step().finite
    assert all(torch.equal(b, p) for b, p in zip(before, trainer.model.parameters(), strict=True))
    assert trainer.step().finite
