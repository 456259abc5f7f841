"""What can be typed where the workbench speaks in lines: a word, and what it is to be set to.

The same things as the keys do, by the same single characters too. Each order names the keys of the table that it
stands for, so that a test can tell a key that nobody can reach by typing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from charrnn.config import UsageError
from tui import orders_choice, orders_copying, orders_lanes, orders_units
from tui.escapes import read, written
from tui.order import Order, number
from tui.orders_reading import ORDERS as READING
from tui.orders_travel import ORDERS as TRAVEL
from tui.telling import corpus_words, knob_words, loss_words, status_words

if TYPE_CHECKING:
    from tui.speaking import Speaking


def obey(speaking: Speaking, line: str) -> str | None:
    """Does what `line` asks for; what to say of it. Raises UsageError with a sentence for what cannot be."""
    # Not split at every space: a prime keeps its own.
    name, _, rest = line.lstrip().rstrip("\r\n").partition(" ")
    if not name:
        if not speaking.session.connected:
            speaking.start_again()
        return None
    order = _BY_NAME.get(name) or _BY_NAME.get(name.lower())
    if order is None:
        close = difflib.get_close_matches(name.lower(), _BY_NAME, 1)
        advice = f"did you mean {close[0]}?" if close else "help lists what there is."
        raise UsageError(f"There is no order {name!r}; {advice}")
    if rest.strip() and not order.follows:
        raise UsageError(f"Nothing can follow {order.names[0]}.")
    return order.does(speaking, rest)


# ---- what there is to tell -----------------------------------------------------------------------------------


def _stands(speaking: Speaking, _: str) -> str:
    session = speaking.session
    rate = f" Learning rate {session.learning_rate:.3g}." if session.learning_rate else ""
    pace = f" The stream writes {session.pace:g} characters a second, from {written(session.status.prime)!r}."
    return f"{status_words(session)} {knob_words(session)}{rate}{pace}"


def _loss(speaking: Speaking, _: str) -> str:
    return loss_words(speaking.session)


def _corpus(speaking: Speaking, _: str) -> str:
    return corpus_words(speaking.session.corpus) if speaking.session.corpus else "The corpus is still being read."


def _export(speaking: Speaking, text: str) -> str:
    ending = text.strip().lstrip(".").lower() or "csv"
    if ending not in ("csv", "svg", "png", "pdf"):
        raise UsageError(f"The losses can be exported as csv, svg, png or pdf, not {text.strip()!r}.")
    if not speaking.session.points:
        return "There are no losses to export yet."
    speaking.export(f".{ending}")
    return f"Writing the losses as {ending.upper()}."


def _runs(speaking: Speaking, _: str) -> str:
    from charrnn.runs.directory import runs_folder
    from charrnn.runs.glance import places

    there = places(runs_folder(speaking.runs_folder))
    if not there:
        return "There are no runs yet."
    names = ", ".join(f"{one.name}{' (live)' if one.live else ''}" for one in there[:20])
    more = f" and {len(there) - 20} older ones" if len(there) > 20 else ""
    return f"The runs are {names}{more}. Leave with detach, then charrnn-tui --plain and a name opens one."


# ---- knobs ---------------------------------------------------------------------------------------------------


def _temperature(speaking: Speaking, text: str) -> str:
    if text.strip():
        value = number("temperature", text)
        speaking.session.set_knobs(replace(speaking.session.knobs, temperature=value, greedy=False))
    return knob_words(speaking.session)


def _step_temperature(steps: int) -> Callable[[Speaking, str], str]:
    def does(speaking: Speaking, _: str) -> str:
        speaking.session.step_temperature(steps)
        return knob_words(speaking.session)

    return does


def _top_k(speaking: Speaking, text: str) -> str:
    if text.strip():
        value = 0 if text.strip() == "off" else int(number("top_k", text, int))
        speaking.session.set_knobs(replace(speaking.session.knobs, top_k=value))
    else:
        speaking.session.next_top_k()
    return knob_words(speaking.session)


def _min_p(speaking: Speaking, text: str) -> str:
    value = 0.0 if text.strip() in ("", "off") else number("min_p", text)
    speaking.session.set_knobs(replace(speaking.session.knobs, min_p=value))
    return knob_words(speaking.session)


def _top_p(speaking: Speaking, text: str) -> str:
    value = 1.0 if text.strip() in ("", "off") else number("top_p", text)
    speaking.session.set_knobs(replace(speaking.session.knobs, top_p=value))
    return knob_words(speaking.session)


def _nucleus(speaking: Speaking, _: str) -> str:
    speaking.session.next_nucleus()
    return knob_words(speaking.session)


def _greedy(speaking: Speaking, text: str) -> str:
    speaking.session.set_knobs(replace(speaking.session.knobs, greedy=_on(text, not speaking.session.knobs.greedy)))
    return knob_words(speaking.session)


def _on(text: str, otherwise: bool) -> bool:
    if text.strip() in ("", "on", "off"):
        return {"": otherwise, "on": True, "off": False}[text.strip()]
    raise UsageError(f"It can be on or off, not {text.strip()!r}.")


def _pace(speaking: Speaking, text: str) -> str:
    if text.strip():
        speaking.session.set_pace(number("pace", text))
    return f"The stream writes {speaking.session.pace:g} characters a second."


def _step_pace(direction: int) -> Callable[[Speaking, str], str]:
    def does(speaking: Speaking, _: str) -> str:
        speaking.session.step_pace(direction)
        return _pace(speaking, "")

    return does


def _rate(speaking: Speaking, text: str) -> str:
    session = speaking.session
    if not session.learning_rate:
        return "The learning rate can be set once training has begun."
    if text.strip():
        session.set_learning_rate(number("lr", text))
    return f"The learning rate is {session.learning_rate:.4g}."


def _step_rate(direction: int) -> Callable[[Speaking, str], str]:
    def does(speaking: Speaking, _: str) -> str:
        speaking.session.step_learning_rate(direction)
        return _rate(speaking, "")

    return does


# ---- training and the stream ---------------------------------------------------------------------------------


def _pause(wanted: bool | None) -> Callable[[Speaking, str], str]:
    def does(speaking: Speaking, _: str) -> str:
        session = speaking.session
        if wanted is None or (session.state == "paused") != wanted:
            session.toggle_pause()
        return "Training rests." if session.state == "paused" else status_words(session)

    return does


def _cool(speaking: Speaking, _: str) -> str:
    on = speaking.session.toggle_cooldown()
    return "The learning rate falls to its end." if on else "The learning rate is the stable one again."


def _save(speaking: Speaking, _: str) -> str:
    speaking.session.write_checkpoint()
    return "Asked for a checkpoint."


def _prime(speaking: Speaking, text: str) -> str | None:
    if not text.strip():
        return (
            f"The stream starts from {written(speaking.session.status.prime)!r}; prime and a text starts it from that."
        )
    speaking.session.restart(read(text))
    return "The stream starts from that."


def _restart(speaking: Speaking, _: str) -> str:
    return f"The stream starts again with seed {speaking.session.restart()}."


def _say(speaking: Speaking, _: str) -> None:
    speaking.say_sample()


def _stream(speaking: Speaking, text: str) -> str:
    told = {
        "all": "All of the stream is said, sentence by sentence.",
        "samples": "The stream is said in samples.",
        "off": "Nothing is said unasked, but what goes wrong.",
    }
    if text.strip() and text.strip() not in told:
        raise UsageError(f"The stream can be all, samples or off, not {text.strip()!r}.")
    speaking.stream = text.strip() or speaking.stream
    return told[speaking.stream]


def _copy(speaking: Speaking, _: str) -> str:
    from tui.copying import keep

    text = speaking.transcript.said()
    if not text:
        return "There is no text to copy yet."
    welcome = speaking.session.welcome
    _, words = keep(text, welcome.run if welcome else "stream", clipboard=False)
    return words


# ---- help and leaving ----------------------------------------------------------------------------------------


def _help(speaking: Speaking, _: str) -> None:
    for order in TABLE:
        names = " or ".join(order.names)
        speaking.say(f"{names}{' ' + order.follows if order.follows else ''}: {order.words}.")


def _again(speaking: Speaking, _: str) -> None:
    speaking.start_again()


def _detach(speaking: Speaking, _: str) -> None:
    speaking.detach()


def _quit(speaking: Speaking, _: str) -> None:
    speaking.stop()


TABLE: tuple[Order, ...] = (
    Order(("status", "i"), "", "how training stands, and the knobs", _stands),
    Order(
        ("loss", "l", "u"), "", "the losses in every unit, and what they are to be measured against", _loss, ("units",)
    ),
    Order(("export", "e"), "csv, svg, png or pdf", "the losses to a file", _export),
    Order(("runs", "o"), "", "the runs there are, and how to open one", _runs, ("open",)),
    Order(("corpus", "1"), "", "what is learnt from", _corpus, ("show-corpus",)),
    Order(("say", "f"), "", "the newest sentences of the stream", _say, ("follow",)),
    Order(("stream",), "all, samples or off", "how much of the stream is said unasked", _stream),
    Order(("pause",), "", "training rests", _pause(True), ("pause",)),
    Order(("resume",), "", "training goes on; when it has failed: starts again", _pause(False), ("pause",)),
    Order(("temperature", "t"), "0.8", "the temperature, of which a lower one is safer", _temperature),
    Order(("colder", "-"), "", "temperature 0.05 lower", _step_temperature(-1), ("colder",)),
    Order(("warmer", "+", "="), "", "temperature 0.05 higher", _step_temperature(1), ("warmer",)),
    Order(("top-k", "k"), "40 or off", "only the likeliest; alone: the next setting", _top_k, ("top-k",)),
    Order(("min-p",), "0.05 or off", "only what is so likely against the likeliest", _min_p, ("nucleus",)),
    Order(("top-p",), "0.9 or off", "only the likeliest that make up so much", _top_p, ("nucleus",)),
    Order(("nucleus", "n"), "", "the next setting of min-p and top-p", _nucleus, ("nucleus",)),
    Order(("greedy",), "on or off", "always the likeliest character", _greedy),
    Order(("prime", "p"), "text", r"the stream starts from that text, in which \n is a new line", _prime, ("prime",)),
    Order(("restart", "r"), "", "the stream starts again with a new seed", _restart, ("restart",)),
    Order(("pace",), "30", "characters a second that the stream writes", _pace),
    Order(("slower", "["), "", "a slower stream", _step_pace(-1), ("slower",)),
    Order(("faster", "]"), "", "a faster stream", _step_pace(1), ("faster",)),
    Order(("lr",), "0.003", "the learning rate", _rate),
    Order(("rate-down", ","), "", "learning rate divided by 1.25", _step_rate(-1), ("rate-down",)),
    Order(("rate-up", "."), "", "learning rate times 1.25", _step_rate(1), ("rate-up",)),
    Order(("cool", "c"), "", "the learning rate falls to its end; again: call it off", _cool, ("cool-down",)),
    *TRAVEL,
    Order(("save", "w"), "", "write a checkpoint now", _save, ("checkpoint",)),
    *orders_choice.TABLE,
    Order(("copy", "y"), "", "the stream's text to a file", _copy, ("copy",)),
    *orders_lanes.ORDERS,
    *orders_units.ORDERS,
    Order(("again",), "", "start the engine again when it has gone; an empty line does, too", _again, ("start-again",)),
    Order(("detach", "d"), "", "leave, training goes on", _detach, ("detach",)),
    Order(("quit", "q"), "", "write a checkpoint, stop training, leave", _quit, ("quit", "interrupt")),
    *orders_copying.TABLE,
    *READING,
    Order(("help", "?"), "", "this list", _help, ("help", "palette")),
)
_BY_NAME = {name: order for order in TABLE for name in order.names}
