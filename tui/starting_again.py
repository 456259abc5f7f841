"""A new engine for the run on the screen, after its engine has gone or ended."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import asdict
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine import client
from charrnn.engine.messages import RunRequest
from tui.session import Session

GONE = "The engine has gone; its trainer saves what it has and ends. enter starts the engine again, q leaves."
GONE_EARLY = "The engine has gone before the run had begun: nothing was written. q leaves."


def gone(session: Session) -> str:
    """What there is to say when the engine has gone without a word."""
    return GONE if request_again(session) else GONE_EARLY


def request_again(session: Session) -> RunRequest | None:
    """The same run, trained on if it was training, its stream as it was; None if no run had begun."""
    if session.welcome is None or session.model is None:
        return None
    options = {**asdict(session.knobs), "pace": session.pace, "prime": session.status.prime}
    train = session.status.state in ("training", "restarting")
    return RunRequest(target=session.welcome.folder, options=options, train=train)


async def connect_again(session: Session) -> socket.socket | str:
    """A connection to a new engine, or to one that somebody else has started; else why there is none."""
    request = request_again(session)
    if request is None:
        return GONE_EARLY
    try:
        return await asyncio.to_thread(_reach, request)
    except UsageError as error:
        return f"{str(error).rstrip('.')}. q leaves."
    except OSError as error:
        return f"The engine could not be started: {error.strerror or error}. enter tries again, q leaves."


def _reach(request: RunRequest) -> socket.socket:
    """Somebody else's new engine already goes by options of its own; those here are for one that is started now."""
    return client.attach_to(Path(request.target)) or client.open_run(request).connection
