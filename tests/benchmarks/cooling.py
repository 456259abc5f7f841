"""What a cool-down and averaged weights are worth: held-out losses of the same run with and without, for three seeds.

    python -m tests.benchmarks.cooling CORPUS [--steps 1000] [--seeds 3] [--share 0.25]

The runs with and without a cool-down are one until it begins. Steps are counted, not time: another load on the machine
changes nothing but the waiting. Also what the average and the guard's snapshots cost, in process time.
"""

from __future__ import annotations

import argparse
import time
from statistics import mean

import torch

from charrnn.presets import corpus_config, resolve
from charrnn.text.corpus import load_corpus
from charrnn.training.averaging import EVERY, AveragedModel
from charrnn.training.evaluation import stream_loss
from charrnn.training.guard import EVERY as SNAPSHOT_EVERY
from charrnn.training.trainer import Trainer, build

DECAYS = (0.9, 0.99, 0.999)


def trained(trainer: Trainer, averages: list[AveragedModel], steps: int) -> None:
    for _ in range(steps):
        trainer.step()
        for average in averages:
            average.after_step(trainer.steps_done)


def milliseconds(work: object, times: int = 50) -> float:
    begun = time.process_time()
    for _ in range(times):
        work()  # type: ignore[operator]
    return (time.process_time() - begun) / times * 1e3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.25)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows: dict[str, list[list[float]]] = {"stable": [], "cooled": []}
    for seed in range(1, arguments.seeds + 1):
        options = {"seed": seed, "threads": 1}
        settings = corpus_config(options, source=arguments.corpus, name="corpus")
        corpus = load_corpus(settings)
        config = resolve(options, corpus=settings, characters=corpus.held_out_at, device="cpu", cores=1)
        trainer = build(config, corpus)
        averages = [AveragedModel(trainer.model, decay) for decay in DECAYS]
        cooling = round(arguments.share * arguments.steps)
        trained(trainer, averages, arguments.steps - cooling)
        fork = (
            trainer.snapshot(),
            [({k: t.clone() for k, t in a.model.state_dict().items()}, a.updates) for a in averages],
        )
        for name in rows:
            trainer.go_back(fork[0])
            for average, (weights, updates) in zip(averages, fork[1], strict=True):
                average.model.load_state_dict(weights)
                average.updates = updates
            if name == "cooled":
                trainer.cool_down(cooling)
            trained(trainer, averages, cooling)
            models = [trainer.model, *(average.model for average in averages)]
            rows[name].append([stream_loss(model, corpus.held_out_ids, segments=32) for model in models])
            print(f"seed {seed}, {name}: " + "  ".join(f"{loss:.4f}" for loss in rows[name][-1]), flush=True)
    print(
        f"\n| {arguments.steps} steps | newest weights | " + " | ".join(f"average {decay}" for decay in DECAYS) + " |"
    )
    print("|---" * (2 + len(DECAYS)) + "|")
    for name, losses in rows.items():
        columns = zip(*losses, strict=True)
        cells = [f"{mean(column):.4f} ({min(column):.4f} – {max(column):.4f})" for column in columns]
        print(f"| {name} | " + " | ".join(cells) + " |")
    step = milliseconds(trainer.step, 20)
    average_ms, snapshot = milliseconds(averages[0].update), milliseconds(trainer.snapshot)
    print(f"\na step {step:.1f} ms; the average {average_ms:.2f} ms every {EVERY} steps; ", end="")
    print(f"a snapshot {snapshot:.2f} ms every {SNAPSHOT_EVERY} steps (process time)")


if __name__ == "__main__":
    main()
