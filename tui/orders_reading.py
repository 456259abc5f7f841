"""Orders that say in words how a text, or the corpus's held-out part, looks under the model's eyes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from charrnn.engine.questions.reading import (
    LONGEST_TEXT,
    PassageRated,
    PassagesRated,
    RatePassages,
    TextSeen,
    WatchText,
)
from charrnn.insight.levels import level_of
from tui.escapes import read, written
from tui.order import Order

if TYPE_CHECKING:
    from tui.speaking import Speaking

SPOTS, PASSAGES, AROUND = 3, 3, 12
"""Places of a text that are said; passages of either kind; characters before a place."""


def _read(speaking: Speaking, text: str) -> str | None:
    from array import array

    text = read(text)
    if not text.strip():
        raise UsageError(r"What is to be read? Type read and a text, in which \n is a new line.")
    if len(text) > LONGEST_TEXT:
        raise UsageError(f"{LONGEST_TEXT:,} characters at most can be read at once.")

    def hear(seen: TextSeen) -> None:
        speaking.ask_no_more(WatchText(0, ""))
        known = [nats for nats in array("f", seen.nats) if not math.isnan(nats)]
        if not known:
            speaking.say("The model knows too little of that to be surprised.")
        else:
            mean = math.fsum(known) / len(known)
            speaking.say(
                f"The text costs {mean:.2f} nats per character ({mean / math.log(2):.2f} bits, perplexity "
                f"{math.exp(min(mean, 700.0)):.1f}), by the weights of step {seen.step:,}."
            )
        if seen.unknown:
            speaking.say(f"The model does not know {' '.join(map(written, seen.unknown))}; left out.")
        for spot in seen.spots[:SPOTS]:
            if level_of(spot.nats) > 1:
                before = text[max(0, spot.at - AROUND) : spot.at]
                speaking.say(
                    f"After {written(before)!r} it expected {written(spot.expected)!r}, {spot.chance:.0%} likely; "
                    f"{written(text[spot.at])!r} cost {spot.nats:.2f} nats."
                )

    speaking.ask(WatchText(0, text, len(text)), TextSeen, hear)
    return None


def _passages(speaking: Speaking, _: str) -> str:
    def hear(rated: PassagesRated) -> None:
        if not rated.held_out:
            speaking.say("Nothing of the text is held out, so there is nothing that the model has not learnt from.")
        elif rated.read < rated.characters:
            speaking.wait_for(PassagesRated, hear)  # it has not read all of it yet
        else:
            of = f"the first {rated.characters:,} of " if rated.characters < rated.held_out else ""
            speaking.say(f"Of {of}{rated.held_out:,} held-out characters, by the weights of step {rated.step:,}.")
            _say_passages(speaking, "surprise most", rated.worst)
            _say_passages(speaking, "surprise least", rated.best)

    speaking.ask(RatePassages(0), PassagesRated, hear)
    return "The model reads what is held out."


def _say_passages(speaking: Speaking, kind: str, passages: list[PassageRated]) -> None:
    for number, one in enumerate(passages[:PASSAGES], 1):
        words = " ".join(one.text.split())
        speaking.say(f"Number {number} of those that {kind}, {one.nats:.2f} nats, at character {one.at:,}: {words}")


ORDERS: tuple[Order, ...] = (
    Order(
        ("read", "j"), "text", "how surprised the model is by that text, and what it expected instead", _read, ("read",)
    ),
    Order(
        ("passages", "x"),
        "",
        "the held-out passages that surprise the model most and least",
        _passages,
        ("corpus-passages", "corpus-eyes"),
    ),
)
