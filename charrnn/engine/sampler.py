"""The live stream: a thread of the engine that writes text from the newest weights, at a pace, under live knobs."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from charrnn.config import Knobs, ModelConfig
from charrnn.engine.messages import Generated
from charrnn.engine.writing import Writing

if TYPE_CHECKING:
    from charrnn.engine.weights import SharedWeights
    from charrnn.text.vocabulary import Vocabulary

Result = TypeVar("Result")

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
    orders: tuple[tuple[Callable[[Writing], Any], Future[Any]], ...] = ()


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
        self._held = False
        self._surprised = False
        self._orders: deque[tuple[Callable[[Writing], Any], Future[Any]]] = deque()

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

    def hold(self, held: bool) -> None:
        """While held the stream stands still, whatever its pace."""
        with self._changed:
            self._held, self._repaced = held, True
            self._changed.notify()

    def watch_surprise(self, on: bool) -> None:
        """Whether the text comes with its surprise."""
        self._surprised = on

    def do(self, order: Callable[[Writing], Result]) -> Future[Result]:
        """Has the thread call `order` between two turns, once there is a stream; what comes of it."""
        future: Future[Result] = Future()
        with self._changed:
            if self._stopped:
                future.cancel()
            else:
                self._orders.append((order, future))
                self._changed.notify()
        return future

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
        finally:
            with self._changed:
                self._stopped = True
                while self._orders:
                    self._orders.popleft()[1].cancel()

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
        position = streams = 0
        while model is not None:
            network = LanguageModel(len(model.vocabulary), model.config).eval()
            shared = SharedWeights(model.weights, network.state_dict(keep_vars=True), create=False)
            step = shared.refresh() or 0
            stream = TextStream(network, model.vocabulary, prime="", seed=0, knobs=Knobs())
            writing = Writing(stream, self._emit, position=position, streams=streams)
            writing.step = step
            model = self._stream(writing, shared)
            position, streams = writing.end, writing.streams

    def _stream(self, writing: Writing, shared: SharedWeights) -> Model | None:
        """Writes until told to stop (None) or given another model."""
        due = refreshed = time.perf_counter()
        while True:
            turn = self._next_turn(due, begun=writing.begun)
            if not isinstance(turn, _Turn):
                return turn
            begun = time.perf_counter()
            if begun - refreshed >= REFRESH_EVERY:
                newer, refreshed = shared.refresh(), begun
                writing.step = writing.step if newer is None else newer
            writing.stream.knobs, writing.surprised = turn.knobs, self._surprised
            if turn.restart is not None:
                writing.restart(*turn.restart)
            if turn.orders:
                for order, future in turn.orders:
                    _obey(order, future, writing)
                continue
            if turn.pace <= 0:
                continue
            wanted = 1 if turn.urgent else round(turn.pace * TURN_SECONDS)
            end = begun + TURN_SECONDS
            made = writing.write(wanted, turn.urgent, lambda end=end: self._interrupted(end))  # type: ignore[misc]
            now = time.perf_counter()
            spent = made / turn.pace
            # After a stall it catches up a tenth of a second at most.
            due = now + max(spent, TURN_SECONDS) if turn.urgent else max(due, now - 0.1) + spent

    def _interrupted(self, end: float) -> bool:
        """Whether somebody waits for something, or the turn's time is up."""
        return self._urgent or bool(self._orders) or time.perf_counter() > end

    def _next_turn(self, due: float, *, begun: bool) -> _Turn | Model | None:
        """Waits until it is time, or something changed; another model, or None to stop, ends the stream."""
        with self._changed:
            while not self._stopped and self._model is None and not self._urgent and not (begun and self._orders):
                pace = 0.0 if self._held else self._pace
                if self._repaced and pace > 0:  # a slow pace's long wait is not waited out
                    due, self._repaced = min(due, time.perf_counter() + 1 / pace), False
                left = due - time.perf_counter() if pace > 0 else 3600.0
                if left <= 0:
                    break
                self._changed.wait(left)
            if self._stopped or self._model is not None:
                taken, self._model = self._model, None
                return None if self._stopped else taken
            orders: tuple[tuple[Callable[[Writing], Any], Future[Any]], ...] = ()
            if begun and not self._urgent:
                orders = tuple(self._orders)
                self._orders.clear()
            pace = 0.0 if self._held else self._pace
            turn = _Turn(self._knobs, pace, self._restart, self._urgent, orders)
            self._restart, self._urgent = None, False
            return turn


def _obey(order: Callable[[Writing], Any], future: Future[Any], writing: Writing) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(order(writing))
    except Exception as error:  # who gave the order says what went wrong
        future.set_exception(error)
