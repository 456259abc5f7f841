"""Where the stream's text goes when it is copied: the clipboard, by way of the terminal, and always a file."""

from __future__ import annotations

import contextlib
import re
import tempfile
import time
from itertools import count
from pathlib import Path

from tui.terminal import safe_line

CLIPBOARD = 50_000
"""Characters: terminals drop an OSC 52 sequence much longer than this."""


def clipped(text: str) -> str:
    """The end of `text` that fits a clipboard sequence, without what cannot be encoded."""
    return text[-CLIPBOARD:].encode("utf-8", "replace").decode("utf-8")


def keep(text: str, run: str, *, clipboard: bool = True) -> tuple[str, str]:
    """Writes `text` to a new file; a notice's level and sentence. `clipboard`: it was handed to that, too."""
    from platformdirs import user_cache_path

    name = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run)[:60] or 'stream'}-{time.strftime('%Y%m%d-%H%M%S')}"
    there = "the clipboard, if the terminal allows it," if len(text) <= CLIPBOARD else "(its end) the clipboard"
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
