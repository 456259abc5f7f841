"""Many streams of text at once: one forward pass makes the next token of each."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel, State
from charrnn.sampling.choose import draw_each, probabilities
from charrnn.text.vocabulary import Vocabulary

_PORTION = 1024  # tokens of a prime at a time, as in `stream.py`
_SEEDS = 2**63


def seeds_from(seed: int, count: int) -> list[int]:
    """The seeds of `count` streams: `seed` itself, then the numbers after it (after 2⁶³ − 1 comes 0)."""
    return [(seed + number) % _SEEDS for number in range(count)]


class ManyStreams:
    """Texts that follow the same prime, each with a random generator and, where they differ, with knobs of its own.

    Stream i is what `TextStream` makes of the same prime and knobs under `seeds[i]`: it draws the same random numbers,
    and from the same distributions but for rounding. The sums of a forward pass over many rows are not rounded as those
    over one row are (the logits differ by some 1e-7 of their size), so that once in a million characters or so, where a
    draw falls that close to the border between two characters, a text may take another turn than the single stream's.
    The same seeds, prime, weights, knobs and number of streams give the same texts on the same machine.

    The prime is read once, whatever the number of streams. The model is put into evaluation mode and stays there.
    """

    def __init__(
        self,
        model: LanguageModel,
        vocabulary: Vocabulary,
        *,
        prime: str,
        seeds: Sequence[int],
        knobs: Knobs | Sequence[Knobs] | None = None,
    ) -> None:
        """One stream for each seed, at least one; prime as `TextStream.restart` takes it.

        `knobs` are those of all, or those of each. They may be replaced between any two calls of `next`.
        """
        self.model = model.eval()
        self.vocabulary = vocabulary
        self.knobs: Knobs | Sequence[Knobs] = knobs or Knobs()
        self.seeds = list(seeds)
        self.unknown = vocabulary.unknown(prime)
        self.prime = vocabulary.known(prime)
        self._generators = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        self._decoders = [vocabulary.decoder() for _ in self.seeds]
        first = self.prime or ("\n" if "\n" in vocabulary else vocabulary.alphabet[0])
        ids = torch.from_numpy(vocabulary.encode(first).astype("int64"))
        self._unread = ids.unsqueeze(1).to(model.output.weight.device)  # (time, 1), then (1, streams)
        self._state: State | None = None

    @torch.inference_mode()
    def next(self, rows: Sequence[int] | None = None) -> list[str]:
        """What the next token of every text spells, in the order of the seeds: "" while a character waits for its rest.

        The first call reads the whole prime. With `rows` only these streams go on, and the answers are in their order;
        not before the first call, which is for all.
        """
        taken = list(range(len(self.seeds)) if rows is None else rows)
        logits = self._read(taken)
        if not torch.isfinite(logits).all():
            self._forget(taken, ~torch.isfinite(logits).all(-1))
        chosen = self._choose(logits, taken)
        ids = torch.tensor(chosen).to(self._unread.device)
        if len(taken) == len(self.seeds):
            self._unread = ids[None]
        else:
            self._unread[0, taken] = ids
        return [self._decoders[row].feed(one) for row, one in zip(taken, chosen, strict=True)]

    def _choose(self, logits: Tensor, taken: Sequence[int]) -> list[int]:
        """An id for each of these streams from its row of logits; rows under the same knobs are seen to together."""
        generators = [self._generators[row] for row in taken]
        if isinstance(self.knobs, Knobs):
            return draw_each(probabilities(logits, self.knobs), self.knobs, generators)
        alike: dict[Knobs, list[int]] = {}
        for place, row in enumerate(taken):
            alike.setdefault(self.knobs[row], []).append(place)
        chosen = [0] * len(taken)
        for knobs, places in alike.items():
            drawn = draw_each(probabilities(logits[places], knobs), knobs, [generators[place] for place in places])
            for place, one in zip(places, drawn, strict=True):
                chosen[place] = one
        return chosen

    def _read(self, taken: Sequence[int]) -> Tensor:
        """Feed the network what it has not seen yet of these; the last logits, (taken, vocabulary) on the CPU."""
        streams = len(self.seeds)
        if self._state is not None and len(taken) < streams:
            part = [tuple(tensor[taken] for tensor in layer) for layer in self._state]
            logits, after = self.model(self._unread[:, taken], part)
            for layer, layer_after in zip(self._state, after, strict=True):
                for tensor, tensor_after in zip(layer, layer_after, strict=True):
                    tensor[taken] = tensor_after
            rows: Tensor = logits[-1].cpu()
            return rows
        if len(taken) < streams:
            raise ValueError("the first call is for all streams")
        read: Tensor | None = None
        for first in range(0, len(self._unread), _PORTION):
            read, self._state = self.model(self._unread[first : first + _PORTION], self._state)
        assert read is not None  # there is always something unread
        last = read[-1].cpu()
        if len(last) == streams:
            return last
        assert self._state is not None
        self._state = [
            tuple(part.expand(streams, *part.shape[1:]).contiguous() for part in layer) for layer in self._state
        ]
        return last.expand(streams, -1)

    def _forget(self, taken: Sequence[int], lost: Tensor) -> None:
        """Begins those of the streams `taken` that are `lost` (taken,) again: lost numbers do not come back."""
        assert self._state is not None
        rows = torch.tensor(taken)[lost].to(self._unread.device)
        self._state = [tuple(part.index_fill(0, rows, 0.0) for part in layer) for layer in self._state]
