"""Where text goes when it is copied: the clipboard, by way of the terminal, and always a file."""

from __future__ import annotations

import base64
import contextlib
import re
import tempfile
import time
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from tui.terminal import safe_line

CLIPBOARD = 56_000
"""Bytes: as many as make the 74,994 of base64 that terminals and tmux take at most."""
_SCREEN_TAKES = 250
"""Bytes of base64 in one piece for GNU screen, whose strings are short."""


def clipped(text: str) -> str:
    """The end of `text` that fits a clipboard sequence, without what cannot be encoded."""
    return text.encode("utf-8", "replace")[-CLIPBOARD:].decode("utf-8", "ignore")


def sequences(text: str, environ: Mapping[str, str]) -> str:
    """What has a terminal put `text` on the clipboard (OSC 52), also from within tmux and GNU screen.

    Each is handed what it passes on untouched to the terminal around it (a DCS). tmux does that where allow-passthrough
    is on, and takes the plain sequence where set-clipboard is: it gets both.
    """
    code = base64.b64encode(text.encode("utf-8", "replace")).decode()
    plain = f"\x1b]52;c;{code}\x07"
    if environ.get("TMUX"):
        return plain + "\x1bPtmux;" + plain.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY") or environ.get("TERM", "").startswith("screen"):
        pieces = [code[at : at + _SCREEN_TAKES] for at in range(0, len(code), _SCREEN_TAKES)]
        return "\x1bP\x1b]52;c;" + "\x1b\\\x1bP".join(pieces) + "\x07\x1b\\"
    return plain


def keep(text: str, run: str, *, clipboard: bool = True) -> tuple[str, str]:
    """Writes `text` to a new file; a notice's level and sentence. `clipboard`: it was handed to that, too."""
    from platformdirs import user_cache_path

    name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run)[:60] or 'stream'}-{time.strftime('%Y%m%d-%H%M%S')}"
    whole = len(text.encode("utf-8", "replace")) <= CLIPBOARD
    there = "the clipboard, if the terminal allows it," if whole else "(its end) the clipboard"
    reason = ""
    for folder in (user_cache_path("charrnn") / "copies", Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            place = _write_new(folder, name, text)
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        to = f"{there} and to " if clipboard else ""
        return "info", f"Copied {len(text):,} characters to {to}{safe_line(str(place))}"
    if not clipboard:
        return "error", f"Nothing was copied, no file could be written: {reason}."
    return "warning", f"Copied to {there} but to no file: {reason}."


def _write_new(folder: Path, name: str, text: str) -> Path:
    """Writes to a file that was not there: two copies may have the same second, more so when a clock was set back."""
    for number in count(1):
        place = folder / (f"{name}.txt" if number == 1 else f"{name}-{number}.txt")
        with contextlib.suppress(FileExistsError), open(place, "x", encoding="utf-8", errors="replace") as file:
            file.write(text)
            return place
    raise AssertionError
