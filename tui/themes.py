"""The themes: which colour each use in palette.py gets, on which ground, and with how many colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tui import palette

Depth = Literal["truecolor", "256", "16", "none"]
"""How many colours the terminal has; "none" also where the user wants none."""

ROLES = {
    palette.ACCENT_COLOUR: "accent",
    palette.QUIET_COLOUR: "quiet",
    palette.LINE_COLOUR: "line",
    palette.GOOD_COLOUR: "good",
    palette.WARNING_COLOUR: "warning",
    palette.ERROR_COLOUR: "error",
    palette.ON_ACCENT_COLOUR: "on accent",
}


@dataclass(frozen=True, slots=True)
class Colours:
    """`ground` and `text` are colours, "" for the terminal's own; `roles` are styles in Rich's words."""

    ground: str
    text: str
    roles: Mapping[str, str]

    def of(self, role: str) -> str:
        return self.roles.get(role, "")


@dataclass(frozen=True, slots=True)
class Theme:
    """`words` say what it is; `full` is for 256 colours and more, `sixteen` for terminals that have no more."""

    words: str
    full: Colours
    sixteen: Colours


def _colours(ground: str, text: str, **roles: str) -> Colours:
    return Colours(ground, text, {name.replace("_", " "): words for name, words in roles.items()})


_OWN_SIXTEEN = _colours(
    "",
    "",
    accent="cyan",
    quiet="dim",  # bright black is the background itself in some schemes, Solarized's for one
    line="bright_black",
    good="green",
    warning="yellow",
    error="red",
    on_accent="black",
)

# From 256 colours on, each is one of xterm's 256, so that nothing is lost where there are no more.
THEMES: dict[str, Theme] = {
    "auto": Theme(
        "middling colours on the terminal's own background, whether that is dark or light",
        Colours("", "", {role: colour for colour, role in ROLES.items()}),
        _OWN_SIXTEEN,
    ),
    "dark": Theme(
        "light text on a dark ground",
        _colours(
            "#1c1c1c",
            "#d7d7d7",
            accent="#5fd7d7",
            quiet="#9e9e9e",
            line="#5f5f5f",
            good="#87d787",
            warning="#ffaf5f",
            error="#ff8787",
            on_accent="#1c1c1c",
        ),
        _colours(
            "black",
            "bright_white",
            accent="bright_cyan",
            quiet="white",
            line="bright_black",
            good="bright_green",
            warning="bright_yellow",
            error="bright_red",
            on_accent="black",
        ),
    ),
    "light": Theme(
        "dark text on a light ground",
        _colours(
            "#fafafa",
            "#1c1c1c",
            accent="#005f87",
            quiet="#626262",
            line="#a8a8a8",
            good="#005f00",
            warning="#875f00",
            error="#af0000",
            on_accent="#ffffff",
        ),
        _colours(
            "bright_white",
            "black",
            accent="blue",
            quiet="black",
            line="white",
            good="blue",
            warning="magenta",
            error="red",
            on_accent="bright_white",
        ),
    ),
    "contrast": Theme(
        "white and bright colours on black, for eyes or projectors that need it",
        _colours(
            "#000000",
            "#ffffff",
            accent="#00ffff",
            quiet="#d0d0d0",
            line="#ffffff",
            good="#5fff5f",
            warning="#ffff00",
            error="#ffafaf",
            on_accent="#000000",
        ),
        _colours(
            "black",
            "bright_white",
            accent="bright_cyan",
            quiet="white",
            line="bright_white",
            good="bright_green",
            warning="bright_yellow",
            error="bright_white reverse",
            on_accent="black",
        ),
    ),
    "terminal": Theme("the terminal's own 16 colours", _OWN_SIXTEEN, _OWN_SIXTEEN),
}
NO_COLOURS = _colours("", "", accent="bold", quiet="dim", line="dim", warning="bold", error="bold reverse")
"""Without colours: weight and reversed cells say it."""


def colours(theme: str, depth: Depth) -> Colours:
    """What `theme` looks like on a terminal with so many colours."""
    if depth == "none":
        return NO_COLOURS
    return THEMES[theme].sixteen if depth == "16" else THEMES[theme].full
