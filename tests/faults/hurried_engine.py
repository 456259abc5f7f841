"""`python -m charrnn.engine`, but with a checkpoint every second, so that a clock that is set meets some."""

from __future__ import annotations

import sys
from dataclasses import fields
from typing import Any

from charrnn.config import TrainingConfig
from charrnn.engine import __main__, supervisor

EVERY = 1.0


def options() -> dict[str, Any]:
    """What a request has to ask for besides."""
    return {"save_every": EVERY} if "save_every" in {field.name for field in fields(TrainingConfig)} else {}


if __name__ == "__main__":
    if hasattr(supervisor, "CHECKPOINT_EVERY"):
        supervisor.CHECKPOINT_EVERY = EVERY
    sys.exit(__main__.main())
