"""`charrnn sample` and `charrnn evaluate`: what a saved model writes, and how well it predicts."""

from __future__ import annotations

import json
import math
import random
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np

from charrnn.commands.checkpoints import tell_damaged
from charrnn.commands.many import tell_left_out
from charrnn.commands.per_char import check_page, print_per_char, write_page
from charrnn.config import Knobs, UsageError
from charrnn.sampling.saved_model import load_model
from charrnn.sampling.stream import TextStream
from charrnn.text.baselines import Baselines, in_words
from charrnn.text.corpus import load_corpus
from charrnn.text.measuring import baselines_of
from charrnn.text.sources import read_source
from charrnn.text.visible import for_reader
from charrnn.training.evaluation import Protocol, loss_under, parse_protocol

GROUP = 256


def sample(run: Path, *, which: str, prime: str | None, length: int, knobs: Knobs, seed: int | None) -> None:
    """Writes the prime and `length` characters to standard output, in constant memory. Raises UsageError."""
    saved = load_model(run, which)
    tell_damaged(saved.remarks)
    if prime is None:
        prime = saved.config.stream.prime
    if seed is None:
        seed = random.randrange(1, 10_000)
        print(f"step {saved.step:,}, seed {seed}", file=sys.stderr)
    stream = TextStream(saved.model, saved.vocabulary, prime=prime, seed=seed, knobs=knobs)
    tell_left_out(stream.unknown)
    sys.stdout.write(for_reader(stream.prime, sys.stdout))
    group = 1 if sys.stdout.isatty() else GROUP
    for done in range(0, length, group):
        sys.stdout.write(for_reader(stream.take(min(group, length - done)), sys.stdout))
        sys.stdout.flush()
    sys.stdout.write("\n")
    sys.stdout.flush()


def evaluate(
    run: Path,
    file: str | None,
    *,
    which: str,
    protocol: str,
    as_json: bool,
    per_char: bool = False,
    html: Path | None = None,
    baselines: bool = False,
) -> None:
    """Prints the loss on the held-out part, or on a file, under a named protocol. Raises UsageError.

    Where tokens are not characters, also what a token costs; a protocol's windows are then of so many tokens.
    `per_char` prints every character's own instead, as `per_char.py` says, and `html` is the page to write
    them to; `baselines` also what models without training reach on the held-out part.
    """
    chosen = parse_protocol(protocol)
    _refuse_contradictions(chosen, file, per_char=per_char or html is not None, baselines=baselines)
    if html is not None:
        if as_json:
            raise UsageError("--html writes a page and --json prints objects; give one of them.")
        check_page(html)
    figures: Baselines | None = None
    saved = load_model(run, which)
    tell_damaged(saved.remarks)
    if file is None:
        corpus = load_corpus(saved.config.corpus)
        if corpus.sha256 != saved.config.corpus.sha256:
            raise UsageError(f"The corpus {corpus.place} has changed since the run; give a FILE to evaluate on.")
        if corpus.vocabulary != saved.vocabulary:
            raise UsageError(
                f"The run {run.name} was trained with another vocabulary than its config.toml gives its corpus now; "
                "set tokens and max_vocabulary back, or give a FILE to evaluate on."
            )
        ids = corpus.held_out_ids
        if len(ids) < 2:
            raise UsageError(f"The run {run.name} held nothing out; give a FILE to evaluate on.")
        if baselines:
            figures = baselines_of(corpus, run)
        if html is not None:
            write_page(saved, corpus.vocabulary.decode(np.asarray(ids)), html, name=f"what {run.name} held out")
            return
    else:
        text = read_source(file, ascii=saved.config.corpus.ascii).text
        if html is not None:
            write_page(saved, text, html, name=Path(file).name)
            return
        ids = saved.vocabulary.encode(text)
    if per_char:
        print_per_char(saved, np.asarray(ids), as_json=as_json)
        return
    count = saved.vocabulary.characters_in
    loss, characters = loss_under(chosen, saved.model, np.asarray(ids), characters_in=count), count(ids[1:])
    found: dict[str, float | int | str] = {
        "nats_per_char": loss,
        "bits_per_char": loss / math.log(2),
        "perplexity": math.exp(min(loss, 700.0)),
        "characters": characters,
        "protocol": str(chosen),
        "step": saved.step,
    }
    unit, tokens = saved.vocabulary.unit, len(ids) - 1
    of_token = loss * max(1, characters) / tokens
    if unit != "character":
        found |= {
            "unit": unit,
            "tokens": tokens,
            "nats_per_token": of_token,
            "perplexity_per_token": math.exp(min(of_token, 700.0)),
        }
    if as_json:
        print(json.dumps(found | ({"baselines": asdict(figures)} if figures else {})))
    else:
        print(
            f"{loss:.4f} nats per character ({found['bits_per_char']:.4f} bits, perplexity {found['perplexity']:.3f}) "
            f"over {characters:,} characters, protocol {chosen}, step {saved.step:,}"
        )
        if unit != "character":
            print(
                f"{of_token:.4f} nats per {unit} (perplexity {found['perplexity_per_token']:.3f}) over {tokens:,} "
                f"{unit}s{f', {chosen.window:,} of them a window' if chosen.window else ''}"
            )
        if figures:
            print(f"to beat: {in_words(figures)}")


def _refuse_contradictions(chosen: Protocol, file: str | None, *, per_char: bool, baselines: bool) -> None:
    if per_char and baselines:
        raise UsageError("--per-char and --baselines print different things; give one of them.")
    if per_char and chosen.window is not None:
        raise UsageError("--per-char carries the state through the whole text; leave --protocol out.")
    if baselines and file is not None:
        raise UsageError("--baselines are of the run's own held-out part; leave FILE out.")
