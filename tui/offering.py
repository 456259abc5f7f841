"""Which keys do something now, and what that is called: so that the footer tells no lies."""

from __future__ import annotations

from collections.abc import Mapping

from tui import keys
from tui.panes.workspace import Workspace
from tui.session import Session

_AWAKE = frozenset({"training", "paused", "restarting"})
_WITHOUT_ENGINE = frozenset({"follow", "copy"})
"""Of the keys of training and the stream, those that need no engine."""


def idle(session: Session, panes: Workspace) -> frozenset[str]:
    """The ids of the keys that would change nothing now."""
    found = {"follow"} if panes.stream.text.following else set()
    if not panes.plan.upper_height:
        found |= {"shorter", "taller"}
    if not panes.plan.left:
        found |= {"narrower", "wider"}
    if not session.connected or session.ended is not None:
        playing = {key.id for key in keys.TABLE if key.group in ("Training", "Stream")}
        return frozenset(found | (playing - _WITHOUT_ENGINE))
    found.add("start-again")
    if session.state not in _AWAKE:
        found |= {"cool-down", "checkpoint", "rate-down", "rate-up"}
        if session.state != "failed":
            found.add("pause")
    return frozenset(found)


def labels(session: Session, panes: Workspace) -> Mapping[str, str]:
    """The footer's words that depend on how things stand."""
    words = {"paused": "train", "failed": "start again"}
    found = {"pause": words[session.state]} if session.state in words else {}
    if session.status.phase == "cool-down":
        found["cool-down"] = "call off cooling"
    if panes.zoomed is not None:
        found["zoom"] = "all panes"
    return found
