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
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.unsignedinteger]
Numbers = NDArray[np.float64]
Places = NDArray[np.int32]

_PART = 1 << 17  # characters that are worked on at a time
_DENSE = 1 << 21  # up to so many possible n-grams, a table of all of them is faster than sorting those that are met
_WITHOUT_COUNTS = (0.5, 1.0, 1.5)  # discounts where the text is too short to estimate them, KenLM's too


@dataclass(frozen=True, slots=True)
class _Order:
    """The distinct n-grams of one length, of training and held-out text together, numbered from 0.

    `context` and `suffix` are the number, among those a character shorter, of each without its last and without its
    first character; `met` says how often each is met in the training text.
    """

    context: Places
    suffix: Places
    met: Places


class NGrams:
    """The n-grams up to `order` of a training text, and the held-out text after it whose probabilities are wanted."""

    def __init__(self, text: Ids, training: int, symbols: int, order: int) -> None:
        """`text` has shape (characters,) and ids below `symbols`; its first `training` are learnt from.

        They must be `order` or more. The rest is the held-out text: its first characters are seen after the training
        text's last.
        """
        if training < order:
            raise ValueError(f"{training} characters are too few to count n-grams of {order}")
        self._symbols, self._training = symbols, training
        numbers: Places = np.zeros(len(text), dtype=np.int32)  # of the n-gram that ends at each place
        self._orders: list[_Order] = []
        self._held_out: list[Places] = []
        for length in range(1, order + 1):
            one, numbers = self._longer(text, numbers, length, training if length == order else 0)
            self._orders.append(one)
            self._held_out.append(numbers if length == order else numbers[training:].copy())

    def _longer(self, text: Ids, shorter: Places, length: int, since: int) -> tuple[_Order, Places]:
        """The n-grams of `length`, given the number of the one a character shorter that ends at each place.

        Their own numbers are returned for the places from `since` on.
        """
        first = length - 1  # where the first of them ends
        since = max(since, first)
        contexts = shorter[first - 1 : len(text) - 1] if first else shorter
        begin = since if since > first else 0
        numbers: Places = np.zeros(len(text) - begin, dtype=np.int32)
        wanted = numbers[since - begin :]
        places, met = _number(contexts, text[first:], self._symbols, self._training - first, wanted, since - first)
        places += first
        context = shorter[places - 1] if first else np.zeros(len(places), dtype=np.int32)
        return _Order(context, shorter[places], met), numbers

    def probabilities(self, order: int) -> Numbers:
        """How likely each held-out character is after the `order` − 1 before it, (characters,) float64."""
        chances: Numbers = np.full(1, 1.0 / self._symbols)
        for length in range(1, order + 1):
            one = self._orders[length - 1]
            counts = one.met if length == order else self._continuations(length)
            discount = discounts(counts)
            totals, kept = np.zeros((2, int(one.context.max()) + 1))
            for part in _parts(len(counts)):
                met = counts[part]
                totals += np.bincount(one.context[part], weights=met, minlength=len(totals))
                kept += np.bincount(one.context[part], weights=discount[np.minimum(met, 3)], minlength=len(totals))
            unmet = totals == 0
            totals[unmet], kept[unmet] = 1.0, 1.0
            kept /= totals
            wanted = self._held_out[order - 1] if length == order else np.arange(len(counts), dtype=np.int32)
            longer: Numbers = np.empty(len(wanted))
            for part in _parts(len(wanted)):
                grams = wanted[part]
                context, met = one.context[grams], counts[grams]
                longer[part] = (met - discount[np.minimum(met, 3)]) / totals[context]
                longer[part] += kept[context] * chances[one.suffix[grams]]
            chances = longer
        return chances

    def _continuations(self, length: int) -> Places:
        """After how many different characters each n-gram of `length` is met in the training text."""
        longer = self._orders[length]
        found: Places = np.zeros(len(self._orders[length - 1].met), dtype=np.int32)
        for part in _parts(len(longer.met)):
            met = longer.suffix[part][longer.met[part] > 0]
            found += np.bincount(met, minlength=len(found)).astype(np.int32)
        return found

    def cross_entropy(self, order: int) -> float:
        """Nats per character of the held-out text but its first, which the protocol `stream` does not count either."""
        return float(-np.log(self.probabilities(order)[1:]).mean())


def discounts(counts: Places) -> Numbers:
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


def _parts(length: int) -> list[slice]:
    return [slice(at, min(at + _PART, length)) for at in range(0, length, _PART)]


def _number(
    contexts: Places, text: Ids, symbols: int, training: int, numbers: Places, since: int
) -> tuple[Places, Places]:
    """Numbers the distinct pairs of a context and a character by rising context, then character.

    Both have shape (characters,); `numbers`, (characters - since,), takes those from the place `since` on. Returned
    are a place of each distinct pair, and how often it is met at the first `training` places. A part of the text is
    worked on at a time: whole arrays of 64-bit keys would take most of the memory.
    """
    count = int(contexts.max()) + 1
    way = _by_table if count * symbols <= _DENSE else _by_sorting
    return way(contexts, text, symbols, count, training, numbers, since)


def _by_table(
    contexts: Places, text: Ids, symbols: int, count: int, training: int, numbers: Places, since: int
) -> tuple[Places, Places]:
    """With a table of all pairs that there could be."""
    parts = _parts(len(text))
    at: Places = np.full(count * symbols, -1, dtype=np.int32)
    for part in parts:
        keys = contexts[part] * np.int32(symbols) + text[part]
        at[keys] = np.arange(part.start, part.start + len(keys), dtype=np.int32)
    there = at >= 0
    places = at[there]
    met: Places = np.zeros(len(places), dtype=np.int32)
    number_of = np.cumsum(there, dtype=np.int32)
    number_of -= 1
    for part in parts:
        found = number_of[contexts[part] * np.int32(symbols) + text[part]]
        if part.stop > since:
            numbers[max(0, part.start - since) : part.stop - since] = found[max(0, since - part.start) :]
        trained = found[: max(0, training - part.start)]
        met += np.bincount(trained, minlength=len(places)).astype(np.int32)
    return places, met


def _by_sorting(
    contexts: Places, text: Ids, symbols: int, count: int, training: int, numbers: Places, since: int
) -> tuple[Places, Places]:
    """By sorting those that are met, the pairs of a range of contexts at a time."""
    all_places, all_met, done = [], [], 0
    upto = np.zeros(count, dtype=np.int64)
    for part in _parts(len(text)):
        upto += np.bincount(contexts[part], minlength=count)
    np.cumsum(upto, out=upto)
    borders = np.searchsorted(upto, np.arange(0, len(text), _PART), side="right").tolist()
    borders = sorted({0, *borders, count})
    for low, high in pairwise(borders):
        wanted = contexts >= low
        wanted &= contexts < high
        here = np.flatnonzero(wanted)
        keys = (contexts[here] - low).astype(np.int64) * symbols + text[here]
        order = np.argsort(keys)
        keys, here = keys[order], here[order]
        new = np.ones(len(keys), dtype=bool)
        np.not_equal(keys[1:], keys[:-1], out=new[1:])
        found = np.cumsum(new) - 1
        late = here >= since
        numbers[here[late] - since] = found[late] + done
        all_places.append(here[new].astype(np.int32))
        all_met.append(np.bincount(found[here < training], minlength=len(all_places[-1])).astype(np.int32))
        done += len(all_places[-1])
    return np.concatenate(all_places), np.concatenate(all_met)
