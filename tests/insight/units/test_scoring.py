"""Areas under the curve against counting pairs, and chance that gives nothing to what is bored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from charrnn.insight.units.scoring import Chance, Strata, against_chance, areas, correlation, midranks

PLACES = st.lists(
    st.tuples(st.sampled_from([-2.5, -0.0, 0.0, 1e-30, 0.5, 3.0]), st.booleans(), st.integers(0, 2)),
    min_size=1,
    max_size=25,
)


@given(PLACES)
def test_it_is_what_counting_all_pairs_gives(places: list[tuple[float, bool, int]]) -> None:
    values = np.array([[value for value, _, _ in places], [-value for value, _, _ in places]], np.float32)
    labels = np.array([[label for _, label, _ in places]])
    groups = np.unique([group for _, _, group in places], return_inverse=True)[1]
    strata = Strata(groups)
    pairs = strata.pairs(labels)
    found = areas(strata.ranks(values), labels, pairs)
    for row, area in zip(values, found[0], strict=True):
        won = [
            1.0 if high > low else 0.5 if high == low else 0.0
            for high, yes, one in zip(row, labels[0], groups, strict=True)
            for low, no, other in zip(row, labels[0], groups, strict=True)
            if yes and not no and one == other
        ]
        assert pairs[0] == len(won)
        assert area == pytest.approx(np.mean(won) if won else 0.5, abs=1e-6)


def test_ranks_share_the_mean_of_equal_values() -> None:
    assert midranks(np.array([[3.0, 1.0, 3.0, 2.0], [5, 5, 5, 5]])).tolist() == [[3.5, 1, 3.5, 2], [2.5] * 4]


def test_the_correlation_is_spearmans() -> None:
    random = np.random.default_rng(3)
    amount = random.integers(0, 9, 200).astype(float)
    values = np.stack([amount + random.normal(size=200), np.ones(200), -amount]).astype(np.float32)
    found = correlation(Strata(np.zeros(200, np.int64)).ranks(values), amount)
    ranks = [
        [np.mean([(one > other) + (one == other) / 2 for other in row]) for one in row] for row in (values[0], amount)
    ]
    expected = np.corrcoef(ranks)[0, 1]
    assert found == pytest.approx([expected, 0.0, -1.0], abs=1e-6)


def test_what_is_bored_scores_nothing_and_what_knows_scores_much() -> None:
    random = np.random.default_rng(1)
    labels = np.repeat(random.random(300) < 0.3, 20)[None]  # in stretches, as quotes are
    strata = Strata(np.zeros(labels.shape[1], np.int64))
    drift = np.cumsum(random.normal(size=(40, labels.shape[1])), axis=1)  # slow, so it meets stretches by chance
    knows = labels + 0.3 * random.normal(size=labels.shape)
    ranks = strata.ranks(np.concatenate([drift, knows]).astype(np.float32))
    found = areas(ranks, labels, strata.pairs(labels))
    level = np.percentile(Chance.of(labels, strata).best(ranks[:40], 1), 99, axis=0)
    score = against_chance(found[0], level)
    assert np.abs(found[0, :40] - 0.5).max() > 0.05
    assert (score[:40] == 0).all()
    assert score[40] > 0.9
