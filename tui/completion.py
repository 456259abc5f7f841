"""What a path that is being typed may become: files, folders, built-in corpora, texts of earlier runs."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from charrnn.text.builtin import BUILT_IN
from tui.words import size_in_words

SCANNED_AT_MOST = 5_000
"""Entries of a folder that are looked at."""
SHOWN_AT_MOST = 300
RECENT_AT_MOST = 8


@dataclass(frozen=True, slots=True)
class Candidate:
    """`text` is what the field would hold, `remark` what is to be said of it; a `folder` may be gone into."""

    text: str
    remark: str = ""
    folder: bool = False


def candidates(typed: str, recent: Iterable[tuple[str, str]] = ()) -> list[Candidate]:
    """What `typed` may become, what is nearest first; `recent` are texts of earlier runs, each with a remark.

    Looks into one folder, so it belongs off the event loop. An address, a glob and what needs no completion have none.
    """
    from charrnn.text.downloads import is_address  # not needed to draw the first screen
    from charrnn.text.files import is_wild

    if is_address(typed) or is_wild(typed):
        return []
    found: list[Candidate] = []
    if os.sep not in typed and typed != "~":
        low = typed.lower()
        known = [Candidate(text, remark) for text, remark in recent if low in text.lower()][:RECENT_AT_MOST]
        texts = {one.text for one in known}
        found += known
        found += [Candidate(name, words) for name, words in BUILT_IN.items() if low in name and name not in texts]
    typed = "~" + os.sep if typed == "~" else typed
    found += _entries(typed)
    return [one for one in found if one.text != typed][:SHOWN_AT_MOST]


def common_beginning(typed: str, found: list[Candidate]) -> str:
    """The longest text that every candidate of the file system begins with, at least `typed`."""
    texts = [one.text for one in found if one.text.lower().startswith(typed.lower())]
    if not texts:
        return typed
    first, last = min(texts), max(texts)
    same = next((at for at, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first))
    return first[:same] if same > len(typed) else typed


def is_settled(typed: str) -> bool:
    """Whether the text names something that needs no completion: a file, a built-in corpus, an address or a glob."""
    from charrnn.text.downloads import is_address
    from charrnn.text.files import is_wild

    if typed in BUILT_IN or is_address(typed) or is_wild(typed):
        return True
    return os.path.isfile(os.path.expanduser(typed))


def _entries(typed: str) -> list[Candidate]:
    folder, _, beginning = typed.rpartition(os.sep)
    folder = folder + os.sep if os.sep in typed else ""
    low = beginning.lower()
    found: list[tuple[bool, str, Candidate]] = []
    try:
        with os.scandir(os.path.expanduser(folder) or ".") as entries:
            for number, entry in enumerate(entries):
                if number >= SCANNED_AT_MOST:
                    break
                name = entry.name
                if not name.lower().startswith(low) or (name.startswith(".") and not low.startswith(".")):
                    continue
                made = _candidate(folder, entry)
                if made is not None:
                    found.append((made.folder, name.lower(), made))
    except (OSError, ValueError):
        return []
    return [made for _, _, made in sorted(found, key=lambda one: one[:2])]


def _candidate(folder: str, entry: os.DirEntry[str]) -> Candidate | None:
    try:
        entry.name.encode()  # a name that is no UTF-8 cannot be typed
        if entry.is_dir():
            return Candidate(folder + entry.name + os.sep, "folder", folder=True)
        if not entry.is_file():
            return None
        return Candidate(folder + entry.name, size_in_words(entry.stat().st_size))
    except (OSError, UnicodeEncodeError):
        return None
