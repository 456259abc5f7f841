"""Do units of a trained network mean something? How well the best of them tell each property of held-out text.

    python -m tests.benchmarks.units CORPUS [--cell lstm] [--minutes 10] [--threads 2]
    python -m tests.benchmarks.units --run RUN

Trains an LSTM of 256 (or takes a run's best checkpoint) and ranks its units over 20 passages of held-out text; then the
same network over the same characters shuffled; then, without --run, one that was trained as long on a shuffled corpus.
AUCs are of the unit or its opposite, whichever tells more; `after the same character` compares only such places.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from charrnn.config import ModelConfig, TrainingConfig
from charrnn.insight.units.ranking import PASSAGES, WARM_UP, Ranking, in_rounds
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.saved_model import load_model
from charrnn.text.corpus import load_corpus
from charrnn.text.sources import read_source
from charrnn.text.vocabulary import Vocabulary, vocabulary_of
from charrnn.training.trainer import Trainer

LENGTH = 1_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus", nargs="?")
    parser.add_argument("--run", type=Path)
    parser.add_argument("--cell", default="lstm")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.run:
        saved = load_model(arguments.run)
        corpus = load_corpus(saved.config.corpus)
        text = corpus.vocabulary.decode(corpus.held_out_ids)
        show("the run, over held-out text", saved.model, saved.vocabulary, text)
        show("the same network, over it shuffled", saved.model, saved.vocabulary, shuffled(text))
        return
    text = read_source(arguments.corpus).text
    cut = len(text) * 9 // 10
    model, vocabulary = trained(text[:cut], text[cut:], arguments.cell, arguments.minutes, arguments.threads)
    show("held-out text", model, vocabulary, text[cut:])
    show("the same network, over it shuffled", model, vocabulary, shuffled(text[cut:]))
    noise = shuffled(text)
    model, vocabulary = trained(noise[:cut], noise[cut:], arguments.cell, arguments.minutes, arguments.threads)
    show("a network trained on shuffled text, over such", model, vocabulary, noise[cut:])


def shuffled(text: str) -> str:
    letters = list(text)
    random.Random(1).shuffle(letters)
    return "".join(letters)


def trained(text: str, held_out: str, cell: str, minutes: float, threads: int) -> tuple[LanguageModel, Vocabulary]:
    vocabulary = vocabulary_of("char", [text, held_out], None)
    config = TrainingConfig(batch=32, length=64, threads=threads)
    torch.manual_seed(config.seed)
    model = LanguageModel(len(vocabulary), ModelConfig(cell=cell, hidden=256, embedding=64))  # type: ignore[arg-type]
    trainer = Trainer(model, vocabulary.encode(text), vocabulary.encode(held_out), config, "cpu", vocabulary)
    end = time.monotonic() + 60 * minutes
    while time.monotonic() < end:
        trainer.step()
    return model.eval(), vocabulary


def show(title: str, model: LanguageModel, vocabulary: Vocabulary, text: str) -> None:
    places = np.linspace(0, max(0, len(text) - LENGTH - WARM_UP), PASSAGES, dtype=int)
    ranking = Ranking(model, vocabulary, [text[at : at + LENGTH + WARM_UP] for at in places])
    begun = time.process_time()
    for _ in ranking.pieces():
        pass
    print(f"\n{title}: {ranking.characters:,} characters, ranked in {time.process_time() - begun:.1f} s of one core")
    every = ranking.all_scores()
    print(f"{'property':20}{'best AUC':>10}  unit{'after the same character':>30}{'score':>8}")
    for one in ranking.properties:
        scores = [score for unit in every for score in unit if score.tells == one.name]
        best = max(scores, key=lambda score: abs(score.auc - 0.5))
        known = max(scores, key=lambda score: score.score)
        print(
            f"{one.name:20}{folded(best.auc):>10.3f}  {best.name:10}"
            f"{folded(known.among_same):>24.3f}{known.score:>8.2f}"
        )
    top: Sequence[str] = [f"{scores[0].name} {scores[0].tells}" for scores in in_rounds(every)[:10]]
    print("the first ten: " + ", ".join(top))


def folded(auc: float) -> float:
    return max(auc, 1 - auc)


if __name__ == "__main__":
    main()
