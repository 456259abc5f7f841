"""Storms: sizes from 1x1 to 500x200 one after another, and every key there is, at random, mouse and pastes included."""

from __future__ import annotations

import contextlib
import fcntl
import random
import struct
import termios
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.terminal.watching import FAKE, Watched, workbench
from tests.faults.promise import Outcome, Promise
from tui import keys

IN_A_SESSION = 1_000
_NAMED = {
    "space": " ",
    "enter": "\r",
    "escape": "\x1b",
    "tab": "\t",
    "shift+tab": "\x1b[Z",
    "backspace": "\x7f",
    "up": "\x1b[A",
    "down": "\x1b[B",
    "right": "\x1b[C",
    "left": "\x1b[D",
    "home": "\x1b[H",
    "end": "\x1b[F",
    "pageup": "\x1b[5~",
    "pagedown": "\x1b[6~",
    "delete": "\x1b[3~",
    "insert": "\x1b[2~",
    "f1": "\x1bOP",
    "f2": "\x1bOQ",
    "shift+up": "\x1b[1;2A",
    "shift+down": "\x1b[1;2B",
    "shift+left": "\x1b[1;2D",
    "shift+right": "\x1b[1;2C",
    "ctrl+up": "\x1b[1;5A",
    "ctrl+down": "\x1b[1;5B",
    "ctrl+left": "\x1b[1;5D",
    "ctrl+right": "\x1b[1;5C",
    "minus": "-",
    "plus": "+",
    "equals_sign": "=",
    "shift+equals_sign": "+",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "comma": ",",
    "full_stop": ".",
    "question_mark": "?",
    "slash": "/",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "left_curly_bracket": "{",
    "right_curly_bracket": "}",
    "number_sign": "#",
    "underscore": "_",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "colon": ":",
    "semicolon": ";",
    "vertical_line": "|",
    "exclamation_mark": "!",
    "apostrophe": "'",
    "quotation_mark": '"',
    "backslash": "\\",
    "asterisk": "*",
    "tilde": "~",
}


def typed(name: str) -> str:
    """What a terminal sends for a key by Textual's name; "" where it is not known here."""
    if name in _NAMED or len(name) == 1:
        return _NAMED.get(name, name)
    if name.startswith("ctrl+") and len(name) == 6:
        return chr(ord(name[-1]) & 0x1F)
    if name.startswith("shift+") and len(name) == 7:
        return name[-1].upper()
    return ""


def every_key() -> list[str]:
    """What the table has, by what is sent for it, letters that it has not, and how lists and lines are gone through."""
    table = [typed(name) for key in keys.TABLE for name in key.keys]
    return sorted({*filter(None, table), *_NAMED.values(), *"abcxyzAZ09é漢", "\x10", "\x0c", "\x1a"})


def mouse(made: random.Random, columns: int, rows: int) -> str:
    """A press, a drag, a release or the wheel, somewhere."""
    button = made.choice((0, 0, 2, 32, 35, 64, 65))
    end = made.choice("MMm")
    return f"\x1b[<{button};{made.randint(1, columns)};{made.randint(1, rows)}{end}"


def pressing(times: int, folder: Path, seed: int) -> Outcome:
    """A workbench that was left by its own keys is begun anew."""
    broken: list[str] = []
    sessions = done = 0
    made = random.Random(seed)
    while done < times and len(broken) < 20:
        sessions += 1
        place = folder / str(sessions)
        place.mkdir()
        size = made.choice([(120, 34), (100, 30), (80, 24), (60, 16), (41, 10)])
        with workbench(*FAKE, folder=place, size=size) as one:
            one.shows("the quick")
            one.blind = True
            for key in _presses(made, min(IN_A_SESSION, times - done), size):
                if one.status is None and not _press(one, key):
                    break
                done += 1
            faults = _end(one)
        broken += [f"{words} (seed {seed}, session {sessions})" for words in faults]
    return Outcome(done, f"{len(broken)} exceptions or traces left, {sessions} workbenches", tuple(broken))


def _presses(made: random.Random, count: int, size: tuple[int, int]) -> Iterator[str]:
    chosen = every_key()
    leaving = {"q", "d", "\x03", "\x11"}
    for _ in range(count):
        kind = made.random()
        if kind < 0.08:
            yield mouse(made, *size)
        elif kind < 0.1:
            yield "\x1b[200~pasted \x1b[31m漢\n\x1b[201~"
        else:
            key = made.choice(chosen)
            # Leaving is a key as well, but a session that always ends after a few presses gets nowhere.
            yield key if key not in leaving or made.random() < 0.02 else "\x1b"


def _press(one: Watched, key: str) -> bool:
    """False when it has ended."""
    one.press(key)
    return all(one.read(0.015) for _ in range(3 if key == "\x1b" else 1))


def _end(one: Watched) -> list[str]:
    for _ in range(6):
        one.press("\x1b")
        one.watch(0.25)  # less, and what follows is taken for a key pressed together with alt
    one.press("q")
    try:
        one.end(20)
    except AssertionError:
        return ["it did not end: " + _look(one)]
    return one.faults()


def _look(one: Watched) -> str:
    """What stands on the screen of one that should have gone."""
    one.blind = False
    one.press("\x0c")
    with contextlib.suppress(OSError):
        one.watch(1.0)
    return "\n".join(line.rstrip() for line in one.screen.display if line.strip())


def resizing(times: int, folder: Path, seed: int) -> Outcome:
    """With the palette, the help, the prime's line or a view of the model's mind open at times."""
    made = random.Random(seed)
    broken: list[str] = []
    with workbench(*FAKE, folder=folder) as one:
        one.shows("the quick")
        one.blind = True
        for number in range(times):
            corner = (1, 1), (500, 200), (500, 1), (1, 200), (40, 10), (39, 9), (100, 30), (99, 29), (70, 20), (69, 19)
            small = made.random() < 0.6
            size = (
                (made.randint(1, 130), made.randint(1, 45)) if small else (made.randint(1, 500), made.randint(1, 200))
            )
            columns, rows = made.choice(corner) if number % 5 == 0 else size
            _set_size(one, columns, rows)
            if number % 10 == 3:
                one.press(made.choice(("\x10", "?", "p", "z", "1", "o", "i", "j", "m", "b", "T", '"', "v")))
            if number % 10 == 8:
                one.press("\x1b")
            if not one.read(0.02):
                break
        _set_size(one, 100, 30)
        for _ in range(4):
            one.press("\x1b")
            one.watch(0.25)
        broken += _end(one)
    return Outcome(
        times, f"{len(broken)} exceptions or traces left", tuple(f"{words} (seed {seed})" for words in broken)
    )


def _set_size(one: Watched, columns: int, rows: int) -> None:
    fcntl.ioctl(one.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


_FIGURE = "0 exceptions, terminal left clean"
ROWS = (
    Promise(10, "sizes at random, 1x1 to 500x200", _FIGURE, 2_000, 80, resizing),
    Promise(11, "keys at random, every one, palette and screens included", _FIGURE, 10_000, 300, pressing),
)
