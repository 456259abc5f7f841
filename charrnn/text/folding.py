"""Characters to ASCII, a portion at a time, as the lecture did with Unidecode. No torch here, and no numpy."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


class _Transliteration(dict[str, str]):
    """What stands for each character that is not ASCII, looked up once."""

    def __missing__(self, character: str) -> str:
        from anyascii import anyascii  # its tables take a moment to load, and most texts need none of them

        self[character] = folded = anyascii(character)
        return folded


_NOT_ASCII = re.compile("[^\x00-\x7f]+")
_SPACES = re.compile("  +")
_folded = _Transliteration({"—": "--"})


def fold_chunks(chunks: Iterable[str]) -> Iterator[str]:
    """The text in ASCII: every other character as anyascii transliterates it, then runs of spaces squeezed to one.

    An em dash becomes "--", as Unidecode (which the lecture used) has it, where anyascii would give "-". Where the
    text is cut makes no difference.
    """
    after_space = False
    for chunk in chunks:
        if not chunk.isascii():
            chunk = _NOT_ASCII.sub(lambda match: "".join([_folded[c] for c in match[0]]), chunk)
        if "  " in chunk:
            chunk = _SPACES.sub(" ", chunk)
        if after_space and chunk.startswith(" "):
            chunk = chunk[1:]
        if chunk:
            after_space = chunk.endswith(" ")
            yield chunk


def fold_to_ascii(text: str) -> str:
    """The whole text, folded as `fold_chunks` says."""
    return "".join(fold_chunks([text]))
