"""The live stream: a thread of the engine that writes text from the newest weights, at a pace, under live knobs."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from charrnn.config import Knobs, ModelConfig
from charrnn.engine.messages import Generated

if TYPE_CHECKING:
    from charrnn.engine.weights import SharedWeights
    from charrnn.sampling.stream import TextStream
    from charrnn.text.vocabulary import Vocabulary

REFRESH_EVERY = 0.25
TURN_SECONDS = 0.125
"""Characters are made for so long ahead: waking up for each would cost training more than making them."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the thread needs to build the sampler's model; `weights` is the descriptor of the shared memory."""

    config: ModelConfig
    vocabulary: Vocabulary
    weights: int


@dataclass(frozen=True, slots=True)
class _Turn:
    """What the characters of one turn are made under; `urgent`: somebody waits for the first of them."""

    knobs: Knobs
    pace: float
    restart: tuple[str, int] | None
    urgent: bool


class Sampler(threading.Thread):
    """Makes characters and hands them to `emit(piece, urgent)`, called in this thread.

    Torch is imported here and only here, so that the engine answers its clients meanwhile. A change of knobs is
    obeyed by the very next character, which is made at once, whatever the pace.
    """

    def __init__(self, emit: Callable[[Generated, bool], None], failed: Callable[[str], None]) -> None:
        super().__init__(name="sampler", daemon=True)
        self._emit, self._failed = emit, failed
        self._changed = threading.Condition()
        self._model: Model | None = None
        self._knobs = Knobs()
        self._pace = 30.0
        self._restart: tuple[str, int] | None = None
        self._urgent = False
        self._repaced = False
        self._stopped = False
        self._streams = 0

    # ---- called by the engine's loop; none of these waits for a character -------------------------------------

    def use_model(self, model: Model) -> None:
        with self._changed:
            self._model = model
            self._changed.notify()

    def set_knobs(self, knobs: Knobs) -> None:
        with self._changed:
            self._knobs, self._urgent = knobs, True
            self._changed.notify()

    def set_pace(self, pace: float) -> None:
        with self._changed:
            self._pace, self._repaced = pace, True
            self._changed.notify()

    def restart(self, prime: str, seed: int) -> None:
        with self._changed:
            self._restart, self._urgent = (prime, seed), True
            self._changed.notify()

    def stop(self) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify()

    # ---- the thread -------------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            import torch

            torch.set_num_threads(1)  # one character is too little work to share out
            self._write()
        except Exception as error:
            self._failed(f"the stream stopped: {error}")

    def _wait_for_model(self) -> Model | None:
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or (self._model is not None and self._restart is not None))
            model, self._model = self._model, None
            return None if self._stopped else model

    def _write(self) -> None:
        from charrnn.engine.weights import SharedWeights
        from charrnn.model.language_model import LanguageModel
        from charrnn.sampling.stream import TextStream

        model = self._wait_for_model()
        while model is not None:
            network = LanguageModel(len(model.vocabulary), model.config).eval()
            shared = SharedWeights(model.weights, network.state_dict(keep_vars=True), create=False)
            step = shared.refresh() or 0
            stream = TextStream(network, model.vocabulary, prime="", seed=0, knobs=Knobs())
            model = self._stream(stream, shared, step)

    def _stream(self, stream: TextStream, shared: SharedWeights, step: int) -> Model | None:
        """Writes until told to stop (None) or given another model."""
        due = refreshed = time.perf_counter()
        while True:
            turn = self._next_turn(due)
            if not isinstance(turn, _Turn):
                return turn
            begun = time.perf_counter()
            if begun - refreshed >= REFRESH_EVERY:
                newer, refreshed = shared.refresh(), begun
                step = step if newer is None else newer
            stream.knobs = turn.knobs
            if turn.restart is not None:
                stream.restart(*turn.restart)
                self._streams += 1
                self._give(stream.prime, stream, step, urgent=True, prime=True)
            if turn.pace <= 0:
                continue
            made = stream.next()
            wanted = 1 if turn.urgent else round(turn.pace * TURN_SECONDS)
            while len(made) < wanted and not self._urgent and time.perf_counter() - begun <= TURN_SECONDS:
                made += stream.next()
            self._give(made, stream, step, urgent=turn.urgent)
            now = time.perf_counter()
            spent = len(made) / turn.pace
            # After a stall it catches up a tenth of a second at most.
            due = now + max(spent, TURN_SECONDS) if turn.urgent else max(due, now - 0.1) + spent

    def _next_turn(self, due: float) -> _Turn | Model | None:
        """Waits until it is time, or something changed; another model, or None to stop, ends the stream."""
        with self._changed:
            while not self._stopped and self._model is None and not self._urgent:
                if self._repaced and self._pace > 0:  # a slow pace's long wait is not waited out
                    due, self._repaced = min(due, time.perf_counter() + 1 / self._pace), False
                left = due - time.perf_counter() if self._pace > 0 else 3600.0
                if left <= 0:
                    break
                self._changed.wait(left)
            if self._stopped or self._model is not None:
                taken, self._model = self._model, None
                return None if self._stopped else taken
            turn = _Turn(self._knobs, self._pace, self._restart, self._urgent)
            self._restart, self._urgent = None, False
            return turn

    def _give(self, text: str, stream: TextStream, step: int, *, urgent: bool, prime: bool = False) -> None:
        if text:
            piece = Generated(
                position=0,
                text=text,
                knobs=stream.knobs,
                stream=self._streams,
                seed=stream.seed,
                prime=prime,
                step=step,
            )
            self._emit(piece, urgent)
