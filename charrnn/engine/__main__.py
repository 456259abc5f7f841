"""An engine as a process of its own, in its own session: python -m charrnn.engine --connection FD"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from charrnn.engine.trainer_watch import Limits


async def serve(descriptor: int, limits: Limits | None = None) -> int:
    """Serves the client at the other end of the connection, and those that attach; the exit status."""
    from charrnn.engine.server import Engine

    engine = Engine(limits=limits)
    loop = asyncio.get_running_loop()
    for number, status in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
        loop.add_signal_handler(number, engine.stop, status)
    reader, writer = await asyncio.open_unix_connection(sock=socket.socket(fileno=descriptor), limit=2**20)
    engine.connect(reader, writer)
    await engine.run()
    return engine.exit_status


def main() -> NoReturn:
    parser = argparse.ArgumentParser(prog="charrnn.engine")
    parser.add_argument("--connection", type=int, required=True)
    status = asyncio.run(serve(parser.parse_args().connection))
    # All is written and said. The sampler's thread may still be loading torch, and an interpreter that is taken apart
    # under it aborts.
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
