"""The n-gram models agree with their definitions, written as plain loops over dictionaries."""

import random
from collections import Counter, defaultdict
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.text import kneser_ney
from charrnn.text.kneser_ney import Ids, NGrams, discounts
from tests.thorough import examples


class Reference:
    """Interpolated modified Kneser-Ney, straight from Chen and Goodman's definitions."""

    def __init__(self, training: tuple[int, ...], symbols: int, order: int) -> None:
        self.symbols = symbols
        self.counts: list[Counter[tuple[int, ...]]] = []
        for length in range(1, order + 1):
            grams = [training[at : at + length] for at in range(len(training) - length + 1)]
            if length == order:
                self.counts.append(Counter(grams))
            else:
                before = defaultdict(set)
                for at, gram in enumerate(grams):
                    if at > 0:
                        before[gram].add(training[at - 1])
                self.counts.append(Counter({gram: len(those) for gram, those in before.items()}))
        self.discounts = [self.discount(Counter(counts.values())) for counts in self.counts]
        self.following = [defaultdict(list) for _ in self.counts]
        for counts, following in zip(self.counts, self.following, strict=True):
            for gram, count in counts.items():
                following[gram[:-1]].append(count)
        self.probability = cache(self.probability_of)

    @staticmethod
    def discount(n: Counter[int]) -> tuple[float, float, float, float]:
        if min(n[1], n[2], n[3], n[4]) > 0:
            y = n[1] / (n[1] + 2 * n[2])
            found = (0, 1 - 2 * y * n[2] / n[1], 2 - 3 * y * n[3] / n[2], 3 - 4 * y * n[4] / n[3])
            if min(found) >= 0:
                return found
        return (0, 0.5, 1, 1.5)

    def probability_of(self, character: int, context: tuple[int, ...]) -> float:
        length = len(context)
        off = self.discounts[length]
        counts = self.following[length].get(context, [])
        shorter = self.probability(character, context[1:]) if length else 1 / self.symbols
        total = sum(counts)
        if total == 0:
            return shorter
        count = self.counts[length][(*context, character)]
        kept = sum(off[min(other, 3)] for other in counts)
        return (count - off[min(count, 3)]) / total + kept / total * shorter


def grams_of(training: Ids, held_out: Ids, symbols: int, order: int) -> NGrams:
    return NGrams(np.concatenate([training, held_out]), len(training), symbols, order)


def reference_probabilities(training: Ids, held_out: Ids, symbols: int, order: int) -> list[float]:
    model = Reference(tuple(map(int, training)), symbols, order)
    text = [*map(int, training), *map(int, held_out)]
    return [
        model.probability(text[at], tuple(text[at - order + 1 : at])) for at in range(len(training), len(text))
    ]  # the training text is at least as long as the longest context


def made_up(characters: int, symbols: int, seed: int) -> Ids:
    """A text in which some n-grams come often and some once: every character depends on the one before."""
    chance = random.Random(seed)
    favourites = [chance.choices(range(symbols), k=3) for _ in range(symbols)]
    text = [0]
    while len(text) < characters:
        text.append(chance.choice(favourites[text[-1]]) if chance.random() < 0.85 else chance.randrange(symbols))
    return np.array(text, dtype=np.uint8)


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize(("characters", "symbols"), [(3000, 12), (300, 5), (40, 30)])
@pytest.mark.parametrize("dense", [True, False], ids=["dense", "sorted"])
def test_the_probabilities_are_the_references(
    order: int, characters: int, symbols: int, dense: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kneser_ney, "_DENSE", 1 << 22 if dense else 0)
    text = made_up(characters, symbols, seed=characters)
    cut = characters * 3 // 4
    found = grams_of(text[:cut], text[cut:], symbols, 5).probabilities(order)
    assert found == pytest.approx(reference_probabilities(text[:cut], text[cut:], symbols, order), rel=1e-12)


@examples(100)
@given(st.lists(st.integers(0, 3), min_size=5, max_size=60), st.lists(st.integers(0, 4), min_size=2, max_size=20))
def test_any_text_agrees_with_the_reference(training: list[int], held_out: list[int]) -> None:
    one, other = np.array(training, dtype=np.uint8), np.array(held_out, dtype=np.uint8)
    grams = grams_of(one, other, 5, 5)
    for order in (1, 2, 5):
        assert grams.probabilities(order) == pytest.approx(reference_probabilities(one, other, 5, order), rel=1e-12)


