"""Measures a corpus's baselines in a process of its own, beside training and at its expense as little as can be.

    python -m charrnn.engine.baselines_process < REQUEST

REQUEST is a file: a line with a JSON object {"training": bytes, "held_out": bytes, "alphabet": …}, then both texts in
UTF-8, so many bytes each. The figures, or {"problem": a sentence}, come on standard output as another object.
"""

from __future__ import annotations

import contextlib
import json
import mmap
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
    request = mmap.mmap(sys.stdin.fileno(), 0, access=mmap.ACCESS_READ)
    begin = request.find(b"\n") + 1
    what = json.loads(request[:begin])
    cut, end = begin + what["training"], begin + what["training"] + what["held_out"]
    texts = memoryview(request)
    try:
        answer = msgspec.json.encode(measure(texts[begin:cut], texts[cut:end], what["alphabet"]))
    except UsageError as error:
        answer = msgspec.json.encode({"problem": str(error)})
    sys.stdout.buffer.write(answer)
    return 0


if __name__ == "__main__":
    sys.exit(main())
