"""What looking for copies costs: an index of 1 MB to 100 MB of text, its memory, and how many characters are looked up.

    python -m tests.benchmarks.copying [FILE] [--sizes 1,20,100] [--characters 100000]

FILE is a text (default: made-up prose) that is repeated, with other words in between, until it has the size. The index
is made as the engine has it made, by `charrnn.insight.copying.kept.make` in a process of its own; its memory is the
largest that process had (code, mapped text and all), also less what it has before it begins. What is looked up is made
of pieces of the text of 1 to 60 characters, and of prose that is not in it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MAKE = """
import json, sys, time
import numpy as np
import pydivsufsort
from pathlib import Path
from charrnn.insight.copying import kept
from charrnn.text.stored import mapped
from charrnn.text.vocabulary import Bytes

def peak():
    # Not that of getrusage, which begins with that of the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))

base = peak()
with open(sys.argv[1], "rb") as file:
    ids = mapped(file, np.uint8, int(sys.argv[3]))
begun = time.perf_counter()
kept.make(Path(sys.argv[2]), Bytes(), ids)
print(json.dumps({"seconds": time.perf_counter() - begun, "base": base, "peak": peak()}))
"""


def prose(characters: int, seed: int) -> str:
    """Made-up words, drawn as unevenly as those of a language."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("etaoinshrdlucmfwypvbgk", k=chance.randrange(2, 9))) for _ in range(20_000)]
    weights = [1 / (number + 1) for number in range(len(words))]
    drawn = chance.choices(words, weights, k=characters // 4)
    return " ".join(drawn)[:characters]


def corpus_of(source: str, size: int) -> str:
    """A text of so many characters: `source` again and again, with new prose between."""
    parts, length, seed = [], 0, 1
    while length < size:
        parts += [source, prose(max(1000, min(len(source), size // 2)), seed)]
        length += len(parts[-1]) + len(parts[-2])
        seed += 1
    return "".join(parts)[:size]


def queries(text: str, characters: int) -> str:
    """Pieces of the text and of other prose in turn."""
    chance, other, made, length = random.Random(5), prose(characters, 99), [], 0
    while length < characters:
        at = chance.randrange(len(text))
        made.append(text[at : at + chance.randrange(1, 60)])
        made.append(other[length : length + chance.randrange(1, 20)])
        length += len(made[-1]) + len(made[-2])
    return "".join(made)[:characters]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--sizes", default="1,20,100")
    parser.add_argument("--characters", type=int, default=100_000)
    asked = parser.parse_args()
    from charrnn.insight.copying import kept
    from charrnn.insight.copying.matching import copies

    source = asked.file.read_text(encoding="utf-8") if asked.file else prose(500_000, 0)
    print("| text | indexed | memory | over the base | times the text | opened | looked up |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for megabytes in map(int, asked.sizes.split(",")):
            text = corpus_of(source, megabytes * 10**6)
            data = text.encode()
            (folder / "text").write_bytes(data)
            place = folder / f"{megabytes}.index"
            words = [sys.executable, "-c", MAKE, str(folder / "text"), str(place), str(len(data))]
            done = subprocess.run(words, check=True, capture_output=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
            made = json.loads(done.stdout)
            asking = queries(text, asked.characters)
            size = len(data)
            del text, data
            begun = time.perf_counter()
            index = kept.open_kept(place)
            assert index is not None
            opened = time.perf_counter() - begun
            begun = time.perf_counter()
            found = copies(index, asking)
            rate = len(asking) / (time.perf_counter() - begun)
            over = made["peak"] - made["base"]
            print(
                f"| {megabytes} MB | {made['seconds']:.2f} s | {made['peak'] / 1e6:.0f} MB | {over / 1e6:.0f} MB "
                f"| {over / size:.1f} | {1000 * opened:.1f} ms | {rate:,.0f} characters/s, {len(found):,} copies |",
                flush=True,
            )
            del index
            place.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
