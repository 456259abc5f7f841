"""Measures every row of the table, and prints it.

    python -m tests.benchmarks.terminal [--only WORD] [--few] [--times N] [--seed N]

The exit status is 1 if any figure was missed. The whole table takes about half an hour, `--few` some three minutes.
Clock and processor time are this machine's at that moment; bytes, characters and exceptions are counts.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.terminal import fuzz, fuzz_program, line, long_session, starting, storms, streaming, views
from tests.faults.promise import Promise

MODULES = (line, starting, streaming, long_session, fuzz, fuzz_program, storms, views)


def rows() -> list[Promise]:
    return sorted((row for module in MODULES for row in module.ROWS), key=lambda row: row.row)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="WORD", default="", help="the rows with this in their name")
    parser.add_argument("--few", action="store_true", help="the short form of each")
    parser.add_argument("--times", metavar="N", type=int, help="so many seconds, strings, sizes or presses each")
    parser.add_argument("--seed", metavar="N", type=int, default=1)
    arguments = parser.parse_args()
    chosen = [row for row in rows() if arguments.only.lower() in row.name.lower()]
    if not chosen:
        parser.error(f"no row has {arguments.only!r} in its name")
    missed = 0
    print(f"(seed {arguments.seed})\n\n| | figure | seen | tried | took |\n|---|---|---|---|---|", flush=True)
    for row in chosen:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="charrnn-terminal-") as folder:
            times = arguments.times or (row.few if arguments.few else row.often)
            outcome = row.keep(times, Path(folder), arguments.seed)
        took = f"{time.monotonic() - begun:,.0f} s"
        print(f"| {row.name} | {row.figure} | {outcome.measured} | {outcome.tried:,} | {took} |", flush=True)
        for words in outcome.broken:
            missed += 1
            print(f"missed: {row.name}: {words}", file=sys.stderr, flush=True)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
