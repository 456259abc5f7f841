"""What the terminal can do, as far as its environment says: colours, character set, a line from afar."""

from __future__ import annotations

import codecs
import locale
from collections.abc import Mapping
from dataclasses import dataclass

from tui.glyphs import UTF_8
from tui.themes import Depth

_MONOCHROME = ("vt", "xterm-mono", "ansi-mono", "wy", "tvi", "lp")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What was found.

    `charset` is what can be shown: "utf-8", "ascii" or a single-byte set of Python's; `glyphs` says whether the
    characters of frames and chart can be, too.
    """

    depth: Depth
    charset: str
    glyphs: bool
    remote: bool


def look_around(environ: Mapping[str, str]) -> Surroundings:
    """The surroundings by their variables: TERM, COLORTERM, NO_COLOR, STY, the locale's, SSH_TTY."""
    term = environ.get("TERM", "")
    charset = charset_of(environ)
    return Surroundings(
        depth=depth_of(environ),
        charset=charset,
        glyphs=charset == UTF_8 and term != "linux",  # the console's font has neither braille nor round corners
        remote=bool(environ.get("SSH_TTY") or environ.get("SSH_CONNECTION")),
    )


def why_not_drawn(environ: Mapping[str, str]) -> str:
    """Why no screen can be drawn on this terminal and what to set; "" where one can."""
    term = environ.get("TERM", "")
    if term not in ("", "dumb", "unknown"):
        return ""
    said = f"TERM is {term}" if term else "TERM is not set"
    return f"{said}, so nothing is drawn here; set it to what the terminal is, such as TERM=xterm-256color."


def depth_of(environ: Mapping[str, str]) -> Depth:
    """How many colours: none if NO_COLOR is set to anything (https://no-color.org), else by TERM and COLORTERM."""
    term = environ.get("TERM", "").lower()
    if environ.get("NO_COLOR") or term.startswith(_MONOCHROME):
        return "none"
    if term == "linux":
        return "16"
    many = "256" in term or term.startswith(("xterm-kitty", "alacritty", "foot", "wezterm", "xterm-ghostty"))
    # GNU screen hands on the outer terminal's COLORTERM without passing its colours on; tmux says its own.
    behind_screen = bool(environ.get("STY")) and not environ.get("TMUX")
    if environ.get("COLORTERM", "").strip().lower() in ("truecolor", "24bit") and not behind_screen:
        return "truecolor"
    if term.endswith("-direct") and not behind_screen:
        return "truecolor"
    return "256" if many else "16"


def charset_of(environ: Mapping[str, str]) -> str:
    """The character set that the locale names, by Python's name for it.

    "utf-8" also where nothing is said, or by a name that nobody knows: so are today's terminals. "ascii" for C and
    POSIX, and for what is neither UTF-8 nor one byte a character.
    """
    named = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    if not environ.get("LC_ALL") and named in ("C.UTF-8", "C.utf8", "UTF-8") and environ.get("LANG") in ("C", "POSIX"):
        named = "C"  # Python itself has set LC_CTYPE, because of that LANG (PEP 538)
    if not named:
        return UTF_8
    if named in ("C", "POSIX"):
        return "ascii"
    _, _, charset = (named if "." in named else locale.normalize(named)).partition(".")
    charset = charset.partition("@")[0]
    try:
        found = codecs.lookup(charset).name if charset else UTF_8
    except LookupError:
        return UTF_8
    if found in ("utf-8", "utf-8-sig", "utf-16", "utf-32"):
        return UTF_8
    return found if _one_byte(found) else "ascii"


def _one_byte(charset: str) -> bool:
    """Whether it is ASCII with another half above, one byte a character."""
    try:
        lower = bytes(range(0x80)).decode(charset) == bytes(range(0x80)).decode("ascii")
        upper = bytes(range(0xA0, 0x100)).decode(charset, "replace")
    except (LookupError, UnicodeDecodeError):
        return False
    return lower and len(upper) == 0x60 and "\ufffd" not in upper[:1]
