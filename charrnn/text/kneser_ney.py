"""n-gram models of characters with interpolated modified Kneser-Ney smoothing, whole arrays at a time. No torch here.

Chen and Goodman, "An empirical study of smoothing techniques for language modeling", TR-10-98, Harvard (1998), §3:

    P_k(w | h) = (c(hw) − D(c(hw))) / c(h·) + λ(h) P_{k−1}(w | h'),   λ(h) = Σ_w D(c(hw)) / c(h·),

h' being the context h without its first character. In the highest order c counts how often hw is met; below it c
counts after how many different characters hw is met. A context that was never met passes on to the next shorter one,
and below the single characters stand all symbols alike. So every distribution is over the whole vocabulary, sums to 1
and leaves nothing at 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.unsignedinteger]
Numbers = NDArray[np.float64]
Places = NDArray[np.int32]

_DENSE = 1 << 22  # up to so many possible n-grams, a table of all of them is faster than sorting those that are met
_WITHOUT_COUNTS = (0.5, 1.0, 1.5)  # discounts where the text is too short to estimate them, KenLM's too


@dataclass(frozen=True, slots=True)
class _Order:
    """The distinct n-grams of one length, of training and held-out text together, numbered from 0.

    `context` and `suffix` are the number, among those a character shorter, of each without its last and without its
    first character; `met` says how often each is met in the training text.
    """

    context: Places
    suffix: Places
    met: NDArray[np.int64]


class NGrams:
    """The n-grams up to `order` of a training text, and the held-out text after it whose probabilities are wanted."""

    def __init__(self, training: Ids, held_out: Ids, symbols: int, order: int) -> None:
        """Ids of shape (characters,), all below `symbols`. The training text must have `order` characters or more.

        The held-out text follows the training text: its first characters are seen after the training text's last.
        """
        if len(training) < order:
            raise ValueError(f"{len(training)} characters are too few to count n-grams of {order}")
        self._symbols, self._training = symbols, len(training)
        text = np.concatenate([training, held_out])
        numbers: Places = np.zeros(len(text), dtype=np.int32)  # of the n-gram that ends at each place
        self._orders: list[_Order] = []
        self._held_out: list[Places] = []
        for length in range(1, order + 1):
            one, numbers = self._longer(text, numbers, length)
            self._orders.append(one)
            self._held_out.append(numbers[self._training :].copy())

    def _longer(self, text: Ids, shorter: Places, length: int) -> tuple[_Order, Places]:
        """The n-grams of `length`, given the number of the one a character shorter that ends at each place."""
        first = length - 1  # where the first of them ends
        keys = shorter[first - 1 : len(text) - 1].astype(np.int64) if first else np.zeros(len(text), dtype=np.int64)
        keys *= self._symbols
        keys += text[first:]
        places, found = _numbered(keys, (int(shorter.max()) + 1) * self._symbols)
        places += first
        numbers = np.zeros(len(text), dtype=np.int32)
        numbers[first:] = found
        met = np.bincount(found[: self._training - first], minlength=len(places))
        context = shorter[places - 1] if first else np.zeros(len(places), dtype=np.int32)
        return _Order(context, shorter[places], met), numbers

    def probabilities(self, order: int) -> Numbers:
        """How likely each held-out character is after the `order` − 1 before it, (characters,) float64."""
        chances: Numbers = np.full(1, 1.0 / self._symbols)
        for length in range(1, order + 1):
            one = self._orders[length - 1]
            counts = one.met if length == order else self._continuations(length)
            discounted = discounts(counts)[np.minimum(counts, 3)]
            contexts = int(one.context.max()) + 1
            totals = np.bincount(one.context, weights=counts, minlength=contexts)
            kept = np.bincount(one.context, weights=discounted, minlength=contexts)
            unmet = totals == 0
            passed_on = np.where(unmet, 1.0, kept / np.where(unmet, 1.0, totals))
            own = (counts - discounted) / np.where(unmet, 1.0, totals)[one.context]
            chances = own + passed_on[one.context] * chances[one.suffix]
        return chances[self._held_out[order - 1]]

    def _continuations(self, length: int) -> NDArray[np.int64]:
        """After how many different characters each n-gram of `length` is met in the training text."""
        longer = self._orders[length]
        return np.bincount(longer.suffix[longer.met > 0], minlength=len(self._orders[length - 1].met))

    def cross_entropy(self, order: int) -> float:
        """Nats per character of the held-out text but its first, which the protocol `stream` does not count either."""
        return float(-np.log(self.probabilities(order)[1:]).mean())


def discounts(counts: NDArray[np.int64]) -> Numbers:
    """What is taken off a count of 0, 1, 2, and 3 or more: 0, D₁, D₂, D₃₊, of Chen and Goodman's equation 26.

    Where there are too few n-grams to estimate them, or the estimate is none (below 0), they are ½, 1 and 1½.
    """
    once, twice, thrice, four_times = (int(number) for number in np.bincount(np.minimum(counts, 5), minlength=6)[1:5])
    found: tuple[float, ...] = _WITHOUT_COUNTS
    if once and twice and thrice and four_times:
        y = once / (once + 2 * twice)
        estimate = (1 - 2 * y * twice / once, 2 - 3 * y * thrice / twice, 3 - 4 * y * four_times / thrice)
        found = estimate if min(estimate) >= 0 else found
    return np.array([0.0, *found])


def _numbered(keys: NDArray[np.int64], possible: int) -> tuple[NDArray[np.int64], Places]:
    """A place of each distinct key, and the number of each place's key among the distinct ones."""
    if possible <= _DENSE:
        at = np.full(possible, -1, dtype=np.int64)
        at[keys] = np.arange(len(keys))
        there = at >= 0
        return at[there], (np.cumsum(there, dtype=np.int32) - 1)[keys].astype(np.int32)
    order = np.argsort(keys)
    ordered = keys[order]
    new = np.empty(len(keys), dtype=bool)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    del ordered
    found = np.empty(len(keys), dtype=np.int32)
    found[order] = np.cumsum(new, dtype=np.int32) - 1
    return order[new], found
