"""Whether a character costs the same however long the portions are and however large the corpus is.

    python -m tests.benchmarks.flat [FOLDER] [--sizes 1,10,100,1000] [--lengths 64,128,256] [--rounds 3] [--steps 600]

`charrnn train --preset fast` on made corpora (see corpus_sizes.py), turn by turn, `--steps` at the first length and as
many characters at the others: once with the same number of streams, so that a step has more characters, and once with
as many characters a step, so that there are fewer streams. Microseconds of training a character, from the run's
metrics, without its first fifth; each median (lowest - highest) of the rounds, and the median of its ratio to the first
case of the same round.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.corpus_sizes import make_corpus

STREAMS = 32


def microseconds(corpus: Path, length: int, streams: int, steps: int, folder: Path) -> float:
    """Of training, a character."""
    with tempfile.TemporaryDirectory(dir=folder) as runs:
        run = Path(runs, "run")
        command = [sys.executable, "-m", "charrnn", "train", str(corpus), "--run", str(run), "--preset", "fast"]
        command += [
            "--length",
            str(length),
            "--batch",
            str(streams),
            "--steps",
            str(steps),
            "--evaluate-every",
            "0",
            "--dropout",
            "0.1",
            "--noise",
            "0.02",
        ]
        environment = {**os.environ, "CHARRNN_CACHE": str(folder / "cache")}
        subprocess.run(command, env=environment, capture_output=True, check=True)
        lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    first, last = next(line for line in lines if line["step"] >= steps // 5), lines[-1]
    return float(1e6 * (last["seconds"] - first["seconds"]) / (last["chars"] - first["chars"]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--sizes", default="1,10,100,1000")
    parser.add_argument("--lengths", default="64,128,256")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=600)
    arguments = parser.parse_args()
    sizes, lengths = ([int(word) for word in words.split(",")] for words in (arguments.sizes, arguments.lengths))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        folder = Path(temporary)
        (folder / "cache").mkdir(mode=0o700)
        for size in sizes:
            make_corpus(folder / f"{size}.txt", size)
        cases = [(size, lengths[0], STREAMS) for size in sizes]
        cases += [(sizes[0], length, STREAMS) for length in lengths[1:]]
        cases += [(sizes[0], length, STREAMS * lengths[0] // length) for length in lengths[1:]]
        found: dict[tuple[int, int, int], list[float]] = {case: [] for case in cases}
        for _ in range(arguments.rounds):
            for size, length, streams in cases:
                steps = arguments.steps * lengths[0] * STREAMS // (length * streams)
                took = microseconds(folder / f"{size}.txt", length, streams, steps, folder)
                found[size, length, streams].append(took)
        base = found[cases[0]]
        for (size, length, streams), times in found.items():
            ratio = statistics.median(one / first for one, first in zip(times, base, strict=True))
            span = f"{statistics.median(times):.2f} ({min(times):.2f} - {max(times):.2f})"
            case = f"{size:5} MB, length {length:4}, {streams:2} streams"
            print(f"{case}: {span:>24} µs a character, ratio {ratio:.3f}", flush=True)


if __name__ == "__main__":
    main()
