"""How long a start takes, and what memory it costs, with corpora of 1 MB to 1 GB.

    python -m tests.benchmarks.corpus_sizes [FOLDER] [--sizes 1,10,100,1000] [--steps 4000]

Makes the corpora in FOLDER (default: a temporary one), trains on each twice with `charrnn train`, with an empty cache
and with the cache that the first start left, and prints a table. Seconds are from the command to the corpus's line and
to the model's. Memory is the largest that the engine, its trainer and what measures the baselines took together, less
what a process with torch and numpy takes: what is theirs alone (anonymous pages); that and the pages of mapped files,
each once, as they lie in memory; and the sum of what the system says of each, which counts torch's code for every
process that has it mapped.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

MODEL = ["--hidden", "64", "--embedding", "16", "--batch", "16", "--length", "64", "--threads", "1"]
AT_REST = 2.5  # seconds: a file that has just been written is not trusted to be at rest


def make_corpus(path: Path, megabytes: int, seed: int = 7) -> None:
    """Made-up prose in UTF-8, every megabyte another one out of some twenty."""
    chance = random.Random(seed)
    letters = "etaoinshrdlucmfwypvbgkjqxzéüø"
    words = ["".join(chance.choices(letters, k=chance.randrange(2, 11))) for _ in range(5000)]
    blocks = []
    for _ in range(min(20, megabytes)):
        text = " ".join(chance.choices(words, k=190_000)).encode()
        blocks.append(text[: 10**6 - 1].decode(errors="ignore").encode() + b"\n")
    with path.open("wb") as file:
        for _ in range(megabytes):
            file.write(chance.choice(blocks))


def of_files(pids: list[int]) -> int:
    """Bytes of mapped files' pages that some process has in memory: a part of a file that several have counts once."""
    found: dict[tuple[str, ...], int] = {}
    for pid in pids:
        part: tuple[str, ...] | None = None
        try:
            lines = Path(f"/proc/{pid}/smaps").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            continue
        size = own = 0
        for line in [*lines, "0-0 end 0 0 0"]:
            word, _, rest = line.partition(" ")
            if word == "Rss:":
                size = int(rest.split()[0])
            elif word == "Anonymous:":
                own = int(rest.split()[0])
            elif not word.endswith(":"):
                if part is not None:
                    found[part] = max(found.get(part, 0), size - own)
                fields = rest.split()
                part = (*fields[1:4], fields[0]) if len(fields) > 4 and fields[3] != "0" else None
                size = own = 0
    return sum(found.values()) * 1024


def memory(pid: int) -> tuple[int, int]:
    """What a process takes, in bytes: what is its own, and with mapped files' pages."""
    own = both = 0
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    for line in lines:
        if line.startswith(("RssAnon:", "RssShmem:")):
            own += int(line.split()[1]) * 1024
        elif line.startswith("VmRSS:"):
            both = int(line.split()[1]) * 1024
    return own, both


def children(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def of_torch() -> tuple[int, int, int]:
    """What a process takes that has imported torch and numpy, and done nothing else."""
    code = "import numpy, torch, sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        own, both = memory(process.pid)
        files = of_files([process.pid])
        process.communicate()
    return own, own + files, both


@dataclass
class Start:
    corpus: float = 0.0
    model: float = 0.0
    rate: str = ""
    own: int = 0
    once: int = 0
    both: int = 0
    lines: list[str] = field(default_factory=list)


def start(path: Path, runs: Path, cache: Path, steps: int) -> Start:
    """One run of so many steps."""
    found = Start()
    command = [sys.executable, "-m", "charrnn", "train", str(path), *MODEL, "--steps", str(steps)]
    command += ["--evaluate-every", "0", "--runs-folder", str(runs)]
    begun = time.perf_counter()
    environment = {**os.environ, "CHARRNN_CACHE": str(cache)}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) as process:

        def watch() -> None:
            for turn in itertools.count():
                if process.poll() is not None:
                    return
                pids = [process.pid, *children(process.pid)]
                each = [memory(pid) for pid in pids]
                own = sum(own for own, _ in each)
                found.own = max(found.own, own)
                found.both = max(found.both, sum(both for _, both in each))
                if turn % 10 == 0:
                    found.once = max(found.once, own + of_files(pids))
                time.sleep(0.02)

        watcher = threading.Thread(target=watch)
        watcher.start()
        assert process.stderr is not None
        for line in process.stderr:
            found.lines.append(line)
            if line.startswith("corpus "):
                found.corpus = time.perf_counter() - begun
            elif line.startswith("model "):
                found.model = time.perf_counter() - begun
            elif line.startswith("step "):
                found.rate = line.split()[-2]
        watcher.join()
    if process.returncode:
        sys.exit("".join(found.lines))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--sizes", default="1,10,100,1000", help="megabytes")
    parser.add_argument("--steps", type=int, default=4_000, help="long enough for the baselines to be measured too")
    arguments = parser.parse_args()
    alone = of_torch()
    print("torch and numpy alone: {:.0f} MB, {:.0f} with files, {:.0f} as counted".format(*(n / 1e6 for n in alone)))
    print("   MB  start   corpus    model   own memory   with files    as counted   characters/s")
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        for size in map(int, arguments.sizes.split(",")):
            path = Path(folder, f"corpus-{size}.txt")
            make_corpus(path, size, seed=time.time_ns())  # a new one: its baselines are not known from an earlier day
            time.sleep(AT_REST)
            cache = Path(folder, f"cache-{size}")
            for name in ("first", "second"):
                found = start(path, Path(folder, "runs"), cache, arguments.steps)
                taken = zip((found.own, found.once, found.both), alone, strict=True)
                words = " ".join(f"{(own - torch) / 1e6:9.0f} MB" for own, torch in taken)
                print(
                    f"{size:5} {name:>6} {found.corpus:7.2f}s {found.model:7.2f}s {words} {found.rate:>14}", flush=True
                )
            path.unlink()


if __name__ == "__main__":
    main()
