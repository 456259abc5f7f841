"""What can be typed about copies from the training text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.engine.questions.copying import CopiesTold, TellCopies
from tui.order import Order

if TYPE_CHECKING:
    from tui.speaking import Speaking

LONGEST_SAID = 160


def words_of(told: CopiesTold) -> str:
    """What of the newest text is copied, the longest piece, and where that is from."""
    if told.problem:
        return told.problem
    if not told.characters:
        return "The stream has no text yet."
    if told.longest is None:
        return f"Of the newest {told.characters:,} characters no 21 in a row stand in the training text."
    longest, text = told.longest, " ".join(told.longest.text.split())
    said = f"{text[:LONGEST_SAID]}…" if len(text) > LONGEST_SAID else text
    times = f" and {longest.times - 1:,} more" if longest.times > 1 else ""
    pieces = "1 piece" if told.count == 1 else f"{told.count:,} pieces"
    place = f"from character {longest.at:,} on{times}"
    return (
        f"Copied is {100 * told.share:.0f} % of the newest {told.characters:,} characters, in {pieces}. The longest "
        f"has {longest.length:,} characters and stands in the training text {place}: {said!r}."
    )


def _copies(speaking: Speaking, _: str) -> str:
    speaking.ask(TellCopies(), CopiesTold, lambda told: speaking.say(words_of(told)))
    return "Looking for copies from the training text."


TABLE: tuple[Order, ...] = (
    Order(("copies", '"'), "", "what of the stream is copied from the training text", _copies, ("copies",)),
)
