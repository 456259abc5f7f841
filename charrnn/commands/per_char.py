"""`charrnn evaluate --per-char`: a line for every character of a text, with its loss, or all of them as a page."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from charrnn.config import UsageError
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
    _tell_mean(saved, total, saved.vocabulary.characters_in(ids[1:]))


def check_page(out: Path) -> None:
    """Raises UsageError where no file can be there, before the text is read."""
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent} to write {out.name} to; make it first.")
    if out.is_dir():
        raise UsageError(f"{out} is a folder; give the name of a file, such as {out.name}.html.")


def write_page(saved: SavedModel, text: str, out: Path, *, name: str) -> None:
    """Writes all characters of a text as a page of HTML, and says so; their mean on standard error.

    `name` is what the text is called. Characters that the model does not know are marked and left out of the mean. Of
    more than LONGEST characters the page has the first so many, which it says. Raises UsageError for fewer than 2 that
    are known, and where the file cannot be written.
    """
    from charrnn.insight.page import LONGEST, page_of
    from charrnn.insight.surprise import surprise_of

    vocabulary = saved.vocabulary
    ids = vocabulary.encode(vocabulary.known(text[:LONGEST]))
    if len(ids) < 2:
        raise UsageError(
            f"A page needs at least 2 characters that are known, and there are {len(ids)}; give more text."
        )
    seen = surprise_of(saved.model, vocabulary, ids)
    note = f"{saved.config.corpus.name}: {saved.config.model.cell}, step {saved.step:,}"
    try:
        out.write_text(page_of(seen, vocabulary, text, title=f"Surprise in {name}", note=note), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{out} cannot be written: {error.strerror or error}.") from None
    print(f"wrote {out}")
    _tell_mean(saved, float(seen.nats[1:].sum()), vocabulary.characters_in(ids[1:]))


def _tell_mean(saved: SavedModel, total: float, characters: int) -> None:
    mean = total / max(1, characters)
    print(
        f"{mean:.4f} nats per character ({mean / math.log(2):.4f} bits, perplexity {math.exp(min(mean, 700.0)):.3f}) "
        f"over {characters:,} characters, step {saved.step:,}",
        file=sys.stderr,
    )
