"""What looking back costs: the bytes of fifty milestones, opening one, and what taking one costs training.

    python -m tests.benchmarks.travel [--preset auto] [--rounds 3]

A run of the preset's network for a megabyte of text on a CPU gets 50 milestones of random weights. Each round opens all
of them with one network, as time travel does: manifest and vocabulary read, every byte's digest compared, weights
loaded. `first` is with the network still to be made, `waits` how long training waits for a milestone to be copied.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median, quantiles
from types import SimpleNamespace
from typing import Any, cast

import torch

from charrnn.config import CorpusConfig
from charrnn.engine.milestone_writer import MilestoneWriter
from charrnn.insight.eras import kept_states
from charrnn.insight.travel import Traveller
from charrnn.model.language_model import LanguageModel, count_parameters, summary
from charrnn.presets import resolve
from charrnn.runs.directory import RunFolder
from charrnn.runs.milestone_file import save_milestone
from charrnn.text.vocabulary import Characters

COUNT, CHARACTERS = 50, 1_000_000
SYMBOLS = "".join(map(chr, range(0x20, 0x7F))) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--preset", default="auto", choices=["auto", "fast", "large", "lecture"])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    corpus = CorpusConfig(source="-", name="benchmark")
    config = resolve({"preset": arguments.preset}, corpus=corpus, characters=CHARACTERS, device="cpu", cores=1)
    vocabulary = Characters.of_text(SYMBOLS)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        RunFolder.create(run, config).close()
        model = LanguageModel(len(vocabulary), config.model)
        written, facts = [], vocabulary.facts()
        for step in range(COUNT):
            begun = time.perf_counter()
            weights = model.state_dict()
            save_milestone(run, step=step, chars=step, model=weights, val_loss=None, vocabulary=facts)
            written.append(time.perf_counter() - begun)
        size = sum(path.stat().st_size for path in (run / "milestones").rglob("*") if path.is_file())
        states = kept_states(run)
        begun = time.perf_counter()
        traveller = Traveller.of_state(run, states[0])
        traveller.open(states[0])
        first = time.perf_counter() - begun
        opened = []
        for _ in range(arguments.rounds):
            for state in states:
                begun = time.perf_counter()
                traveller.open(state)
                opened.append(time.perf_counter() - begun)
        waits = _waits(model, Path(folder) / "other")
    print(f"{arguments.preset}: {summary(config.model)}, {count_parameters(model):,} parameters")
    print(f"{COUNT} milestones   {size / 1e6:7.1f} MB")
    print(f"first opened     {1000 * first:7.1f} ms")
    last = quantiles(opened, n=20)[-1]
    print(f"opened           {1000 * median(opened):7.1f} ms (95 % within {1000 * last:.1f}, at most {_most(opened)})")
    print(f"written          {1000 * median(written):7.1f} ms (at most {_most(written)}), beside training")
    print(f"training waits   {1000 * median(waits):7.2f} ms (at most {_most(waits)})")


def _most(seconds: list[float]) -> str:
    return f"{1000 * max(seconds):.1f} ms"


def _waits(model: LanguageModel, run: Path) -> list[float]:
    """Seconds that each of some milestones keeps training waiting."""
    run.mkdir()
    writer = MilestoneWriter(run, COUNT, {}, step=0)
    waits = []
    for step in range(0, 400, 40):
        trainer = cast(Any, SimpleNamespace(steps_done=step, chars_done=step, evaluated_model=model))
        begun = time.perf_counter()
        writer.look(trainer, None)
        waits.append(time.perf_counter() - begun)
        time.sleep(0.1)
    writer.close()
    return waits


if __name__ == "__main__":
    main()
