"""`charrnn sample --count N` and `--json`: many texts at once, and texts for programs."""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from charrnn.commands.checkpoints import tell_damaged
from charrnn.config import Knobs
from charrnn.sampling.many import ManyStreams, seeds_from
from charrnn.sampling.saved_model import SavedModel, load_model
from charrnn.sampling.stream import TextStream
from charrnn.text.visible import for_reader

AT_ONCE = 64
"""Streams in a forward pass: with more, choosing each one's characters takes nearly all of the time."""
KEPT_AT_MOST = 16_000_000
"""Characters of unfinished texts in memory, four bytes each: for long texts fewer streams go at once."""
_GROUP = 256


def sample_many(
    run: Path, *, which: str, prime: str | None, length: int, knobs: Knobs, seed: int | None, count: int, as_json: bool
) -> None:
    """Writes `count` texts to standard output: the prime and `length` characters each. Raises UsageError.

    Their seeds are `seed` and the numbers after it. Each has a line with its number and its seed above it and an empty
    line between it and the next; with `as_json`, each is an object on a line of its own. However long and many, at
    most KEPT_AT_MOST characters are in memory.
    """
    saved = load_model(run, which)
    tell_damaged(saved.remarks)
    if prime is None:
        prime = saved.config.stream.prime
    if seed is None:
        seed = random.randrange(1, 10_000)
        print(f"step {saved.step:,}, seed {seed}" + (" and on" if count > 1 else ""), file=sys.stderr)
    tell_left_out(saved.vocabulary.unknown(prime))
    prime = saved.vocabulary.known(prime)
    at_once = max(1, min(AT_ONCE, KEPT_AT_MOST // max(1, length)))
    for first in range(0, count, at_once):
        seeds = seeds_from(seed + first, min(at_once, count - first))
        texts = _texts(saved, prime, seeds, length, knobs)
        for number, (own, pieces) in enumerate(zip(seeds, texts, strict=True), first + 1):
            if as_json:
                _write_json(saved, own, prime, pieces)
            else:
                above = f"── text {number:,} of {count:,}, seed {own} ──\n"
                _write(("\n" if number > 1 else "") + above + prime, pieces)


def tell_left_out(unknown: list[str]) -> None:
    """Names, on standard error, what had to be left out of the prime."""
    if unknown:
        named = " ".join(map(repr, unknown))
        print(f"left out of the prime, the model does not know: {named}", file=sys.stderr)


def _texts(saved: SavedModel, prime: str, seeds: list[int], length: int, knobs: Knobs) -> Iterator[Iterator[str]]:
    """The pieces of one text after the other; a single one is given away while it is made."""
    if len(seeds) == 1:
        stream = TextStream(saved.model, saved.vocabulary, prime=prime, seed=seeds[0], knobs=knobs)
        yield (stream.take(min(_GROUP, length - at)) for at in range(0, length, _GROUP))
        return
    streams = ManyStreams(saved.model, saved.vocabulary, prime=prime, seeds=seeds, knobs=knobs)
    texts = [StringIO() for _ in seeds]
    left = [length] * len(seeds)
    while any(left):
        for number, piece in enumerate(streams.next()):
            texts[number].write(piece[: left[number]])  # a text that is done waits for the others
            left[number] = max(0, left[number] - len(piece))
    for text in texts:
        text.seek(0)
        yield iter(lambda text=text: text.read(1 << 16), "")  # type: ignore[misc]


def _write(beginning: str, pieces: Iterator[str]) -> None:
    sys.stdout.write(for_reader(beginning, sys.stdout))
    for piece in pieces:
        sys.stdout.write(for_reader(piece, sys.stdout))
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()


def _write_json(saved: SavedModel, seed: int, prime: str, pieces: Iterator[str]) -> None:
    """An object whose last field is written while its text is made."""
    facts = {"seed": seed, "step": saved.step, "prime": prime, "text": ""}
    sys.stdout.write(json.dumps(facts)[: -len('"}')])
    for piece in pieces:
        sys.stdout.write(json.dumps(piece)[1:-1])
        sys.stdout.flush()
    sys.stdout.write('"}\n')
    sys.stdout.flush()
