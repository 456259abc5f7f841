"""Indexes a training text in a process of its own, beside training and at its expense as little as can be.

    python -m charrnn.engine.copying_process < REQUEST

REQUEST is a file with a JSON object: {"place": where the index is to be kept, "ids": a descriptor of the ids, "dtype":
…, "count": how many of them are learnt from, "vocabulary": its facts, "most":
bytes of text}. It says how far it is in lines of JSON, {"what":
…, "share": …}, and at last {"problem": a sentence or ""}.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path

import numpy as np

from charrnn.config import UsageError
from charrnn.insight.copying import kept
from charrnn.text import cache
from charrnn.text.stored import mapped
from charrnn.text.vocabulary import from_facts

NICENESS = 15


def main() -> int:
    with contextlib.suppress(OSError):
        os.nice(NICENESS)
    asked = json.load(sys.stdin)
    place = Path(asked["place"])
    problem = ""
    try:
        with os.fdopen(asked["ids"], "rb") as file:
            ids = mapped(file, np.dtype(asked["dtype"]), asked["count"])
        vocabulary = from_facts(asked["vocabulary"])
        kept.make(place, vocabulary, ids, lambda what, share: _say(what=what, share=share), most=asked["most"])
        cache.trim(place.parent.parent)
    except UsageError as error:
        problem = str(error)
    except MemoryError:
        problem = "There is not enough memory to index the training text."
    except OSError as error:
        problem = f"The index of the training text cannot be kept in {place.parent} ({error.strerror or error})."
    _say(problem=problem)
    return 0


def _say(**facts: object) -> None:
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    sys.exit(main())
