"""Where other clients attach to a run: a socket in a private folder. No torch here."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine.board import Board
from charrnn.engine.messages import Notice
from charrnn.runs.directory import socket_path

Admit = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


async def listen(run: Path, board: Board, admit: Admit) -> None:
    """Lets other clients of this user attach to the run at `run`, whose lock the caller holds, until cancelled."""

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if _is_own(writer):
            admit(reader, writer)
        else:
            writer.close()

    try:
        path = socket_path(run)
        path.unlink(missing_ok=True)  # this engine holds the run's lock, so whoever left it is gone
        server = await asyncio.start_unix_server(met, path)
    except (OSError, UsageError) as error:
        board.announce(Notice("warning", f"No other workbench can attach to this run: {error}"))
        return
    try:
        await server.serve_forever()
    finally:
        path.unlink(missing_ok=True)


def _is_own(writer: asyncio.StreamWriter) -> bool:
    if sys.platform != "linux":
        return True
    peer = writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    return bool(struct.unpack("3i", peer)[1] == os.getuid())
