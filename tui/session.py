"""What the engine said, as plain state; and what the user wants, at once here and a moment later in the engine.

A knob is set here first, so that the screen shows it within the same tick. Until the engine's own state agrees, older
states that are still on their way do not take it back.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec.structs import replace as replace_struct

from charrnn.config import Knobs
from charrnn.engine.mark_messages import Mark, Marks
from charrnn.engine.messages import (
    BaselinesFound,
    ClientMessage,
    CorpusInfo,
    Ended,
    EngineMessage,
    Losses,
    LossPoint,
    ModelInfo,
    Refused,
    RestartStream,
    SetCooldown,
    SetKnobs,
    SetLearningRate,
    SetPace,
    SetPaused,
    Status,
    StopRun,
    Welcome,
    WriteCheckpoint,
)
from tui import turning
from tui.turning import NUCLEUS as NUCLEUS

PACES = (1, 2, 5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000)
MOST_POINTS = 8_000
"""Loss points that are kept for the chart: more than a wide terminal has dots for, and drawn in some milliseconds."""
PATIENCE = 2.0
"""Seconds after which the engine's word counts again, should it not have taken up what the user set."""


Value = TypeVar("Value")


class Wish(Generic[Value]):
    """A value that the user sets here and the engine follows."""

    def __init__(self, value: Value, clock: Callable[[], float]) -> None:
        self._wished = self._heard = value
        self._any_heard = False
        self._clock = clock
        self._until = 0.0

    @property
    def value(self) -> Value:
        """The user's while the engine may not have answered it yet, else the engine's, whoever made that."""
        return self._wished if not self._any_heard or self._clock() < self._until else self._heard

    def set(self, value: Value) -> None:
        self._wished = value
        self._until = self._clock() + PATIENCE

    def hear(self, value: Value) -> None:
        """Takes note of the engine's value; until it is the user's, it may be older than the wish."""
        self._heard, self._any_heard = value, True
        if value == self._wished:
            self._until = 0.0


class Session:
    """The state of one connection. `send` hands a message to the engine and never waits."""

    def __init__(self, send: Callable[[ClientMessage], None], clock: Callable[[], float] = time.monotonic) -> None:
        self.send = send
        self.welcome: Welcome | None = None
        self.corpus: CorpusInfo | None = None
        self.model: ModelInfo | None = None
        self.baselines: BaselinesFound | None = None
        self.status = Status(state="starting")
        self.points: list[LossPoint] = []
        self.marks: list[Mark] = []
        self.refused: Refused | None = None
        self.ended: Ended | None = None
        self.connected = True
        self._seed = 0
        self._knobs = Wish(self.status.knobs, clock)
        self._pace = Wish(self.status.pace, clock)
        self._rate = Wish(self.status.learning_rate, clock)
        self._paused = Wish(False, clock)
        self._cooling = Wish(False, clock)

    # ---- from the engine -------------------------------------------------------------------------------------

    def receive(self, message: EngineMessage) -> None:
        """Takes a message into the state. Text is not kept here: it goes straight to the transcript."""
        match message:
            case Welcome():
                self.welcome = message
            case CorpusInfo():
                self.corpus = message
            case ModelInfo():
                self.model = message
            case BaselinesFound():
                self.baselines = message
            case Status():
                self.status = message
                self._knobs.hear(message.knobs)
                self._pace.hear(message.pace)
                self._rate.hear(message.learning_rate)
                self._paused.hear(message.state == "paused")
                self._cooling.hear(message.phase == "cool-down")
            case Losses():
                if message.first:
                    self.points = []
                self.points += message.points
                if len(self.points) > MOST_POINTS:
                    self._thin()
            case Marks():
                self.marks = message.marks
            case Refused():
                self.refused = message
            case Ended():
                self.ended = message
            case _:
                pass

    def begin_again(self) -> None:
        """Another engine takes over: it tells everything from the beginning."""
        self.connected, self.ended, self.refused = True, None, None
        self.status = replace_struct(self.status, state="starting", troubles=())

    def _thin(self) -> None:
        """Of every two neighbours in the older half one goes, rather the one that tells less."""
        half = len(self.points) // 4 * 2

        def tells(point: LossPoint) -> bool:
            return point.val_loss is not None or point.diverged

        pairs = zip(self.points[:half:2], self.points[1:half:2], strict=True)
        self.points[:half] = [first if tells(first) and not tells(second) else second for first, second in pairs]

    # ---- what the user sees ----------------------------------------------------------------------------------

    @property
    def knobs(self) -> Knobs:
        return self._knobs.value

    @property
    def pace(self) -> float:
        return self._pace.value

    @property
    def learning_rate(self) -> float:
        return self._rate.value

    @property
    def current_rate(self) -> float:
        """The learning rate of the next step: less than the stable one in a warm-up or a cool-down."""
        return self.status.current_rate if self.status.phase_steps else self.learning_rate

    @property
    def state(self) -> str:
        """The run's state in one word, with the user's own pause taken for granted."""
        if not self.connected and self.ended is None:
            return "disconnected"
        state = self.status.state
        if state in {"training", "paused"}:
            return "paused" if self._paused.value else "training"
        return state

    # ---- from the user ---------------------------------------------------------------------------------------

    def set_knobs(self, knobs: Knobs) -> None:
        if knobs != self.knobs:
            self._knobs.set(knobs)
            self.send(SetKnobs(knobs))

    def step_temperature(self, steps: int) -> None:
        self.set_knobs(turning.warmer(self.knobs, steps))

    def next_top_k(self) -> None:
        self.set_knobs(turning.with_next_top_k(self.knobs))

    def next_nucleus(self) -> None:
        self.set_knobs(turning.with_next_nucleus(self.knobs))

    def step_pace(self, direction: int) -> None:
        if direction > 0:
            pace = next((float(pace) for pace in PACES if pace > self.pace), self.pace)
        else:
            pace = next((float(pace) for pace in reversed(PACES) if pace < self.pace), self.pace)
        self.set_pace(pace)

    def set_pace(self, pace: float) -> None:
        """Characters a second that the stream is to write."""
        if pace != self.pace:
            self._pace.set(pace)
            self.send(SetPace(pace))

    def step_learning_rate(self, direction: int) -> None:
        if self.learning_rate > 0:
            self.set_learning_rate(float(f"{self.learning_rate * 1.25**direction:.4g}"))

    def set_learning_rate(self, rate: float) -> None:
        self._rate.set(rate)
        self.send(SetLearningRate(rate))

    def toggle_pause(self) -> bool:
        """Whether training shall rest from now on; where it has failed, it starts again."""
        if self.status.state == "failed":
            self._paused.set(True)
        self._paused.set(not self._paused.value)
        self.send(SetPaused(self._paused.value))
        return self._paused.value

    def toggle_cooldown(self) -> bool:
        """Whether the learning rate shall fall to its end from now on; else it is the stable one again."""
        self._cooling.set(not self._cooling.value)
        self.send(SetCooldown(self._cooling.value))
        return self._cooling.value

    def restart(self, prime: str | None = None) -> int:
        """Begins the stream again, from `prime` under the same seed or else under the next one; returns the seed."""
        self._seed = max(self._seed, self.status.seed)
        if prime is None:
            self._seed += 1
        self.send(RestartStream(prime=prime, seed=self._seed))
        return self._seed

    def write_checkpoint(self) -> None:
        self.send(WriteCheckpoint())

    def stop(self) -> None:
        self.send(StopRun())
