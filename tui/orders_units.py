"""The network's units, told in lines: which of them mean something, and what one says of a sentence."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from charrnn.engine.questions.units import LONGEST_TEXT, MIDDLE, UNREAD, RankUnits, UnitOfText, UnitRead, UnitsRanked
from tui.order import Order

if TYPE_CHECKING:
    from tui.speaking import Speaking

BEST = 10
SAID = 200
"""Characters at the stream's end that are told of, at most."""
_STRONG = 0.5
_NUMBERS = count(1)


def _units(speaking: Speaking, _: str) -> str:
    speaking.ask(RankUnits(next(_NUMBERS)), UnitsRanked, lambda ranked: _hear(speaking, ranked))
    return "Comparing every unit with a sample of the corpus; this takes some seconds."


def _hear(speaking: Speaking, ranked: UnitsRanked) -> None:
    if ranked.share < 1:  # how far it has come; the answer is still to come
        speaking.hearers.add(UnitsRanked, _Once(speaking, ranked.number).hear)
        return
    from tui.screens.units import folded, tells_words

    found = [unit for unit in ranked.units if unit.score > 0][:BEST]
    if not found:
        speaking.say("No unit tells more of the text than chance would.")
    for unit in found:
        words = tells_words(unit.tells, unit.auc)
        speaking.say(f"Unit {unit.name} is {words}, AUC {folded(unit.auc):.3f}, {unit.score:.2f} against chance.")


class _Once:
    """Hears until its ranking is done, or another one was asked for."""

    def __init__(self, speaking: Speaking, number: int) -> None:
        self._speaking, self._number = speaking, number

    def hear(self, ranked: UnitsRanked) -> None:
        if ranked.share >= 1 or ranked.number != self._number:
            self._speaking.hearers.remove(UnitsRanked, self.hear)
        if ranked.share >= 1 and ranked.number == self._number:
            _hear(self._speaking, ranked)


def _unit(speaking: Speaking, text: str) -> str | None:
    if not text.strip():
        return "Give a unit's name, such as unit c 1.37; units names the ten best."
    said = speaking.transcript.said()[-LONGEST_TEXT // 4 :]
    if not said.strip():
        return "The stream has no text yet."
    part = said[-SAID:]
    begin = max(part.find("\n"), part.find(". ") + 1) + 1 if len(part) == SAID else 0
    sentence = part[begin:] if part[begin:].strip() else part
    context = said[: len(said) - len(sentence)]
    speaking.ask(UnitOfText(1, text.strip(), sentence, context), UnitRead, lambda read: _tell(speaking, read, sentence))
    return None


def _tell(speaking: Speaking, read: UnitRead, sentence: str) -> None:
    speaking.say(f"The stream's last words are: {' '.join(sentence.split())}")
    for side, words in ((1, "high"), (-1, "low")):
        parts = strong_parts(sentence, read.values, side)
        where = ", ".join(f"“{part}”" for part in parts[:8])
        speaking.say(f"Unit {read.unit} is {words} at {where}." if parts else f"Unit {read.unit} is nowhere {words}.")


def strong_parts(text: str, values: bytes, side: int) -> list[str]:
    """The stretches of a text in which a unit is far to one side of its middle, each on one line."""
    parts, part = [], ""
    for character, value in zip(text, values, strict=True):
        if value != UNREAD and side * (value - MIDDLE) / MIDDLE >= _STRONG:
            part += character
        elif part:
            parts.append(part)
            part = ""
    parts += [part] if part else []
    shown = [" ".join(one.split()) or ("line break" if "\n" in one else "space") for one in parts]
    return list(dict.fromkeys(shown))


ORDERS: tuple[Order, ...] = (
    Order(("units", "m"), "", "the ten units that tell most of the text", _units, ("cells",)),
    Order(("unit",), "c 1.37", "where that unit is high and low in the stream's last words", _unit, ("unit-off",)),
)
