"""What a user sets once and for all about the workbench itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings as they are in force. `slow`: draw less often, for a line that carries little."""

    slow: bool = False
