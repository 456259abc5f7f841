"""How a training step fares with OpenMP's threads and with a share of the batch each, alone and beside a busy process.

    python -m tests.benchmarks.threads [--seconds 4]

Each figure is the mean time of a step in a process of its own; the rows are interleaved, so that a noisy machine
spoils all of them alike. The busy process is an endless loop in Python, one core's worth.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

CHILD = """
import sys, time
from dataclasses import replace
import torch
from charrnn.config import CorpusConfig, RunConfig
from charrnn.presets import corpus_config, resolve
from charrnn.text.corpus import load_corpus
from charrnn.training.trainer import build

preset, threads, seconds, shards = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
options = {"preset": preset, "threads": threads}
corpus = load_corpus(corpus_config(options, source="python-docs", name="python-docs"))
config = resolve(options, corpus=corpus_config(options, source="python-docs", name="python-docs"),
                 characters=corpus.held_out_at, device="cpu", cores=threads)
torch.set_num_threads(threads)
trainer = build(replace(config, training=replace(config.training, threads=threads if shards else 1)), corpus)
torch.set_num_threads(threads)
trainer.step()
begun, count = time.perf_counter(), 0
while time.perf_counter() - begun < seconds:
    trainer.step()
    count += 1
print((time.perf_counter() - begun) / count * 1e3)
"""
BUSY = "import time\nend = time.time() + 600\nwhile time.time() < end: pass"
WAYS = {
    "1 thread": (1, {}, 0),
    "OpenMP, spinning": (0, {}, 0),
    "OpenMP, passive": (0, {"OMP_WAIT_POLICY": "PASSIVE"}, 0),
    "a share each (charrnn)": (0, {"OMP_WAIT_POLICY": "PASSIVE"}, 1),
}


def step_ms(preset: str, threads: int, environment: dict[str, str], seconds: float, shards: int) -> float:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, preset, str(threads), str(seconds), str(shards)],
        env={**{k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for beside in (False, True):
        busy = subprocess.Popen([sys.executable, "-c", BUSY]) if beside else None
        try:
            found: dict[tuple[str, str], list[float]] = {}
            for _ in range(arguments.rounds):
                for preset in ("auto", "lecture"):
                    for way, (threads, environment, shards) in WAYS.items():
                        took = step_ms(preset, threads or cores, environment, arguments.seconds, shards)
                        found.setdefault((preset, way), []).append(took)
        finally:
            if busy is not None:
                busy.kill()
                busy.wait()
        print("beside a busy process" if beside else "alone", f"({cores} cores), milliseconds a step")
        for (preset, way), times in found.items():
            print(f"  {preset:8} {way:24} {min(times):9.1f} – {max(times):.1f}")


if __name__ == "__main__":
    main()
