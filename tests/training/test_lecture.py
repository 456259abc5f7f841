"""The lecture's recipe, followed to the letter."""

import string
from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from charrnn.config import Cell, ModelConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.text.batches import RandomPortions
from charrnn.text.vocabulary import Characters
from charrnn.training.trainer import Trainer

MODEL = ModelConfig(cell="lstm", hidden=128, layers=1, embedding=100)
TRAINING = TrainingConfig(batch=1, length=200, sampling_of_text="random", lr=0.005, clip=0.0, seed=7)
ITERATIONS = 50


class Lecture(nn.Module):
    """Embedding, LSTMCell and a linear map, as the lecture wires them."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(100, 100)
        self.rnn = nn.LSTMCell(100, 128)
        self.linear = nn.Linear(128, 100)


def lecture_losses(start: LanguageModel, text: str, iterations: int = ITERATIONS) -> list[float]:
    """The losses of a plain loop over characters, portions of 201, zero states, Adam at 0.005."""
    lecture = Lecture()
    names = {"embedding": "embedding", "layers.0.recurrence": "rnn", "output": "linear"}
    weights = {}
    for name, tensor in start.state_dict().items():
        module, _, weight = name.rpartition(".")
        weights[f"{names[module]}.{weight.removesuffix('_l0')}"] = tensor.clone()
    lecture.load_state_dict(weights)
    optimizer = torch.optim.Adam(lecture.parameters(), lr=0.005, fused=False, foreach=False)
    places = torch.Generator().manual_seed(TRAINING.seed)
    losses = []
    for _ in range(iterations):
        begin = int(torch.randint(len(text) - 200, (1,), generator=places))
        portion = [string.printable.index(character) for character in text[begin : begin + 201]]
        h, c = torch.zeros(1, 128), torch.zeros(1, 128)
        loss = torch.zeros(())
        for character, following in pairwise(portion):
            h, c = lecture.rnn(lecture.embedding(torch.tensor([character])), (h, c))
            loss = loss + functional.cross_entropy(lecture.linear(h), torch.tensor([following]))
        loss = loss / 200
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("cell", ["lstm", "lstmcell"])
def test_the_first_fifty_losses_are_the_lectures(cell: Cell, text: str) -> None:
    ids = Characters.printable().encode(text)
    torch.manual_seed(11)
    model = LanguageModel(100, ModelConfig(cell=cell, hidden=128, layers=1, embedding=100))
    wanted = lecture_losses(model, text)
    trainer = Trainer(model, ids, ids[:0], TRAINING, "cpu")
    found = [trainer.step().loss for _ in range(ITERATIONS)]
    assert found == pytest.approx(wanted, abs=1e-4)
    assert wanted[0] > 4
    assert wanted[-1] < 2.5  # it did learn: equal losses of networks that stand still would say little


def test_a_portion_is_201_characters_with_the_targets_shifted_by_one(text: str) -> None:
    vocabulary = Characters.printable()
    batch = RandomPortions(vocabulary.encode(text), 1, 200, seed=1).next()
    inputs, targets = (vocabulary.decode(part[:, 0].numpy()) for part in (batch.inputs, batch.targets))
    assert len(inputs) == 200
    assert inputs[1:] == targets[:-1]
    assert inputs + targets[-1] in text
