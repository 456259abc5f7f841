"""What a terminal can do, by its variables."""

from __future__ import annotations

import pytest

from tui.settings import Settings, settle
from tui.surroundings import charset_of, depth_of, look_around, why_not_drawn

TRUE = {"COLORTERM": "truecolor"}


@pytest.mark.parametrize(
    ("environ", "depth"),
    [
        ({"TERM": "xterm-256color", **TRUE}, "truecolor"),
        ({"TERM": "xterm", "COLORTERM": "24bit"}, "truecolor"),
        ({"TERM": "xterm-direct"}, "truecolor"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "screen-256color"}, "256"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0"}, "256"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0", **TRUE}, "truecolor"),
        ({"TERM": "screen-256color", "STY": "1.pts", **TRUE}, "256"),
        ({"TERM": "screen", "STY": "1.pts", **TRUE}, "16"),
        ({"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0", "STY": "1.pts", **TRUE}, "truecolor"),
        ({"TERM": "xterm-kitty"}, "256"),
        ({"TERM": "xterm"}, "16"),
        ({"TERM": "tmux"}, "16"),
        ({"TERM": "linux", **TRUE}, "16"),
        ({"TERM": "vt100"}, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": "1", **TRUE}, "none"),
        ({"TERM": "xterm-256color", "NO_COLOR": "", **TRUE}, "truecolor"),
    ],
)
def test_the_number_of_colours(environ: dict[str, str], depth: str) -> None:
    assert depth_of(environ) == depth


@pytest.mark.parametrize(
    ("environ", "charset"),
    [
        ({}, "utf-8"),
        ({"LANG": "de_DE.UTF-8"}, "utf-8"),
        ({"LANG": "de_DE.utf8"}, "utf-8"),
        ({"LANG": "C"}, "ascii"),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "ascii"),  # Python's own doing
        ({"LANG": "C", "LC_CTYPE": "en_GB.UTF-8"}, "utf-8"),
        ({"LC_CTYPE": "C.UTF-8"}, "utf-8"),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, "utf-8"),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, "ascii"),
        ({"LANG": "de_DE.ISO-8859-1"}, "iso8859-1"),
        ({"LANG": "de_DE"}, "iso8859-1"),
        ({"LANG": "de_DE@euro"}, "iso8859-15"),
        ({"LANG": "ru_RU.KOI8-R"}, "koi8-r"),
        ({"LANG": "ja_JP.eucJP"}, "ascii"),
        ({"LANG": "zh_CN.GBK"}, "ascii"),
        ({"LANG": "ja_JP.SJIS"}, "ascii"),
        ({"LANG": "x.ISO-2022-JP"}, "ascii"),
        ({"LANG": "x.UTF-16"}, "utf-8"),
        ({"LANG": "x.rot13"}, "ascii"),
        ({"LANG": "nobody_knows.this"}, "utf-8"),
    ],
)
def test_the_character_set(environ: dict[str, str], charset: str) -> None:
    assert charset_of(environ) == charset


def test_what_cannot_be_drawn_on_is_told_with_what_to_set() -> None:
    assert why_not_drawn({"TERM": "dumb"}).startswith("TERM is dumb, so nothing is drawn here; set it to")
    assert why_not_drawn({}).startswith("TERM is not set")
    assert not why_not_drawn({"TERM": "linux"})


def settled(environ: dict[str, str], **said: object) -> Settings:
    return settle(said, look_around({"TERM": "xterm", **environ}))


def test_ascii_follows_the_locale_unless_the_user_knows_better() -> None:
    assert not settled({"LANG": "C.UTF-8"}).ascii
    assert settled({"LANG": "C.UTF-8"}, ascii=True).charset == "ascii"
    assert settled({"LANG": "C"}).ascii
    assert settled({"LANG": "C"}, ascii=False).charset == "utf-8"
    assert settled({"LANG": "de_DE"}).charset == "iso8859-1"
    assert settled({"LANG": "C.UTF-8", "TERM": "linux"}).charset == "ascii"
