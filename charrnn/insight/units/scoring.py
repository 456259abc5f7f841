"""How well numbers tell whether a property holds: areas under the ROC curve, many units at once. No torch here.

The AUC is the chance that the number is larger where the property holds than where it does not, ties counting half:
the rank-sum statistic of Mann and Whitney, Annals of Mathematical Statistics 18 (1947). Ranks are taken within strata,
here the places after the same character, so that only places after the same character are ever compared: what that
character alone tells is worth nothing then. All areas are one matrix product of the properties with the ranks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHIFTS = 100
"""How many shifts of the labels chance is judged by."""
PERCENTILE = 99.0


def midranks(values: NDArray[Any]) -> NDArray[np.float64]:
    """The ranks 1 … places within each row of (units, places); equal values share the mean of theirs."""
    order = np.argsort(values, axis=1)
    ordered = np.take_along_axis(values, order, 1)
    same = ordered[:, 1:] == ordered[:, :-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, np.arange(1, values.shape[1] + 1, dtype=np.float64)[None], 1)
    for row in np.flatnonzero(same.any(1)):
        starts = np.concatenate([[0], np.flatnonzero(~same[row]) + 1])
        sizes = np.diff(np.append(starts, values.shape[1]))
        ranks[row, order[row]] = np.repeat(starts + (sizes + 1) / 2, sizes)
    return ranks


def _in_order(values: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Whole numbers in the order of the values, below 2³²: IEEE 754 orders like integers but for the sign."""
    bits = (np.nan_to_num(values) + np.float32(0)).view(np.uint32)  # + 0: −0 is no less than 0
    return np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31)).astype(np.uint64)


class Strata:
    """Places in groups that are compared only among themselves: `groups` (places,) are small numbers from 0."""

    def __init__(self, groups: NDArray[np.integer]) -> None:
        self._groups = groups.astype(np.int64)
        self.sizes = np.bincount(self._groups)
        ends = np.cumsum(self.sizes)
        self._middles = (ends - self.sizes + (self.sizes + 1) / 2)[self._groups]
        self._above = self._groups.astype(np.uint64) << np.uint64(32)

    def ranks(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Midranks of (units, places) within each group, from the group's middle: −size / 2 … size / 2."""
        return (midranks(_in_order(values) | self._above) - self._middles).astype(np.float32)

    def pairs(self, labels: NDArray[np.bool_]) -> NDArray[np.float64]:
        """For each of the labels (sets, places), how many pairs of a group have one place where it holds, one not."""
        counts = np.stack(
            [np.bincount(self._groups, weights=row, minlength=len(self.sizes)) for row in labels.astype(np.float64)]
        )
        found: NDArray[np.float64] = (counts * (self.sizes - counts)).sum(1)
        return found


def areas(
    ranks: NDArray[np.float32], labels: NDArray[np.bool_ | np.float32], pairs: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The AUC of each unit for each of the labels, (sets, units), from `Strata.ranks` and `Strata.pairs`; 0.5 where
    there are no pairs to compare.
    """
    # the sum of ranks from the middle, over a group: U − n₁ n₀ / 2, so that large sums never meet large constants
    sums = (labels.astype(np.float32, copy=False) @ ranks.T).astype(np.float64)
    found: NDArray[np.float64] = 0.5 + sums / np.maximum(pairs, 1)[:, None]
    return found


@dataclass(frozen=True, slots=True)
class Chance:
    """Labels moved along the text, round its end, so that they have their own rhythm and nothing to do with a unit."""

    labels: NDArray[np.float32]  # (shifts × properties, places)
    pairs: NDArray[np.float64]

    @classmethod
    def of(cls, labels: NDArray[np.bool_], strata: Strata, shifts: int = SHIFTS, seed: int = 0) -> Chance:
        """Of labels (properties, places), by shifts drawn once and for all."""
        places = labels.shape[1]
        least = min(places // 4, 500)
        drawn = np.random.default_rng(seed).integers(least, max(least + 1, places - least), size=shifts)
        moved = np.concatenate([np.roll(labels, int(shift), axis=1) for shift in drawn])
        return cls(moved.astype(np.float32), strata.pairs(moved))

    def best(self, ranks: NDArray[np.float32], properties: int) -> NDArray[np.float64]:
        """How far from 0.5 the best unit comes by chance, (shifts, properties)."""
        away = np.abs(areas(ranks, self.labels, self.pairs) - 0.5).max(1)
        found: NDArray[np.float64] = away.reshape(-1, properties)
        return found


def against_chance(area: NDArray[np.float64], level: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much of the way from chance to a perfect answer an AUC goes: 0 at `level` from 0.5 or nearer, 1 at 0 or 1."""
    gained = (np.abs(area - 0.5) - level) / np.maximum(0.5 - level, 1e-9)
    found: NDArray[np.float64] = np.clip(gained, 0.0, 1.0)
    return found


def correlation(ranks: NDArray[np.float32], amount: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spearman's rank correlation of each unit (units, places) with an amount (places,); 0 where either is constant.

    `ranks` are those within one stratum of all places.
    """
    other = midranks(amount[None])[0]
    other -= other.mean()
    own = ranks.astype(np.float64)
    scale = np.sqrt((own**2).sum(1) * (other**2).sum())
    found: NDArray[np.float64] = np.divide(own @ other, scale, out=np.zeros(len(own)), where=scale > 0)
    return found
