"""Where this process sits among those that one `torchrun` started. No torch here.

torchrun says it in the environment (docs.pytorch.org, "torchrun (Elastic Launch)"); without it, a process is alone.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Seat:
    """`rank` of `size` processes, `local_rank` of `local_size` on this machine; all count from 0."""

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1


def seat(environment: Mapping[str, str] | None = None) -> Seat:
    """This process's; alone where no torchrun, or one of a single process, started it."""
    given = os.environ if environment is None else environment
    if "TORCHELASTIC_RUN_ID" not in given:
        return Seat()
    rank, size, local_rank, local_size = (
        int(given.get(name, default))
        for name, default in (("RANK", "0"), ("WORLD_SIZE", "1"), ("LOCAL_RANK", "0"), ("LOCAL_WORLD_SIZE", "1"))
    )
    return Seat(rank, size, local_rank, local_size) if size > 1 else Seat()


def launch_identity() -> str | None:
    """The same for every process that one torchrun starts on this machine, over its restarts; None without torchrun.

    Its run id alone may be used again, or be "none"; with the torchrun process itself it is not.
    """
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        return None
    agent = os.getppid()
    try:  # when it was started, in ticks since boot: process ids come round again
        started = Path(f"/proc/{agent}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        started = ""
    return " ".join((os.environ["TORCHELASTIC_RUN_ID"], socket.gethostname(), str(agent), started))


def wait_to_be_ended() -> None:
    """Until torchrun, which ends all processes when one has failed, ends this one; half a minute at most.

    So the one that has something to say can say it: the first that goes takes the others along.
    """
    time.sleep(30)
