"""Which units are found: those that know something, in turns by property; on text without any order, none."""

from __future__ import annotations

import random
from itertools import pairwise

import numpy as np
import pytest
import torch

import charrnn
from charrnn.config import ModelConfig
from charrnn.insight.units.naming import Unit
from charrnn.insight.units.properties import NAMES
from charrnn.insight.units.ranking import Ranking, UnitScore, in_rounds, passages_of
from charrnn.model.cells import LSTM
from charrnn.model.language_model import LanguageModel
from charrnn.text.vocabulary import Bytes, Characters, Vocabulary
from tests.insight.models import CELLS, small_model

WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "that",
    "it",
    "was",
    "his",
    "he",
    "with",
    "as",
    "for",
    "not",
    "Rome",
    "7",
    "from",
]


def quoted(characters: int, seed: int = 0) -> str:
    """Lines of words, some of them in quotes, some in brackets."""
    chance = random.Random(seed)
    lines: list[str] = []
    while sum(map(len, lines)) < characters:
        line = ""
        for _ in range(chance.randint(2, 5)):
            part = " ".join(chance.choices(WORDS, k=chance.randint(1, 6)))
            line += chance.choice([part, part, f'"{part}"', f"({part})"]) + " "
        lines.append("  " * chance.randint(0, 2) + line.rstrip() + "\n")
    return "".join(lines)[:characters]


TEXT = quoted(8000)
VOCABULARY = Characters("".join(sorted(set(TEXT))))


def knows_quotes(unit: int = 4) -> LanguageModel:
    """One-hot characters into an LSTM of which one cell is turned on by an odd quote and off by an even one."""
    torch.manual_seed(0)
    model = LanguageModel(len(VOCABULARY), ModelConfig(cell="lstm", hidden=8, embedding=0)).eval()
    layer = model.layers[0]
    assert isinstance(layer, LSTM)
    quote, line = int(VOCABULARY.encode('"')[0]), int(VOCABULARY.encode("\n")[0])
    w, u, b, c = layer.recurrence.all_weights[0]
    i, f, g, o = (gate * 8 + unit for gate in range(4))
    with torch.no_grad():
        for row in (i, f, g, o):
            w[row], u[row], b[row], c[row] = 0.0, 0.0, 0.0, 0.0
        b[i], w[i, quote] = -20.0, 40.0
        b[f], w[f, quote], w[f, line] = 20.0, -40.0, -40.0
        b[g], u[g, unit] = 10.0, -30.0  # +1 when it was off, −1 when it was on
        b[o] = 20.0
    return model


def test_the_unit_that_knows_comes_first() -> None:
    ranked = charrnn.rank_units(knows_quotes(), VOCABULARY, TEXT)
    first = ranked[0]
    assert (first.tells, first.unit.layer, first.unit.number) == ("inside quotes", 1, 5)
    assert first.unit.kind in "ch"
    assert first.auc > 0.99
    assert first.score > 0.95
    assert len(ranked) == len({score.name for score in ranked}) == 6 * 8
    assert {score.tells for score in ranked[:10]} != {first.tells}


def test_on_text_without_order_no_unit_knows_quotes_or_position() -> None:
    letters = list(TEXT)
    random.Random(1).shuffle(letters)
    model = small_model("lstm", len(VOCABULARY))
    ranked = charrnn.rank_units(model, VOCABULARY, "".join(letters))
    known = [score for score in ranked if score.tells in ("inside quotes", "position in line")]
    assert all(0.05 < score.auc < 0.95 for score in known)


def test_what_the_last_character_tells_scores_nothing() -> None:
    ranking = Ranking(small_model("gru", len(VOCABULARY)), VOCABULARY, passages_of(TEXT))
    list(ranking.pieces())
    every = [score for scores in ranking.all_scores() for score in scores]
    for name in ("capital", "digit"):
        told = [score for score in every if score.tells == name]
        assert max(abs(score.auc - 0.5) for score in told) > 0.3
        assert all(score.score == 0 and score.among_same == 0.5 for score in told)
    amounts = {score.tells for score in every if score.correlation is not None}
    assert amounts == {"inside brackets", "position in line", "indentation"}


def test_the_work_is_in_pieces_and_the_sums_are_those_of_counting() -> None:
    model = small_model("rnn", len(VOCABULARY), layers=1, hidden=6)
    ranking = Ranking(model, VOCABULARY, [TEXT[:700]])
    shares = list(ranking.pieces())
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert ranking.characters == 600
    values = charrnn.activations(model, VOCABULARY, TEXT[:700])
    quotes = next(one for one in ranking.properties if one.name == "inside quotes").holds
    for score in (score for scores in ranking.all_scores() for score in scores if score.tells == "inside quotes"):
        here = values.of(score.name)[100:]
        high, low = here[quotes][:, None], here[~quotes][None]
        assert score.auc == pytest.approx(np.mean((high > low) + (high == low) / 2), abs=1e-4)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(("vocabulary", "text"), [(VOCABULARY, TEXT[:500]), (Bytes(), "naïve “é” " * 30)])
def test_every_cell_and_every_kind_of_token(cell: str, vocabulary: Vocabulary, text: str) -> None:
    model = small_model(cell, len(vocabulary), hidden=4)  # type: ignore[arg-type]
    ranked = charrnn.rank_units(model, vocabulary, text)
    assert len(ranked) % 4 == 0
    assert all(0 <= score.auc <= 1 and 0 <= score.score <= 1 and score.tells in NAMES for score in ranked)


@pytest.mark.parametrize("text", ["", "t", "☃", "the " * 3])
def test_short_texts(text: str) -> None:
    assert all(score.score == 0 for score in charrnn.rank_units(knows_quotes(), VOCABULARY, text))


def test_a_cell_comes_once_before_it_comes_again() -> None:
    def scores(kind: str, number: int, quotes: float, digit: float) -> tuple[UnitScore, ...]:
        unit = Unit(kind, 1, number)
        return (
            UnitScore(unit, "inside quotes", 0.5 + quotes / 2, 0.5, quotes, None),
            UnitScore(unit, "digit", 0.5 + digit / 2, 0.5, digit, None),
        )

    every = [scores("c", 1, 0.9, 0), scores("h", 1, 0.8, 0), scores("c", 2, 0.5, 0.4), scores("c", 3, 0, 0.2)]
    every.append(scores("c", 4, 0, 0))
    found = [(str(one[0].unit), one[0].tells) for one in in_rounds(every)]
    assert found == [
        ("c 1·1", "inside quotes"),
        ("c 1·2", "digit"),
        ("h 1·1", "inside quotes"),
        ("c 1·3", "digit"),
        ("c 1·4", "inside quotes"),
    ]


def test_passages_overlap_by_what_warms_up() -> None:
    passages = passages_of(TEXT)
    assert len(passages) == 20
    assert all(later[:100] == earlier[-100:] for earlier, later in pairwise(passages[1:]))
    assert passages_of("ab") == ["ab"]
