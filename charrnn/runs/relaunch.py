"""Which run a torchrun trains, so that its restarted workers go on with that run instead of beginning another.

`torchrun --max-restarts` starts every worker again with the command line of the first time, on which a new run has no
name yet. A line in the folder of this user's sockets holds it for as long as the launch lives; a restart on another
machine does not see it. No torch here.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from charrnn.runs.directory import CONFIG, socket_folder
from charrnn.torchrun import launch_identity


def _note() -> Path | None:
    identity = launch_identity()
    if identity is None:
        return None
    return socket_folder() / f"{hashlib.sha256(os.fsencode(identity)).hexdigest()[:24]}.torchrun"


def remember(run: Path) -> None:
    """Once the run's folder is there. Without torchrun it does nothing."""
    note = _note()
    if note is not None:
        note.write_text(str(run), encoding="utf-8")


def recall() -> Path | None:
    """The run that an earlier attempt of this launch began, None if there was none."""
    note = _note()
    if note is None or not note.is_file():
        return None
    run = Path(note.read_text(encoding="utf-8"))
    return run if (run / CONFIG).is_file() else None


def forget() -> None:
    """Once the run is done: there is nothing to go on with."""
    note = _note()
    if note is not None:
        note.unlink(missing_ok=True)
