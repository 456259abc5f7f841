"""What commands want of live engines: how they stand, and that they end. No torch here."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine.client import EngineClient, attach, attach_to
from charrnn.engine.messages import Ended, EngineMessage, Hello, Status, StopRun
from charrnn.runs.directory import is_live, socket_path

TELLS_WITHIN = 1.0
ANSWERS_WITHIN = 30.0
SAVES_WITHIN = 600.0
"""Seconds until an engine has told how it stands; said anything at all; written its last checkpoint."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a live engine stands: its run's state, who watches, its process (None where that cannot be known)."""

    state: str
    watchers: int
    pid: int | None


async def standings(runs: list[Path]) -> dict[Path, Standing]:
    """How the engines of these runs stand, asked side by side; one that does not answer in time is left out."""
    found = await asyncio.gather(*(_standing(run) for run in runs))
    return {run: standing for run, standing in zip(runs, found, strict=True) if standing is not None}


async def _standing(run: Path) -> Standing | None:
    with contextlib.suppress(OSError, UsageError):
        async with asyncio.timeout(TELLS_WITHIN):
            connection = await asyncio.to_thread(attach, str(socket_path(run)), Hello(stream=False))
            pid = _peer(connection)
            client = await EngineClient.over(connection)
            try:
                async for message in client:
                    if isinstance(message, Status):
                        return Standing(message.state, message.watchers, pid)
            finally:
                client.hang_up()
    return None


def _peer(connection: socket.socket) -> int | None:
    if sys.platform != "linux":
        return None
    pid: int = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[0]
    return pid


async def stop(run: Path, *, answers_within: float = ANSWERS_WITHIN, saves_within: float = SAVES_WITHIN) -> str:
    """Has the run's engine write a checkpoint and end; what it said last, "" if it ended before it could be asked.

    Raises UsageError with a sentence when it does not answer, or has not ended, within so many seconds. It is never
    killed.
    """
    connection = await asyncio.to_thread(attach_to, run, Hello(stream=False))
    if connection is None:
        return ""
    client = await EngineClient.over(connection)
    client.send(StopRun())
    said = aiter(client)
    message: EngineMessage | None = None
    try:
        async with asyncio.timeout(answers_within) as patience:
            while not isinstance(message, Ended):
                message = await anext(said, None)
                if message is None:
                    return ""
                if not patience.expired() and isinstance(message, Status) and message.state == "stopping":
                    patience.reschedule(asyncio.get_running_loop().time() + saves_within)
    except TimeoutError:
        what = f"has not answered for {answers_within:,.0f} s"
        if message is not None:
            what = f"answered, but has not written its last checkpoint within {saves_within:,.0f} s"
        raise UsageError(
            f"The engine of {run.name} {what}; it was left as it is, and `charrnn runs` says when it has ended."
        ) from None
    finally:
        client.hang_up()
    for _ in range(100):  # it still has its trainer and its lock to let go of
        if not is_live(run):
            break
        await asyncio.sleep(0.05)
    return message.text
