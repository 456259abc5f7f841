"""How the workbench is left: with which exit status, and with which sentence on the normal screen."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from tui.session import Session
from tui.terminal import safe_line

SAVING_TAKES = 10.0
"""Seconds after which the screen is left although the engine still saves."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """With what status the workbench ends, and the sentence that it leaves on the normal screen."""

    status: int
    text: str = ""


def with_way_back(session: Session, text: str) -> str:
    """A sentence that ends with how to come back to the run, if there is one yet."""
    welcome = session.welcome
    way = f"come back with: charrnn-tui {shlex.quote(safe_line(welcome.run))}" if welcome else ""
    return "; ".join(part for part in (text.rstrip(". "), way) if part)
