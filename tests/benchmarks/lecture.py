"""The lecture's recipe as its own LSTMCell loop, as `--cell lstmcell` and as the preset's fused LSTM, side by side.

    python -m tests.benchmarks.lecture CORPUS [--iterations 5000]

Same text (folded to ASCII), same first weights, same portions. Prints iterations a second of each, their ratios, the
mean loss over the last tenth of the iterations, and 200 characters that the preset's model writes after "Th".
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import torch

from charrnn.config import Cell, Knobs
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.stream import TextStream
from charrnn.text.sources import read_source
from charrnn.text.vocabulary import Characters
from charrnn.training.trainer import Trainer
from tests.training.test_lecture import MODEL, TRAINING, lecture_losses


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("corpus")
    parser.add_argument("--iterations", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=1)
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


if __name__ == "__main__":
    main()
