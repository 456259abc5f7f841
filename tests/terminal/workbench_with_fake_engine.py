"""`charrnn-tui` as it is, but with the fake engine in place of the real one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from charrnn.engine import client, wire
from charrnn.engine.messages import Hello, RunRequest, Start

FAKE = os.environ.get("FAKE_ENGINE") or str(Path(__file__).parents[1] / "tui" / "fake_engine.py")


def launch(request: RunRequest) -> client.Launched:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, FAKE, "--connection", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    ours.sendall(wire.frame(Hello()) + wire.frame(Start(request)))
    return client.Launched(process, ours)


if __name__ == "__main__":
    client.launch = launch
    from tui import pulse
    from tui.__main__ import main

    if os.environ.get("FAKE_SLOW"):
        pulse.QUICK = pulse.SLOW

    sys.exit(main())
