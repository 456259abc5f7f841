"""What it costs the stream to remember its places, to tell its surprise and to show choices; how long going back takes.

    python -m tests.benchmarks.choices [--cell mingru] [--hidden 128] [--layers 2] [--rounds 7] [--seconds 4]

One thread, the same untrained weights for all. First as fast as it can, ways side by side in every round; then the
sampler's thread at the default pace, with nobody watching and with the lens on and three choices a second asked for.
"""

from __future__ import annotations

import argparse
import os
import time
from statistics import median

import torch

from charrnn.config import ModelConfig, StreamConfig
from charrnn.engine.choice_messages import TakeInstead
from charrnn.engine.memory import open_memory
from charrnn.engine.messages import Generated
from charrnn.engine.questions.choice import AskChoice
from charrnn.engine.sampler import Model, Sampler
from charrnn.engine.weights import SharedWeights
from charrnn.engine.writing import Writing
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Characters

CHARACTERS = 3000


def as_fast_as_it_can(network: LanguageModel, vocabulary: Characters, way: str) -> float:
    """Characters a second of the thread's own time: others may use the machine."""
    stream = TextStream(network, vocabulary, prime="Th", seed=1)
    if way == "plain":
        begun = time.thread_time()
        stream.take(CHARACTERS)
        return CHARACTERS / (time.thread_time() - begun)
    writing = Writing(stream, lambda piece, urgent: None)
    writing.restart("Th", 1)
    writing.write(11_000, False)  # from here on no new memory is taken
    writing.surprised = way == "surprise"
    begun = time.thread_time()
    for _ in range(CHARACTERS // 100):
        writing.write(100, False)
    return CHARACTERS / (time.thread_time() - begun)


def at_the_default_pace(network: LanguageModel, vocabulary: Characters, seconds: float, watched: bool) -> float:
    """Characters a second of the sampler's thread."""
    memory = open_memory()
    SharedWeights(memory, network.state_dict(keep_vars=True), create=True).publish(0)
    pieces: list[Generated] = []
    sampler = Sampler(lambda piece, urgent: pieces.append(piece), print)
    sampler.start()
    sampler.set_pace(StreamConfig().pace)
    sampler.watch_surprise(watched)
    sampler.use_model(Model(network.config, vocabulary, memory))
    sampler.restart("Th", 1)
    while len(pieces) < 3:
        time.sleep(0.01)
    first, begun = len(pieces), time.perf_counter()
    while time.perf_counter() - begun < seconds:
        if watched:
            end = pieces[-1].position
            sampler.do(lambda writing, end=end: writing.choice(AskChoice(1, end))).result()  # type: ignore[misc]
        time.sleep(1 / 3)
    took = time.perf_counter() - begun
    made = sum(len(piece.text) for piece in pieces[first:])
    sampler.stop()
    sampler.join()
    os.close(memory)
    return made / took


def going_back(network: LanguageModel, vocabulary: Characters) -> list[float]:
    """Milliseconds to the first new character, from places all over the window."""
    writing = Writing(TextStream(network, vocabulary, prime="Th", seed=1), lambda piece, urgent: None)
    writing.restart("Th", 1)
    writing.write(10_000, False)
    found = []
    for position in range(2 + 100, 10_000, 99):
        begun = time.perf_counter()
        writing.obey(TakeInstead(position, 1))
        found.append(1000 * (time.perf_counter() - begun))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--cell", default="mingru")
    for name, default in (("hidden", 128), ("layers", 2), ("rounds", 7), ("seconds", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    hidden, layers = arguments.hidden, arguments.layers
    config = ModelConfig(cell=arguments.cell, hidden=hidden, layers=layers, embedding=hidden)
    network, vocabulary = LanguageModel(100, config).eval(), Characters.printable()
    ways = ("plain", "places", "surprise")
    rates: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(arguments.rounds):
        for way in ways:
            rates[way].append(as_fast_as_it_can(network, vocabulary, way))
    print("as fast as it can:")
    for way in ways:
        ratios = [rate / plain for rate, plain in zip(rates[way], rates["plain"], strict=True)]
        extra = 1e6 * (1 / median(rates[way]) - 1 / median(rates["plain"]))
        spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
        print(
            f"  {way:10}{median(rates[way]):10,.0f} ch/s  ratio {median(ratios):.3f} ({spread}), {extra:+.1f} µs each"
        )
    pairs = []
    for _ in range(3):
        alone = at_the_default_pace(network, vocabulary, arguments.seconds, False)
        pairs.append(at_the_default_pace(network, vocabulary, arguments.seconds, True) / alone)
    spread = f"{min(pairs):.3f} to {max(pairs):.3f}"
    print(f"at the default pace, watched against alone: ratio {median(pairs):.3f} ({spread})")
    back = going_back(network, vocabulary)
    print(f"going back: {median(back):.2f} ms to the first new character, {max(back):.2f} ms at most")


if __name__ == "__main__":
    main()
