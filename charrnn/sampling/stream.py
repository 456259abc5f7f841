"""A live stream of text: one token at a time, with everything about it open to change in between."""

from __future__ import annotations

import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel, State
from charrnn.model.stepping import stepper
from charrnn.sampling.choose import Chooser
from charrnn.text.vocabulary import Vocabulary

_PORTION = 1024  # tokens of a prime at a time: a huge one costs no more memory than this many logits


class TextStream:
    """Text that follows a prime, a token a call: a character, or a word where the vocabulary is one of words.

    Between any two calls `knobs` may be replaced and the model's weights overwritten in place: the very next token
    obeys, and the state carries on. Of bytes, a call takes as many as make a whole character. The same seed, prime,
    weights and knobs give the same text. The random generator is the stream's own. The model is put into evaluation
    mode and stays there: give the stream its own.
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

        Characters the vocabulary lacks are left out of the prime (`unknown`). After an empty prime the first token
        is one that follows a newline, or the vocabulary's first symbol where it has no newline.
        """
        if prime is not None:
            self._unknown = self.vocabulary.unknown(prime)
            self._prime = self.vocabulary.known(prime)
        if seed is not None:
            self._seed = seed
        self._generator.manual_seed(self._seed)
        self._state: State | None = None
        self._probability: float | None = None
        self._decoder = self.vocabulary.decoder()
        self._over = ""
        first = self._prime or ("\n" if "\n" in self.vocabulary else self.vocabulary.alphabet[0])
        ids = torch.from_numpy(self.vocabulary.encode(first).astype("int64"))
        self._prime_ids = ids.unsqueeze(1).to(self.model.output.weight.device)  # (time, 1)
        self._last: int | None = None  # the token before the next one; None before the first

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
        """How likely the last token was under the knobs it was made with; None before the first."""
        return self._probability

    def next(self) -> str:
        """What the next token spells, whole characters and at least one. The first call reads the whole prime."""
        text, self._over = self._over, ""
        while not text:
            text = self._decoder.feed(self._next_token())
        return text

    def take(self, characters: int) -> str:
        """Exactly so many characters. What the last token has beyond them comes first in the next call."""
        made: list[str] = []
        left = characters
        while left > 0:
            made.append(self.next())
            left -= len(made[-1])
        text = "".join(made)
        if left < 0:
            text, self._over = text[:left], text[left:]
        return text

    def _next_token(self) -> int:
        choice = self._chooser.choose(self._read(), self.knobs, self._generator)
        if not choice.finite:
            self._state = None  # numbers that a network has lost do not come back on their own
        self._last, self._probability = choice.symbol, choice.probability
        return choice.symbol

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
