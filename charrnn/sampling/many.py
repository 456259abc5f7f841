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
    """Texts that follow the same prime, each with a random generator of its own.

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
        knobs: Knobs | None = None,
    ) -> None:
        """One stream for each seed, at least one; prime as `TextStream.restart` takes it."""
        self.model = model.eval()
        self.vocabulary = vocabulary
        self.knobs = knobs or Knobs()
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
    def next(self) -> list[str]:
        """What the next token of every text spells, in the order of the seeds: "" while a character waits for its rest.

        The first call reads the whole prime.
        """
        logits = self._read()
        if not torch.isfinite(logits).all():
            self._forget(~torch.isfinite(logits).all(-1))
        chosen = draw_each(probabilities(logits, self.knobs), self.knobs, self._generators)
        self._unread = torch.tensor([chosen]).to(self._unread.device)
        return [decoder.feed(one) for decoder, one in zip(self._decoders, chosen, strict=True)]

    def _read(self) -> Tensor:
        """Feed the network what it has not seen yet; the last logits, (streams, vocabulary) on the CPU."""
        logits: Tensor | None = None
        for first in range(0, len(self._unread), _PORTION):
            logits, self._state = self.model(self._unread[first : first + _PORTION], self._state)
        assert logits is not None  # there is always something unread
        last = logits[-1].cpu()
        streams = len(self.seeds)
        if len(last) == streams:
            return last
        assert self._state is not None
        self._state = [
            tuple(part.expand(streams, *part.shape[1:]).contiguous() for part in layer) for layer in self._state
        ]
        return last.expand(streams, -1)

    def _forget(self, rows: Tensor) -> None:
        """Begins these rows (streams,) again from a zero state: lost numbers do not come back on their own."""
        assert self._state is not None
        lost = rows.to(self._unread.device)
        self._state = [
            tuple(part.masked_fill(lost.view(-1, *[1] * (part.dim() - 1)), 0.0) for part in layer)
            for layer in self._state
        ]
