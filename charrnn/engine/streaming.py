"""The run's stream as the engine has it: its sampler, what it is fed, and what clients make of it. No torch here.

The sampler's thread imports torch; the loop answers clients meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import asdict

from charrnn.config import StreamConfig
from charrnn.engine.board import Board
from charrnn.engine.choice_messages import STREAM_ORDERS
from charrnn.engine.last_stream import LONGEST_PRIME, LastStream, StreamKeeper
from charrnn.engine.messages import ClientMessage, Generated, Notice, RestartStream, SetKnobs, SetPace
from charrnn.engine.sampler import Model, Sampler
from charrnn.engine.stream_desk import StreamDesk
from charrnn.presets import range_problem
from charrnn.runs.directory import RunFolder
from charrnn.text.corpus import Corpus

ENDS_WITHIN = 2.0


class Streaming:
    """Begins with `start`, once; speaks as soon as it also has a model (`use_model`)."""

    def __init__(self, board: Board, desk: StreamDesk, folder: Callable[[], RunFolder | None]) -> None:
        """`desk` hears of the sampler; `folder` is where the run keeps what its stream was last, None before that."""
        self._board, self._desk = board, desk
        self._sampler: Sampler | None = None
        self._model: Model | None = None
        self._corpus: Corpus | None = None
        self._prime_chosen = False
        self._keeper = StreamKeeper(folder, self._now)

    @property
    def begun(self) -> bool:
        """Whether there is a sampler."""
        return self._sampler is not None

    def start(self) -> None:
        """Starts the sampler, which loads torch."""
        if self._sampler is not None:
            return
        loop = asyncio.get_running_loop()

        def emit(piece: Generated, urgent: bool) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._generated, piece, urgent)

        def failed(words: str) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(self._board.announce, Notice("error", words))

        self._sampler = Sampler(emit, failed)
        self._sampler.start()
        self._desk.held = lambda held: self._board.set_status(held=held, hurry=True)
        self._desk.use_sampler(self._sampler)
        self._feed()

    def use_corpus(self, corpus: Corpus, stream: StreamConfig) -> None:
        """The text's vocabulary decides what a prime can be; where none is chosen it is a line of the text."""
        self._corpus = corpus
        prime = corpus.vocabulary.known(stream.prime) if stream.prime else corpus.line_for_prime()
        self._board.set_status(prime=prime)
        self._prime_chosen |= bool(stream.prime)
        if stream.prime:
            self._restart(stream.prime, stream.seed)

    def use_model(self, model: Model) -> None:
        """From now on it is this one that writes."""
        self._model = model
        self._feed()

    def obey(self, message: ClientMessage) -> bool:
        """Does what a client asks of the stream; False for what is not about it, or does not fit."""
        match message:
            case SetKnobs(knobs) if fits(self._board, **asdict(knobs)):
                if self._sampler:
                    self._sampler.set_knobs(knobs)
                self._board.set_status(knobs=knobs, hurry=True)
                self._keeper.changed()
            case SetPace(pace) if fits(self._board, pace=pace):
                if self._sampler:
                    self._sampler.set_pace(pace)
                self._board.set_status(pace=pace, hurry=True)
                self._keeper.changed()
            case RestartStream(prime) if prime is not None and len(prime) > LONGEST_PRIME:
                words = f"A prime of {len(prime):,} characters is too long; give it {LONGEST_PRIME:,} at most."
                self._board.announce(Notice("warning", words))
            case RestartStream(prime, seed) if seed is None or fits(self._board, seed=seed):
                self._restart(prime, random.randrange(1, 10_000) if seed is None else seed)
                if prime is not None:
                    self._prime_chosen = True
                    self._keeper.changed()
            case _ if isinstance(message, STREAM_ORDERS):
                self._desk.order(message, self._board)
            case _:
                return False
        return True

    def stop(self) -> None:
        """Nothing more is written."""
        if self._sampler:
            self._sampler.stop()

    async def close(self) -> None:
        """What it was last is on disk."""
        await self._keeper.close()

    async def join(self) -> None:
        """A thread that is in the middle of torch when the process ends aborts it."""
        if self._sampler:
            await asyncio.to_thread(self._sampler.join, ENDS_WITHIN)

    def _feed(self) -> None:
        """Gives the sampler the model as soon as there are both."""
        if self._sampler and self._model:
            status = self._board.status
            self._sampler.use_model(self._model)
            self._sampler.set_knobs(status.knobs)
            self._sampler.set_pace(status.pace)
            self._sampler.restart(status.prime, status.seed)

    def _now(self) -> LastStream:
        status = self._board.status
        return LastStream(status.knobs, status.pace, status.prime if self._prime_chosen else "")

    def _generated(self, piece: Generated, urgent: bool) -> None:
        if not self._board.status.sampler_ready:
            self._board.set_status(sampler_ready=True)
        self._board.add_text(piece, hurry=urgent)

    def _restart(self, prime: str | None, seed: int) -> None:
        if prime is None:
            prime = self._board.status.prime
        elif self._corpus is not None:
            vocabulary = self._corpus.vocabulary
            unknown = vocabulary.unknown(prime)
            prime = vocabulary.known(prime)
            if unknown:
                named = " ".join(repr(character) for character in unknown[:8])
                more = f" and {len(unknown) - 8} more" if len(unknown) > 8 else ""
                words = f"Left out of the prime, the model does not know: {named}{more}"
                self._board.announce(Notice("warning", words))
        self._board.set_status(prime=prime, seed=seed, hurry=True)
        if self._sampler:
            self._sampler.restart(prime, seed)


def fits(board: Board, **settings: float) -> bool:
    """Whether each setting is in its range; the board is told the first that is not."""
    for name, value in settings.items():
        problem = range_problem(name, value)
        if problem:
            board.announce(Notice("warning", f"{name.replace('_', '-')} {problem}."))
            return False
    return True
