"""Where time travel stands: which states there are, which is looked at, what each wrote, and under which settings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from charrnn.config import Knobs, UsageError
from charrnn.engine.last_stream import LONGEST_PRIME
from charrnn.engine.questions.travel import LONGEST_ERA, EraWritten, StatesKept, StateThen, TravelRun
from charrnn.presets import range_problem
from tui.turning import HIGHEST_TEMPERATURE, LEAST_TEMPERATURE, TEMPERATURE_STEP

SPEEDS = (0.5, 1.0, 2.0, 4.0)
"""States a second of the film."""
REST_AT_THE_END = 3
"""Beats for which the last state stays before the film begins again."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What every state is asked to write."""

    prime: str = ""
    seed: int = 1
    length: int = 400
    knobs: Knobs = field(default_factory=Knobs)

    def warmer(self, steps: int) -> Asked:
        """Another temperature, by steps as the stream's."""
        number = round(self.knobs.temperature / TEMPERATURE_STEP) + steps
        temperature = min(max(round(number * TEMPERATURE_STEP, 2), LEAST_TEMPERATURE), HIGHEST_TEMPERATURE)
        return replace(self, knobs=replace(self.knobs, temperature=temperature, greedy=False))

    def with_prime(self, prime: str) -> Asked:
        """Another prime. Raises UsageError."""
        if len(prime) > LONGEST_PRIME:
            raise UsageError(f"A prime has {LONGEST_PRIME:,} characters at most, and this one {len(prime):,}.")
        return replace(self, prime=prime)

    def with_typed(self, what: str, text: str) -> Asked:
        """`what` (seed or length) as it was typed. Raises UsageError."""
        words = text.strip().replace(",", "")
        if not (words.isascii() and words.isdigit()):
            raise UsageError(f"The {what} wants a whole number, not {text.strip()!r}.")
        value = int(words)
        if what == "seed":
            problem = range_problem("seed", value)
            if problem:
                raise UsageError(f"The seed {problem}.")
            return replace(self, seed=value)
        if not 1 <= value <= LONGEST_ERA:
            raise UsageError(f"The length can be from 1 to {LONGEST_ERA:,} characters.")
        return replace(self, length=value)


class Journey:
    """Of one run. `at` is the place among `states` that is looked at; whoever stands on the newest goes along."""

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.number = 1
        self.states: list[StateThen] = []
        self.at = 0
        self.heard = False
        self.playing = False
        self._speed = SPEEDS.index(2.0)
        self._rested = 0
        self._written: dict[int, EraWritten] = {}
        self._before: dict[int, EraWritten] = {}

    @property
    def speed(self) -> float:
        """States a second."""
        return SPEEDS[self._speed]

    @property
    def state(self) -> StateThen | None:
        """The one that is looked at."""
        return self.states[self.at] if self.states else None

    @property
    def era(self) -> EraWritten | None:
        """What it wrote, once that is there."""
        return None if self.state is None else self._written.get(self.state.step)

    @property
    def era_before(self) -> EraWritten | None:
        """What it wrote under the settings before these: it stands until the new text is there."""
        return None if self.state is None else self._before.get(self.state.step)

    def is_written(self, step: int) -> bool:
        """Whether the text of that state is there, or why there is none."""
        return step in self._written

    def question(self) -> TravelRun:
        """What the engine is to be asked now: what is not there yet, from here on."""
        asked, state = self.asked, self.state
        return TravelRun(
            number=self.number,
            prime=asked.prime,
            seed=asked.seed,
            length=asked.length,
            knobs=asked.knobs,
            near=None if state is None or self.at == len(self.states) - 1 else state.step,
            had=sorted(self._written),
        )

    def over(self) -> TravelRun:
        """What ends the engine's work on it."""
        return TravelRun(number=self.number, length=0)

    def ask_otherwise(self, asked: Asked) -> bool:
        """Other settings: every text is to be written again. Whether they are others."""
        if asked == self.asked:
            return False
        self.asked = asked
        self.number += 1
        self._before, self._written = {**self._before, **self._written}, {}
        return True

    def hear_states(self, kept: StatesKept) -> bool:
        """Which states there are now; whether that is news."""
        if kept.number != self.number:
            return False
        step, newest = (None if self.state is None else self.state.step), self.at >= len(self.states) - 1
        self.states, self.heard = kept.states, True
        if step is None or newest:
            self.at = max(0, len(self.states) - 1)
        else:
            self.at = min(range(len(self.states)), key=lambda at: abs(self.states[at].step - step), default=0)
        return True

    def hear_era(self, era: EraWritten) -> bool:
        """What a state wrote; whether it is one of these settings."""
        if era.number != self.number:
            return False
        self._written[era.step] = era
        return True

    def move(self, at: int) -> bool:
        """Looks at the state at that place, or the nearest there is; whether that is another."""
        at, before = min(max(0, at), max(0, len(self.states) - 1)), self.at
        self.at, self._rested = at, 0
        return at != before

    def faster(self, steps: int) -> None:
        """Of the film."""
        self._speed = min(max(0, self._speed + steps), len(SPEEDS) - 1)

    def beat(self) -> bool:
        """The film's next state, if its text is there; whether there is something else to see."""
        if len(self.states) < 2:
            return False
        if self.at == len(self.states) - 1:
            self._rested += 1
            if self._rested <= REST_AT_THE_END:
                return False
            return self.is_written(self.states[0].step) and self.move(0)
        return self.is_written(self.states[self.at + 1].step) and self.move(self.at + 1)

    def written(self) -> Iterable[tuple[StateThen, EraWritten]]:
        """The states whose text is there, with it."""
        for state in self.states:
            era = self._written.get(state.step)
            if era is not None and not era.problem:
                yield state, era
