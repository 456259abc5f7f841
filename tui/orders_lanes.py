"""Orders: lanes, one after the other."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any

from charrnn.config import UsageError
from charrnn.engine.questions.lanes import (
    MOST_LANES,
    CloseLanes,
    LanesEnded,
    LanesOpened,
    LanesText,
    OpenLanes,
    TuneLanes,
)
from tui.lanes import TEMPERATURES, Plan, by_temperature
from tui.order import Order, number
from tui.turning import HIGHEST_TEMPERATURE

if TYPE_CHECKING:
    from tui.speaking import Speaking

SAID_AT_ONCE = 120
"""Characters of each lane."""
_numbers = count(1)


class Talk:
    """The lanes that one who speaks in lines has: so much of each is said, then they are held until they are asked."""

    def __init__(self, speaking: Speaking, plan: Plan) -> None:
        self._speaking, self._plan = speaking, plan
        self._number = next(_numbers)
        self._texts = [""] * len(plan.wishes)
        self._problems = [""] * len(plan.wishes)
        self._due = True
        self._hears: tuple[tuple[type[Any], Callable[[Any], None]], ...] = (
            (LanesOpened, self._opened),
            (LanesText, self._text),
            (LanesEnded, self._ended),
        )
        for kind, hear in self._hears:
            speaking.hearers.add(kind, hear)
        speaking.session.send(OpenLanes(self._number, plan.prime, list(plan.wishes)))

    def go_on(self) -> None:
        """The next of each."""
        self._due = True
        self._tune(held=False)

    def close(self) -> None:
        """No more of them is heard."""
        for kind, hear in self._hears:
            self._speaking.hearers.remove(kind, hear)
        _talks.pop(self._speaking, None)

    def _tune(self, *, held: bool) -> None:
        self._speaking.session.send(TuneLanes([wish.knobs for wish in self._plan.wishes], held))

    def _opened(self, answer: LanesOpened) -> None:
        if answer.number == self._number:
            self._problems = [one.problem for one in answer.lanes]

    def _text(self, answer: LanesText) -> None:
        if answer.number != self._number:
            return
        self._texts = [text + piece for text, piece in zip(self._texts, answer.texts, strict=True)]
        ready = [text for text, problem in zip(self._texts, self._problems, strict=True) if not problem]
        if self._due and ready and min(map(len, ready)) >= SAID_AT_ONCE:
            self._due = False
            self._tune(held=True)
            for at, text in enumerate(self._texts):
                said = self._problems[at] or " ".join(text[:SAID_AT_ONCE].split())
                self._speaking.say(f"{self._plan.name(at)}: {said}")
            self._texts = [text[SAID_AT_ONCE:] for text in self._texts]

    def _ended(self, answer: LanesEnded) -> None:
        if answer.number == self._number:
            if answer.words:
                self._speaking.say(answer.words)
            self.close()


_talks: weakref.WeakKeyDictionary[Speaking, Talk] = weakref.WeakKeyDictionary()


def _lanes(speaking: Speaking, text: str) -> str | None:
    session = speaking.session
    if not session.connected:
        raise UsageError("The engine has gone; again starts it again, and then it writes lanes.")
    talk = _talks.get(speaking)
    words = text.split()
    if words == ["off"]:
        if talk is not None:
            talk.close()
            session.send(CloseLanes())
        return "The lanes are closed."
    temperatures = [number("temperature", word) for word in words]
    if any(one > HIGHEST_TEMPERATURE for one in temperatures):
        raise UsageError(f"A lane's temperature can be {HIGHEST_TEMPERATURE:g} at most.")
    if len(temperatures) > MOST_LANES:
        raise UsageError(f"There can be {MOST_LANES} lanes at most, not {len(temperatures)}.")
    if not session.pace:
        raise UsageError("The stream stands still, and so do lanes; pace 30 lets them write.")
    if talk is not None and not temperatures:
        talk.go_on()
        return None
    if talk is not None:
        talk.close()
    status = session.status
    plan = by_temperature(session.knobs, status.seed, status.prime, temperatures or TEMPERATURES)
    _talks[speaking] = Talk(speaking, plan)
    begun = f"{len(plan.wishes)} lanes begin, {SAID_AT_ONCE} characters of each"
    return f"{begun}; lanes goes on with them, lanes off ends them."


ORDERS: tuple[Order, ...] = (
    Order(
        ("lanes", "b"),
        "0.4 0.8 1.2 or off",
        "the same prime at these temperatures, one after the other; alone: the next of each",
        _lanes,
        ("lanes",),
    ),
)
