"""Keys: travel."""

from __future__ import annotations

from tui.keys.key import Key

KEYS: tuple[Key, ...] = ()
