"""A live stream of text: one character at a time, with everything about it open to change in between."""

from __future__ import annotations

import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel, State
from charrnn.model.stepping import stepper
from charrnn.sampling.choose import Chooser
from charrnn.text.vocabulary import Vocabulary

_PORTION = 1024  # characters of a prime at a time: a huge one costs no more memory than this many logits


class TextStream:
    """Text that follows a prime, one character a call.

    Between any two characters `knobs` may be replaced and the model's weights overwritten in place: the very next
    character obeys, and the state carries on. The same seed, prime, weights and knobs give the same text. The random
    generator is the stream's own. The model is put into evaluation mode and stays there: give the stream its own.
    """

    def __init__(
        self, model: LanguageModel, vocabulary: Vocabulary, *, prime: str, seed: int, knobs: Knobs | None = None
    ) -> None:
        """Nothing is computed before the first `next`; see `restart` for prime and seed."""
        self.model = model.eval()
        self.vocabulary = vocabulary
        self.knobs = knobs or Knobs()
        self._generator = torch.Generator()
        self._stepper = stepper(self.model)
        self._chooser = Chooser(model.vocabulary_size)
        self.restart(prime, seed)

    def restart(self, prime: str | None = None, seed: int | None = None) -> None:
        """Begin again from a zero state: with this prime and seed, each the one from before if None.

        Characters the vocabulary lacks are left out of the prime (`unknown`). After an empty prime the first character
        is the one that follows a newline, or the vocabulary's first symbol where it has no newline.
        """
        if prime is not None:
            self._unknown = self.vocabulary.unknown(prime)
            self._prime = self.vocabulary.known(prime)
        if seed is not None:
            self._seed = seed
        self._generator.manual_seed(self._seed)
        self._state: State | None = None
        self._probability: float | None = None
        first = self._prime or ("\n" if "\n" in self.vocabulary.symbols else self.vocabulary.symbols[0])
        ids = torch.from_numpy(self.vocabulary.encode(first).astype("int64"))
        self._prime_ids = ids.unsqueeze(1).to(self.model.output.weight.device)  # (time, 1)
        self._last: int | None = None  # the character before the next one; None before the first

    @property
    def prime(self) -> str:
        """What the text follows: the characters of the prime that are known."""
        return self._prime

    @property
    def unknown(self) -> list[str]:
        """The distinct characters that were left out of the prime, in the order they first appear in it."""
        return list(self._unknown)

    @property
    def seed(self) -> int:
        """What the random generator started from."""
        return self._seed

    @property
    def probability(self) -> float | None:
        """How likely the last character was under the knobs it was made with; None before the first."""
        return self._probability

    def next(self) -> str:
        """The next character. The first call reads the whole prime."""
        choice = self._chooser.choose(self._read(), self.knobs, self._generator)
        if not choice.finite:
            self._state = None  # numbers that a network has lost do not come back on their own
        self._last, self._probability = choice.symbol, choice.probability
        return self.vocabulary.symbols[choice.symbol]

    def _read(self) -> Tensor:
        """Feed the network what it has not seen yet; the last logits, (vocabulary,) on the CPU."""
        if self._last is None:
            return self._read_all(self._prime_ids)
        if self._stepper is None or self._state is None:
            return self._read_all(torch.full_like(self._prime_ids[:1], self._last))
        self._state = self._stepper.step(self._last, self._state)
        return self._stepper.logits

    @torch.inference_mode()
    def _read_all(self, ids: Tensor) -> Tensor:
        """The last logits after these ids (time, 1)."""
        for first in range(0, len(ids), _PORTION):
            logits, self._state = self.model(ids[first : first + _PORTION], self._state)
        last: Tensor = logits[-1, 0].cpu()
        return last
