"""The order that asks a run's younger selves what they write."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from msgspec import structs

from charrnn.config import UsageError
from charrnn.engine.questions.travel import EraWritten, StatesKept, StateThen, TravelRun
from tui.order import Order

if TYPE_CHECKING:
    from tui.speaking import Speaking

LENGTH = 160
"""Characters of a state: as many as one listens to."""
_numbers = count(1)


def _travel(speaking: Speaking, text: str) -> str | None:
    words = text.strip().replace(",", "")
    if words and not (words.isascii() and words.isdigit()):
        raise UsageError(f"The state is named by its step, a whole number, not {text.strip()!r}.")
    if not speaking.session.connected:
        raise UsageError("The engine has gone; again starts it again, and then it answers.")
    _Spoken(speaking, int(words) if words else None).ask()
    return None


class _Spoken:
    """Says what the first, the middle and the last state write, or the one nearest to a step, and ends the question."""

    def __init__(self, speaking: Speaking, step: int | None) -> None:
        self._speaking, self._step = speaking, step
        status = speaking.session.status
        self._question = TravelRun(
            number=next(_numbers),
            prime=status.prime,
            seed=max(0, status.seed),
            length=LENGTH,
            knobs=speaking.session.knobs,
        )
        self._wanted: list[StateThen] = []
        self._heard: dict[int, EraWritten] = {}

    def ask(self) -> None:
        """First for the states alone: none is of step −1."""
        earlier = _SPEAKING.pop(self._speaking, None)
        if earlier is not None:
            earlier.end()
        _SPEAKING[self._speaking] = self
        self._speaking.hearers.add(StatesKept, self._hear_states)
        self._speaking.hearers.add(EraWritten, self._hear_era)
        self._speaking.session.send(structs.replace(self._question, only=[-1]))

    def end(self) -> None:
        """Nothing more is wanted."""
        _SPEAKING.pop(self._speaking, None)
        self._speaking.hearers.remove(StatesKept, self._hear_states)
        self._speaking.hearers.remove(EraWritten, self._hear_era)
        self._speaking.session.send(structs.replace(self._question, length=0))

    def _hear_states(self, kept: StatesKept) -> None:
        if self._wanted or kept.number != self._question.number:
            return
        states, step = kept.states, self._step
        if not states:
            self._speaking.say("The run has kept no state of itself yet; let it train for a moment.")
            self.end()
            return
        if step is None:
            places = dict.fromkeys((0, len(states) // 2, len(states) - 1))
            self._wanted = [states[place] for place in places]
            words = f"The run has kept {len(states)} states, of step {states[0].step:,} to {states[-1].step:,}"
            self._speaking.say(f"{words}; travel and a step says what another one writes.")
        else:
            self._wanted = [min(states, key=lambda state: abs(state.step - step))]
        only = [state.step for state in self._wanted]
        self._speaking.session.send(structs.replace(self._question, only=only, near=only[0]))

    def _hear_era(self, era: EraWritten) -> None:
        if era.number == self._question.number:
            self._heard[era.step] = era
        while self._wanted and self._wanted[0].step in self._heard:
            state = self._wanted.pop(0)
            self._speaking.say(_words(state, self._heard[state.step]))
            if not self._wanted:
                self.end()


_SPEAKING: WeakKeyDictionary[Speaking, _Spoken] = WeakKeyDictionary()
"""Who is being told what: a new order takes the place of one that is not done yet."""


def _words(state: StateThen, era: EraWritten) -> str:
    if era.problem:
        return f"Step {state.step:,}: {era.problem}"
    loss = "" if state.val_loss is None else f", held-out loss {state.val_loss:.2f}"
    return f"Step {state.step:,}{loss}: {' '.join((era.prime + era.text).split())}"


ORDERS: tuple[Order, ...] = (
    Order(
        ("travel", "T"),
        "a step",
        "what the first, the middle and the last state of the run write, or the one of that step",
        _travel,
        ("travel",),
    ),
)
