"""Tries every promise as often as it says, and prints what came of it.

    python -m tests.faults [--only WORD] [--few] [--times N] [--seed N]

The exit status is 1 if any was broken. A row takes from seconds to a quarter of an hour; `--few` is what the tests'
command does.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import pytest

from tests.faults.promise import Outcome, promises


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="the promises with this in their name")
    parser.add_argument("--few", action="store_true", help="as few times as the tests' command")
    parser.add_argument("--times", metavar="N", type=int, help="so many times each")
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [promise for promise in promises() if arguments.only.lower() in promise.name.lower()]
    if not chosen:
        parser.error(f"no promise has {arguments.only!r} in its name")
    status = 0
    print("| promise | figure | tried | kept | seen | took |\n|---|---|---|---|---|---|", flush=True)
    for promise in chosen:
        times = arguments.times or (promise.few if arguments.few else promise.often)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="charrnn-faults-") as folder:
            try:
                outcome = promise.keep(times, Path(folder), arguments.seed)
            except pytest.skip.Exception as reason:
                outcome = Outcome(0, f"not tried: {reason}")
        took = f"{time.monotonic() - begun:,.0f} s"
        cells = (promise.name, promise.figure, f"{outcome.tried:,}", f"{outcome.kept:,}", outcome.measured, took)
        print("| " + " | ".join(cells) + " |", flush=True)
        for words in outcome.broken:
            status = 1
            print(f"broken: {words}", file=sys.stderr, flush=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
