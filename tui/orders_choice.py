"""Orders for the choices behind the stream's characters, where the workbench speaks in lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.engine.choice_messages import StepStream, TakeInstead, UndoGoingBack
from charrnn.engine.questions.choice import AskChoice, ChoiceTold
from tui.choice_rows import candidates_of, in_words, spoken
from tui.order import Order

if TYPE_CHECKING:
    from tui.speaking import Speaking

_HEARD = 10


def _choice(speaking: Speaking, text: str) -> None:
    """The choice behind the n-th last character, the last by default; 0 is the one that comes next."""
    back = _number(text, 1, "choice wants the number of a character from the end, as in choice 3")
    ranges = speaking.transcript.branches.path()
    if not ranges:
        raise UsageError("The stream has not written anything yet: there is no choice to look at.")
    left, position = back, ranges[-1][1]
    for first, end in reversed(ranges):
        position = end - min(left, end - first)
        left -= end - position
        if not left:
            break
    if left:
        raise UsageError(f"The text has only {back - left:,} characters as yet; give a smaller number.")

    def hear(told: ChoiceTold) -> None:
        speaking.choice = told
        speaking.say(in_words(told, _HEARD))

    speaking.ask(AskChoice(1, position, _HEARD), ChoiceTold, hear)


def _take(speaking: Speaking, text: str) -> str:
    """Of the choice that was last heard."""
    told = speaking.choice
    found = candidates_of(told)
    if told is None or not found:
        raise UsageError("There is nothing to take yet; choice says what there is, then take and its number.")
    number = _number(text, 0, "take wants the number of a candidate, as in take 2")
    if not 1 <= number <= len(found):
        raise UsageError(f"There are the candidates 1 to {len(found)}; take one of those.")
    _connected(speaking)
    position = told.first if told.taken is not None else told.position
    speaking.session.send(TakeInstead(position, found[number - 1].token))
    return f"Going back to take {spoken(found[number - 1].text)}, and on from there."


def _undo(redo: bool) -> Callable[[Speaking, str], str]:
    def does(speaking: Speaking, _: str) -> str:
        _connected(speaking)
        speaking.session.send(UndoGoingBack(redo=redo))
        return "Asked to go back to where it was." if not redo else "Asked to take the undoing back."

    return does


def _step(speaking: Speaking, _: str) -> str:
    _connected(speaking)
    speaking.session.set_pace(0)
    speaking.session.send(StepStream())
    return "The stream is held still and makes one character; pace 30 lets it go on."


def _number(text: str, otherwise: int, words: str) -> int:
    if not text.strip():
        return otherwise
    if not (text.strip().isascii() and text.strip().isdigit()):
        raise UsageError(f"The order {words}.")
    return int(text.strip()[:12])


def _connected(speaking: Speaking) -> None:
    if not speaking.session.connected:
        raise UsageError("The engine has gone; again starts it again, and then it obeys.")


TABLE: tuple[Order, ...] = (
    Order(("choice",), "3", "the choice behind the third last character; alone: the last", _choice, ("choice",)),
    Order(("take",), "2", "go back and take the second of the candidates last said", _take),
    Order(("undo",), "", "to where the stream was before it went back", _undo(False)),
    Order(("redo",), "", "take the undoing back", _undo(True)),
    Order(("step",), "", "hold the stream still, and make one character", _step),
)
