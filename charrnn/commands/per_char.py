"""`charrnn evaluate --per-char`: a line for every character of a text, with its loss."""

from __future__ import annotations

import json
import math
import sys

from charrnn.sampling.saved_model import SavedModel
from charrnn.text.visible import visible_line
from charrnn.text.vocabulary import Ids
from charrnn.training.predictions import predictions


def print_per_char(saved: SavedModel, ids: Ids, *, as_json: bool) -> None:
    """Prints all characters of ids (tokens,) but the first, in constant memory; their mean on standard error.

    Tab-separated: index, character, nats, the likeliest other character, its probability. Characters are shown as
    `visible_line` has them, so that each takes one line and none acts on a terminal; with `as_json`, a JSON object a
    line has them as they are. Where tokens are bytes or words, a line is a token's. Raises UsageError for fewer than 2.
    """
    symbols = saved.vocabulary.texts
    shown = [visible_line(symbol) for symbol in symbols]
    total = 0.0
    for one in predictions(saved.model, ids):
        total += one.nats
        if as_json:
            found = {
                "index": one.index,
                "character": symbols[one.id],
                "nats": one.nats,
                "alternative": symbols[one.alternative],
                "alternative_probability": one.alternative_probability,
            }
            line = json.dumps(found)
        else:
            character, other = shown[one.id], shown[one.alternative]
            line = f"{one.index}\t{character}\t{one.nats:.6g}\t{other}\t{one.alternative_probability:.6g}"
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    characters = saved.vocabulary.characters_in(ids[1:])
    mean = total / max(1, characters)
    print(
        f"{mean:.4f} nats per character ({mean / math.log(2):.4f} bits, perplexity {math.exp(min(mean, 700.0)):.3f}) "
        f"over {characters:,} characters, step {saved.step:,}",
        file=sys.stderr,
    )
