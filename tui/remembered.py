"""What the workbench remembers from one time to the next: how the user divided the screen, for each kind of size.

It is a convenience and nothing more: a file that is missing, damaged or cannot be written is nobody's trouble.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from platformdirs import user_state_path

from tui.layout import KINDS, Kind, Shares

FILE = "workbench.json"
AT_MOST = 1 << 16
"""Bytes: what is longer was not written here."""


class _File(msgspec.Struct):
    sizes: dict[str, dict[str, float]] = {}


def state_folder() -> Path:
    """Where it lies: $CHARRNN_STATE, else the user's folder for state."""
    place = os.environ.get("CHARRNN_STATE")
    return Path(place).expanduser() if place else user_state_path("charrnn")


def read_sizes() -> dict[Kind, Shares]:
    """The sizes that were given, by the kind of size they were given at; what does not fit is left out."""
    sizes = _read()
    return {kind: shares for kind in KINDS if (shares := _shares(sizes.get(kind, {}))) != Shares()}


def write_sizes(kind: Kind, shares: Shares) -> None:
    """Remembers the sizes for one kind, and leaves those of the others, and of other workbenches, as they are."""
    sizes = _read()
    given = {name: round(share, 4) for name in ("height", "width") if (share := getattr(shares, name)) is not None}
    if given:
        sizes[kind] = given
    else:
        sizes.pop(kind, None)
    with contextlib.suppress(OSError):
        _replace(state_folder() / FILE, msgspec.json.encode(_File(sizes)))


def _read() -> dict[str, dict[str, float]]:
    try:
        with open(state_folder() / FILE, "rb") as file:
            return msgspec.json.decode(file.read(AT_MOST), type=_File).sizes
    except (OSError, msgspec.MsgspecError, RecursionError, UnicodeError):
        return {}


def _shares(given: Mapping[str, float]) -> Shares:
    height, width = (share if 0.0 < (share := given.get(name, 0.0)) < 1.0 else None for name in ("height", "width"))
    return Shares(height, width)


def _replace(path: Path, data: bytes) -> None:
    """Either the old bytes are there or these. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        new.write_bytes(data)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
        raise
