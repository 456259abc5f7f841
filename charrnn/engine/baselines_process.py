"""Measures a corpus's baselines in a process of its own, beside training and at its expense as little as can be.

    python -m charrnn.engine.baselines_process < REQUEST

REQUEST is a JSON object {"training": …, "held_out": …, "alphabet": …}; the figures, or {"problem": a sentence}, come
on standard output as another.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys

import msgspec

from charrnn.config import UsageError
from charrnn.text.measuring import measure

NICENESS = 10
"""At this one it gets a tenth of a core that training wants too, and is done within half a minute all the same."""


def main() -> int:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    sys.stdin.buffer.seek(0)  # a file that was just written, and is ours at the place where the writing ended
    request = json.loads(sys.stdin.buffer.read())
    try:
        answer = msgspec.json.encode(measure(**request))
    except UsageError as error:
        answer = msgspec.json.encode({"problem": str(error)})
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