def test_the_discounts_of_both_the_estimate_and_the_fallback_are_met() -> None:
    """The two tests above see a text with estimated discounts in the highest order, and one without."""
    rich, poor = made_up(3000, 12, 3000)[:2250], made_up(300, 5, 300)[:225]
    assert Reference(tuple(map(int, rich)), 12, 5).discounts[4] != (0, 0.5, 1, 1.5)
    assert Reference(tuple(map(int, poor)), 5, 5).discounts[0] == (0, 0.5, 1, 1.5)
    assert discounts(np.array([1] * 4 + [2] * 3 + [3] * 2 + [4])).tolist() == pytest.approx([0, 0.4, 1.2, 2.2])
    assert discounts(np.array([1, 2, 3, 5])).tolist() == [0, 0.5, 1, 1.5]
    assert discounts(np.array([1, 2, 3, 3, 3, 3, 4])).tolist() == [0, 0.5, 1, 1.5]  # 2 − 3 · ⅓ · 4 is below 0


@pytest.mark.parametrize("order", [1, 2, 5])
def test_every_distribution_is_over_all_symbols_sums_to_1_and_leaves_none_out(order: int) -> None:
    symbols = 14  # two of them are never met
    training = made_up(800, symbols - 2, seed=4)
    contexts = [training[at : at + 4] for at in (0, 3, 100, 250)]
    contexts += [np.array([13, 12, 13, 12], dtype=np.uint8), np.array([1, 13, 2, 3], dtype=np.uint8)]
    for context in contexts:
        each = [np.append(context, np.uint8(symbol)) for symbol in range(symbols)]
        found = grams_of(training, np.concatenate(each), symbols, 5).probabilities(order)[4::5]
        assert len(found) == symbols
        assert found.sum() == pytest.approx(1, abs=1e-12)
        assert (found > 0).all()


def test_a_context_that_was_never_met_passes_on_to_a_shorter_one() -> None:
    training = made_up(500, 6, seed=2)
    context = np.array([6, 6, 6, 3], dtype=np.uint8)
    found = grams_of(training, np.append(context, np.uint8(2)), 7, 5)
    lower = Reference(tuple(map(int, training)), 7, 5)  # a bigram of the 5-gram model: it counts characters before
    assert found.probabilities(5)[-1] == pytest.approx(lower.probability(2, (3,)), rel=1e-12)


def test_what_follows_the_training_text_is_seen_after_its_last_characters() -> None:
    training = np.tile(np.arange(5, dtype=np.uint8), 50)
    found = grams_of(training, training[:2], 5, 5).probabilities(5)
    assert found.min() > 0.9


def test_the_cross_entropy_counts_what_the_protocol_stream_counts() -> None:
    text = made_up(400, 6, seed=9)
    grams = grams_of(text[:300], text[300:], 6, 5)
    for order in (1, 2, 5):
        assert grams.cross_entropy(order) == pytest.approx(-np.log(grams.probabilities(order)[1:]).mean())


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_ids_of_any_width_and_any_alphabet_are_numbers(dtype: type) -> None:
    symbols = 200 if dtype is np.uint8 else 60_000
    text = (np.random.default_rng(1).zipf(1.3, 4000) % symbols).astype(dtype)
    narrow = np.unique(text, return_inverse=True)[1].astype(np.uint16)
    wide = grams_of(text[:3000], text[3000:], symbols, 5)
    assert wide.probabilities(2) == pytest.approx(
        reference_probabilities(text[:3000], text[3000:], symbols, 2), rel=1e-12
    )
    same = grams_of(narrow[:3000], narrow[3000:], symbols, 5)
    assert wide.cross_entropy(5) == pytest.approx(same.cross_entropy(5), rel=1e-12)


def test_a_text_too_short_to_count_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        grams_of(np.zeros(4, dtype=np.uint8), np.zeros(4, dtype=np.uint8), 2, 5)
