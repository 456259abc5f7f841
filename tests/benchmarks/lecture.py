"""The lecture's recipe as its own LSTMCell loop, as `--cell lstmcell` and as the preset's fused LSTM, side by side.

    python -m tests.benchmarks.lecture CORPUS [--iterations 5000]
    python -m tests.benchmarks.lecture CORPUS --rounds 9 [--cpu-time]

Same text (folded to ASCII), same first weights, same portions. Prints iterations a second of each, their ratios, the
mean loss over the last tenth of the iterations, and 200 characters that the preset's model writes after "Th".

With --rounds the loop and the preset take turns in short bursts, and so do the lecture's way of writing text and ours:
the median ratio over the rounds, the lowest and the highest. `--cpu-time` counts only the time that the process was
given, for a machine that does other things too.
"""

from __future__ import annotations

import argparse
import statistics
import string
import time
from collections.abc import Callable
from dataclasses import replace

import torch

from charrnn.config import Cell, Knobs
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.stream import TextStream
from charrnn.text.sources import read_source
from charrnn.text.vocabulary import Characters
from charrnn.training.trainer import Trainer
from tests.training.test_lecture import MODEL, TRAINING, Lecture, lecture_losses


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--cpu-time", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    text = read_source(arguments.corpus, ascii=True).text
    vocabulary = Characters.printable()
    ids = vocabulary.encode(text)
    count = arguments.iterations
    last = max(1, count // 10)

    torch.manual_seed(11)
    start = LanguageModel(100, replace(MODEL, cell="lstmcell"))
    weights = {name: tensor.clone() for name, tensor in start.state_dict().items()}

    if arguments.rounds:
        turns(text, start, arguments.rounds, time.process_time if arguments.cpu_time else time.perf_counter)
        return

    def ours(cell: Cell) -> tuple[float, list[float], LanguageModel]:
        model = LanguageModel(100, replace(MODEL, cell=cell))
        suffix = "_l0" if cell == "lstm" else ""
        named = {n + suffix if ".recurrence." in n else n: t for n, t in weights.items()}
        model.load_state_dict(named)
        trainer = Trainer(model, ids, ids[:0], TRAINING, "cpu")
        begun = time.perf_counter()
        losses = [trainer.step().loss for _ in range(count)]
        return count / (time.perf_counter() - begun), losses, model

    found = {"preset lecture (lstm)": ours("lstm"), "--cell lstmcell": ours("lstmcell")}
    begun = time.perf_counter()
    loop = lecture_losses(start, text, count)
    rate = count / (time.perf_counter() - begun)
    mean = sum(loop[-last:]) / last
    print(f"{'':24}{'iterations/s':>14}{'ratio':>8}   mean loss of the last {last:,}")
    print(f"{'the lecture loop':24}{rate:14.1f}{1:8.1f}   {mean:.4f}")
    for name, (speed, losses, _) in found.items():
        ended = sum(losses[-last:]) / last
        print(f"{name:24}{speed:14.1f}{speed / rate:8.1f}   {ended:.4f} ({ended - mean:+.4f})")
    model = found["preset lecture (lstm)"][2]
    stream = TextStream(model, vocabulary, prime="Th", seed=1, knobs=Knobs(temperature=0.8))
    print("Th" + "".join(stream.next() for _ in range(200)))


def turns(text: str, start: LanguageModel, rounds: int, clock: Callable[[], float]) -> None:
    """The loop and the preset, turn by turn: seconds an iteration, and seconds a character written."""
    vocabulary = Characters.printable()
    ids = vocabulary.encode(text)
    model = LanguageModel(100, MODEL)
    trainer = Trainer(model, ids, ids[:0], TRAINING, "cpu")
    stream = TextStream(LanguageModel(100, MODEL), vocabulary, prime="Th", seed=1, knobs=Knobs(temperature=0.8))
    lecture = Lecture()

    def seconds(work: Callable[[int], object], count: int) -> float:
        begun = clock()
        work(count)
        return (clock() - begun) / count

    def train(count: int) -> None:
        for _ in range(count):
            trainer.step()

    def write(count: int) -> None:
        for _ in range(count):
            stream.next()

    train(50), write(50)
    pairs = {
        "iterations": (lambda n: lecture_losses(start, text, n), 10, train, 100),
        "characters written": (lambda n: lecture_text(lecture, n), 500, write, 2000),
    }
    for name, (theirs, theirs_count, ours, ours_count) in pairs.items():
        rows = [(seconds(theirs, theirs_count), seconds(ours, ours_count)) for _ in range(rounds)]
        ratios = sorted(loop / own for loop, own in rows)
        loop, own = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"{name} a second: the lecture {1 / loop:,.0f}, ours {1 / own:,.0f}, "
            f"ratio {statistics.median(ratios):.1f} ({ratios[0]:.1f} – {ratios[-1]:.1f})"
        )


@torch.no_grad()
def lecture_text(lecture: Lecture, length: int, temperature: float = 0.8) -> str:
    """The lecture's way of writing: a cell, a linear map, `exp`, `multinomial`, one character after the other."""
    h, c = torch.zeros(1, 128), torch.zeros(1, 128)
    written = "T"
    for _ in range(length):
        symbol = torch.tensor([string.printable.index(written[-1])])
        h, c = lecture.rnn(lecture.embedding(symbol), (h, c))
        weights = lecture.linear(h).view(-1).div(temperature).exp()
        written += string.printable[int(torch.multinomial(weights, 1)[0])]
    return written


if __name__ == "__main__":
    main()
