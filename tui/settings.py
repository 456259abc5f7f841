"""What a user sets once and for all about the workbench itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings as they are in force. `slow`: draw less often, for a line that carries little.

    `keys` are the keys of actions, by their ids in the table of keys, that are not the usual ones.
    """

    slow: bool = False
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
