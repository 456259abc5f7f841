"""What a loss means for a corpus: the losses of models that need no training, as figures and as words.

`measuring.py` finds them. This module is the workbench's too: it loads nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

METHOD = 3
"""The number of the way they are measured: figures of another one are measured again."""
TRAINING_AT_MOST, HELD_OUT_AT_MOST = 3_000_000, 500_000  # characters: some ten seconds, and 80 MB for a moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """Losses on a corpus's held-out text, in nats per character, of models made from its training text.

    `uniform` takes all symbols as equally likely; `unigram`, `bigram` and `five_gram` are interpolated modified
    Kneser-Ney models of the character and the 0, 1 and 4 before it, over the characters that the protocol `stream`
    counts (all but the first). `xz` is by how much the held-out text makes the training text's archive larger (LZMA2,
    preset 9e, UTF-8, a dictionary of 4 MiB at most), None in a Python without lzma. `training` and `held_out` say how
    many characters were used: of a long corpus the last before the held-out part, and the first of that.
    """

    uniform: float
    unigram: float
    bigram: float
    five_gram: float
    xz: float | None
    training: int
    held_out: int
    method: int = METHOD


def named(figures: Baselines) -> list[tuple[str, float]]:
    """The losses with the names that users see, from the simplest model on."""
    found = {
        "uniform": figures.uniform,
        "unigram": figures.unigram,
        "bigram": figures.bigram,
        "5-gram": figures.five_gram,
        "xz": figures.xz,
    }
    return [(name, loss) for name, loss in found.items() if loss is not None]


def in_words(figures: Baselines) -> str:
    """One line: "uniform 4.174, … xz 1.746 nats per character", and how much text that is from where it is not all."""
    words = ", ".join(f"{name} {loss:.3f}" for name, loss in named(figures)) + " nats per character"
    return words + (f" ({part})" if (part := part_in_words(figures)) else "")


def part_in_words(figures: Baselines) -> str:
    """Which part of a long corpus the figures are from; "" where it may be all of it."""
    parts = []
    if figures.training == TRAINING_AT_MOST:
        parts.append(f"learnt from the last {figures.training:,} characters")
    if figures.held_out == HELD_OUT_AT_MOST:
        parts.append(f"measured on the first {figures.held_out:,} held out")
    return ", ".join(parts)
