"""Characters a second that a model writes: the lecture's evaluate loop, one stream, and many streams at once.

    python -m tests.benchmarks.sampling [--characters 2000] [--rounds 7] [--count 64] [--threads 1]

One LSTM of 128 over an embedding of 100, `string.printable`, temperature 0.8, the same weights for all. Each round
times one after the other, and ratios are taken within a round: the median of the rounds, the lowest and the highest.
"""

from __future__ import annotations

import argparse
import string
import time
from collections.abc import Callable
from statistics import median

import torch
from torch import Tensor

from charrnn.config import Knobs
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.many import ManyStreams, seeds_from
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Characters
from tests.training.test_lecture import MODEL, Lecture

PRIME, TEMPERATURE = "Th", 0.8


def as_input(character: str) -> Tensor:
    """A character as the lecture feeds it: looked up in `string.printable`, a tensor of its own."""
    return torch.tensor([string.printable.index(character)], dtype=torch.int64)


@torch.no_grad()
def lecture_text(model: Lecture, characters: int) -> str:
    """The lecture's loop: zero state, the prime one character at a time, then draw, look up, feed."""
    state = torch.zeros(1, 128), torch.zeros(1, 128)

    def logits_after(character: str) -> Tensor:
        nonlocal state
        state = model.rnn(model.embedding(as_input(character)), state)
        logits: Tensor = model.linear(state[0])
        return logits

    for character in PRIME[:-1]:
        logits_after(character)
    text, last = "", PRIME[-1]
    for _ in range(characters):
        weights = (logits_after(last).view(-1) / TEMPERATURE).exp()
        last = string.printable[int(torch.multinomial(weights, 1)[0].item())]
        text += last
    return text


def lecture_of(model: LanguageModel) -> Lecture:
    """The lecture's modules with our model's weights."""
    lecture = Lecture()
    names = {"embedding": "embedding", "layers.0.recurrence": "rnn", "output": "linear"}
    weights = {}
    for name, tensor in model.state_dict().items():
        module, _, weight = name.rpartition(".")
        weights[f"{names[module]}.{weight.removesuffix('_l0')}"] = tensor
    lecture.load_state_dict(weights)
    return lecture


def main() -> None:
    parser = argparse.ArgumentParser()
    for name, default in (("characters", 2000), ("rounds", 7), ("count", 64), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    model, vocabulary = LanguageModel(100, MODEL), Characters.printable()
    lecture = lecture_of(model)
    knobs = Knobs(temperature=TEMPERATURE)
    characters, count = arguments.characters, arguments.count

    def one_stream() -> int:
        stream = TextStream(model, vocabulary, prime=PRIME, seed=1, knobs=knobs)
        return len("".join(stream.next() for _ in range(characters)))

    def many_streams() -> int:
        streams = ManyStreams(model, vocabulary, prime=PRIME, seeds=seeds_from(1, count), knobs=knobs)
        return sum(len("".join(streams.next())) for _ in range(max(1, 4 * characters // count)))

    ways: dict[str, Callable[[], int]] = {
        "the lecture's loop": lambda: len(lecture_text(lecture, characters)),
        "one stream": one_stream,
        f"{count} streams at once": many_streams,
    }
    for way in ways.values():
        way()  # what is loaded or compiled once
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(arguments.rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            made = way()
            rates[name].append(made / (time.perf_counter() - begun))
    base = rates["the lecture's loop"]
    print(f"{'':24}{'characters/s':>14}{'ratio':>8}   (lowest to highest of {arguments.rounds} rounds)")
    for name, found in rates.items():
        ratios = [rate / other for rate, other in zip(found, base, strict=True)]
        spread = f"{min(ratios):.2f} to {max(ratios):.2f}"
        print(f"{name:24}{median(found):14,.0f}{median(ratios):8.2f}   {spread}")


if __name__ == "__main__":
    main()
