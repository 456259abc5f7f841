"""What kinds of tokens, and how many words, learn most in the same time: the same LSTM, one core, one run.

    python -m tests.benchmarks.tokens CORPUS [--seconds 90]

Prints the held-out loss (`stream`, nats per character) after every sixth of the time. Seconds are the process's own,
evaluations left out, so that other work on the machine does not count. The last rows cut the text otherwise: with the
space between two words as a token of its own.
"""

from __future__ import annotations

import argparse
import re
import time

import torch

from charrnn.config import ModelConfig, Tokens, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.text.sources import read_source
from charrnn.text.vocabulary import Vocabulary, vocabulary_of, words
from charrnn.training.trainer import Trainer

CASES: list[tuple[Tokens, int | None]] = [
    ("char", None),
    ("byte", None),
    ("word", 1_000),
    ("word", 2_000),
    ("word", 4_000),
    ("word", 20_000),
]
SPACES_APART = re.compile(r"\w{1,32}|[^\w\s]| {1,32}|\n{1,32}|\t{1,32}|\s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--seconds", type=float, default=90.0)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    text = read_source(arguments.corpus).text
    print(f"{'tokens':28}{'size':>8}{'steps':>8}{'passes':>8}   held-out loss by time")
    for tokens, most in CASES:
        measure(f"{tokens} {most or ''}", vocabulary_of(tokens, [text], most), text, arguments.seconds)
    words._TOKEN = SPACES_APART
    for most in (2_000, 20_000):
        measure(f"word {most}, spaces apart", vocabulary_of("word", [text], most), text, arguments.seconds)


def measure(name: str, vocabulary: Vocabulary, text: str, seconds: float) -> None:
    cut = len(text) * 9 // 10
    spelled_by_words = vocabulary.unit == "word"
    config = TrainingConfig(batch=32, length=32 if spelled_by_words else 64, threads=1)
    torch.manual_seed(config.seed)
    model = LanguageModel(
        len(vocabulary), ModelConfig(hidden=256, embedding=128 if spelled_by_words else 64, dropout=0.2)
    )
    parts = vocabulary.encode(text[:cut]), vocabulary.encode(text[cut:])
    trainer = Trainer(model, *parts, config, "cpu", vocabulary)
    losses: list[float | None] = []
    spent = 0.0
    while len(losses) < 6:
        begun = time.process_time()
        trainer.step()
        spent += time.process_time() - begun
        if spent >= seconds * (len(losses) + 1) / 6:
            losses.append(trainer.evaluate())
    shown = "  ".join(f"{loss:.3f}" for loss in losses if loss is not None)
    print(f"{name:28}{len(vocabulary):8,}{trainer.steps_done:8,}{trainer.passes:8.2f}   {shown}", flush=True)


if __name__ == "__main__":
    main()
