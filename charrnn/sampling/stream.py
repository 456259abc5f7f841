"""A live stream of text: one token at a time, with everything about it open to change in between."""

from __future__ import annotations

import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel, State
from charrnn.model.stepping import stepper
from charrnn.sampling.choose import Chooser
from charrnn.sampling.places import GoneError, Places
from charrnn.text.vocabulary import Vocabulary

_PORTION = 1024  # tokens of a prime at a time: a huge one costs no more memory than this many logits
_UNFINISHED = 3  # tokens that can wait for a character's last one


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
        self.places: Places | None = None
        self.restart(prime, seed)

    def remember(self, places: Places | None = None) -> Places:
        """Keeps the newest places from now on, so that one can `go_back`; begins the stream again from its prime."""
        self.places = places or Places(self.model.vocabulary_size)
        self.restart()
        return self.places

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
        self._over = self._completed = ""
        self._made = 0
        self._seen: Tensor | None = None
        if self.places is not None:
            self.places.clear()
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
            self._next_token()
            text = self._completed
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

    def take_token(self, token: int) -> str:
        """Goes on with this token instead of choosing one; what it completes, "" while a character waits for its rest.

        Raises IndexError for a token that is none.
        """
        self._check(token)
        logits = self._logits()
        return self._settle(token, logits, bool(torch.isfinite(logits).all()))

    def go_back(self, place: int, token: int) -> str:
        """Takes `token` in the stead of the one at a place of `places`, and goes on from there; what it completes.

        The state is the one that a new stream has after the same tokens. Raises GoneError for a place that has left the
        window, and IndexError for a token that is none; the stream is then as it was.
        """
        self._check(token)
        assert self.places is not None
        near, state, tokens = self.places.way_to(place)
        waiting = self._tokens_before(place, _UNFINISHED)
        logits = self._go(near, state, tokens)
        kept = self.places.logits(place)
        if kept is not None:
            logits = torch.from_numpy(kept)
        self._decoder = self.vocabulary.decoder()
        for one in waiting:
            self._decoder.feed(one)
        self._over, self._seen = "", None
        return self._settle(token, logits, not self.places.lost(place), joint=place)

    def logits_at(self, place: int) -> Tensor:
        """What the network as it is now gives at a place, (vocabulary,) on the CPU; the stream does not notice.

        Raises GoneError for a place that has left the window.
        """
        assert self.places is not None
        held = self._state, self._last
        try:
            before = self.places.before(place)
            if before < 0:
                self._state = None
                return self._read_all(self._prime_ids)
            near, state, tokens = self.places.way_to(before)
            self._go(near, state, tokens)
            if self.places.lost(before):
                self._state = None
            self._last = self.places.token(before)
            return self._read().clone()
        finally:
            self._state, self._last = held

    def look(self) -> Tensor:
        """The logits (vocabulary,) that the next token will be chosen from, on the CPU."""
        if self._seen is None:
            self._seen = self._read().clone()
        return self._seen

    @property
    def made(self) -> int:
        """How many characters were completed after the prime, over every going back."""
        return self._made

    def reseed(self, seed: int | Tensor) -> None:
        """The random generator goes on from this seed, or from a state that `generator_state` gave."""
        if isinstance(seed, Tensor):
            self._generator.set_state(seed)
        else:
            self._generator.manual_seed(seed)

    def generator_state(self) -> Tensor:
        """What `reseed` takes to go on as if nothing had happened."""
        return self._generator.get_state()

    def _check(self, token: int) -> None:
        if not 0 <= token < self.model.vocabulary_size:
            raise IndexError(f"{token} is none of the {self.model.vocabulary_size} tokens")

    def _tokens_before(self, place: int, count: int) -> list[int]:
        """So many tokens before a place, or as many as are known."""
        assert self.places is not None
        tokens: list[int] = []
        try:
            while len(tokens) < count and (place := self.places.before(place)) >= 0:
                tokens.append(self.places.token(place))
        except GoneError:
            pass
        return tokens[::-1]

    def _go(self, near: int, state: State, tokens: list[int]) -> Tensor | None:
        """Sets the state and reads these tokens, which stood from place `near` on; the last logits, if any."""
        assert self.places is not None
        device = self._prime_ids.device
        self._state = [tuple(part.to(device) for part in layer) for layer in state]
        logits: Tensor | None = None
        finite = not self.places.lost(near)
        for token in tokens:
            if not finite:
                self._state = None
            self._last = token
            logits = self._read()
            finite = bool(torch.isfinite(logits).all())
        return logits

    def _next_token(self) -> int:
        logits = self._logits()
        choice = self._chooser.choose(logits, self.knobs, self._generator)
        self._settle(choice.symbol, logits, choice.finite, choice.probability)
        return choice.symbol

    def _logits(self) -> Tensor:
        seen, self._seen = self._seen, None
        return self._read() if seen is None else seen

    def _settle(
        self,
        token: int,
        logits: Tensor | None,
        finite: bool,
        probability: float | None = None,
        joint: int | None = None,
    ) -> str:
        """The token at this place is decided; what it completes."""
        if self.places is not None:
            assert self._state is not None
            self.places.keep(self._state, logits, token, self._made, finite=finite, joint=joint)
        if not finite:
            self._state = None  # numbers that a network has lost do not come back on their own
        self._last, self._probability = token, probability
        self._completed = self._decoder.feed(token)
        self._made += len(self._completed)
        return self._completed

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
