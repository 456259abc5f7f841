"""What this machine has, as far as it can be told without loading torch."""

from __future__ import annotations

import os
import sys


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def may_have_gpu() -> bool:
    """Whether it is worth asking torch for a GPU: a driver of NVIDIA's or AMD's is there, or this is a Macintosh."""
    return sys.platform == "darwin" or any(map(os.path.exists, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")))
