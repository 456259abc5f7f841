"""Terminals of every kind, by what they are sent: as many colours as they have, and no byte they cannot show."""

from __future__ import annotations

import os
import re

import pytest

from tests.terminal.pseudo_terminal import Terminal
from tests.terminal.test_in_a_terminal import terminal

SGR = re.compile(rb"\x1b\[([0-9;]*)m")


def leave(one: Terminal) -> None:
    """Leaves the line of the prime, and then the workbench."""
    one.press("\x1b")
    one.until(lambda: "is a new line" not in "".join(one.screen.display))
    one.press("d")
    assert one.end() == 0


def colours_in(raw: bytes) -> set[str]:
    """The ways in which colours were asked for: "truecolor", "256", "16"."""
    ways = set()
    for found in SGR.finditer(raw):
        codes = [int(code or 0) for code in found.group(1).split(b";")]
        while codes:
            code = codes.pop(0)
            if code in (38, 48):
                kind = codes.pop(0)
                ways.add("truecolor" if kind == 2 else "256")
                del codes[: 3 if kind == 2 else 1]
            elif 30 <= code <= 37 or 40 <= code <= 47 or 90 <= code <= 107:
                ways.add("16")
    return ways


@pytest.mark.parametrize(
    ("term", "more", "ways"),
    [
        ("xterm-256color", {"COLORTERM": "truecolor", "CHARRNN_THEME": "light"}, {"truecolor"}),
        ("tmux-256color", {"TMUX": "/tmp/tmux"}, {"256"}),
        ("screen", {"STY": "1.pts", "COLORTERM": "truecolor"}, {"16"}),
        ("linux", {"CHARRNN_THEME": "dark"}, {"16"}),
        ("vt220", {}, set()),
        ("xterm-256color", {"COLORTERM": "truecolor", "CHARRNN_THEME": "dark", "NO_COLOR": "1"}, set()),
        ("xterm-256color", {"COLORTERM": "truecolor", "CHARRNN_THEME": "terminal"}, {"16"}),
    ],
)
def test_a_terminal_is_asked_for_the_colours_that_it_has(term: str, more: dict[str, str], ways: set[str]) -> None:
    with terminal(TERM=term, **{"COLORTERM": "", **more}) as one:
        one.shows("training", "the quick brown fox", "T 0.80")
        one.press("d")
        assert one.end() == 0
        assert one.is_clean()
        assert colours_in(bytes(one.raw)) == ways


@pytest.mark.parametrize(
    "environment",
    [{"LC_ALL": "C"}, {"LC_ALL": "", "LANG": "POSIX"}, {"TERM": "linux", "COLORTERM": ""}],
    ids=["C", "POSIX", "Linux console"],
)
def test_where_only_ascii_can_be_shown_only_ascii_is_sent(environment: dict[str, str]) -> None:
    with terminal(**environment) as one:
        one.shows("* training", "the quick brown fox", "+- Loss", "-- Stream", "| 100,000 characters")
        one.press("?")
        one.shows("pause and resume training")
        one.press("\x1b")
        one.shows("T 0.80")
        one.press("q")
        assert one.end() == 0
        assert bytes(one.raw).isascii()


def test_a_latin_1_terminal_gets_and_sends_latin_1() -> None:
    with terminal(LC_ALL="de_DE.ISO-8859-1") as one:
        one.until(lambda: b"* training" in one.raw and b"1\xd7256" in one.raw)
        assert b"\xc3\x97" not in one.raw
        one.press("p")
        one.until(lambda: b"is a new line" in one.raw)
        os.write(one.fd, b" caf\xe9 ")
        one.until(lambda: b"does not know \xe9" in one.raw)
        leave(one)


def test_bytes_that_are_no_utf_8_do_not_end_it() -> None:
    with terminal() as one:
        one.shows("the quick brown fox")
        one.press("p")
        one.shows("is a new line")
        os.write(one.fd, b"caf\xe9\xff x")
        one.shows("does not know \ufffd")
        leave(one)


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on_is_spoken_to_and_told_what_to_set(term: str) -> None:
    with terminal(TERM=term) as one:
        one.shows(
            "nothing is drawn here; set it to what the terminal is", "TERM=xterm-256color", "The run is hamlet-1."
        )
        one.press("t 0.95\n")
        one.shows("Temperature 0.95, top-k off")
        one.press("detach\n")
        assert one.end() == 0
        assert b"\x1b" not in one.raw
        assert "come back with: charrnn-tui hamlet-1" in one.screen.display[-1] + "".join(one.screen.display)


def test_plain_speaks_in_lines_and_obeys_lines() -> None:
    with terminal("--plain") as one:
        one.shows("Type help and enter", "The corpus is hamlet", "Training, step")
        one.press("pause\n")
        one.shows("Training rests.")
        one.press("say\nprime To be\nnonsense\n")
        one.shows("It writes: ", "The stream starts from that.", "There is no order 'nonsense'; help lists")
        one.press("quit\n")
        assert one.end() == 0
        assert b"\x1b" not in one.raw
        assert "Saved at step 7; come back with: charrnn-tui hamlet-1" in "".join(one.screen.display)


def test_plain_is_ended_by_ctrl_c_after_a_checkpoint() -> None:
    with terminal("--plain") as one:
        one.shows("Training, step")
        one.press("\x03")
        assert one.end() == 130
        assert "Saved at step 7" in "".join(one.screen.display)


def test_the_end_of_input_detaches() -> None:
    with terminal("--plain") as one:
        one.shows("Training, step")
        one.press("\x04")
        assert one.end() == 0
        assert "Training goes on" in "".join(one.screen.display)


def test_without_the_mouse_no_mouse_is_asked_for() -> None:
    with terminal(CHARRNN_MOUSE="no") as one:
        one.shows("the quick brown fox")
        one.press("d")
        assert one.end() == 0
        assert b"\x1b[?1000h" not in one.raw
