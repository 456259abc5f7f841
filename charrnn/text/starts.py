"""Where lines and sentences begin in a text of ids, whatever its tokens are. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from charrnn.text.vocabulary import Ids, Vocabulary

Starts = Literal["line", "sentence"]
Places = NDArray[np.unsignedinteger]
_Value = TypeVar("_Value", bound=np.generic)

_PORTION = 1 << 18  # ids at a time


def find_starts(ids: Ids, vocabulary: Vocabulary, kind: Starts) -> Places:
    """The places in ids (tokens,) at which a line or a sentence begins, rising; uint32, or uint64 for a huge text.

    A line begins at the text's beginning and after every newline; empty lines are none.

    A sentence begins, after white space, where the last sign before was a full stop, an exclamation or a question
    mark, possibly with closing quotes and brackets after it, unless a lower-case letter follows: so "e.g. this" begins
    none, and "Mr. Smith" does. After the full stops of Chinese and Japanese there need be no space. It also begins
    after an empty line, and at the text's beginning. Space that belongs to a word's token counts as before the word;
    of bytes only ASCII's marks are seen.

    All of them are found, at four bytes each, so that every one can be drawn as often as any other. To go to a random
    place and on to the next start would need no list, and would favour what comes after long lines.
    """
    place_type = np.uint32 if len(ids) <= 1 << 32 else np.uint64
    found = _lines(ids, vocabulary) if kind == "line" else _sentences(ids, vocabulary)
    return np.concatenate([np.empty(0, place_type), *(places.astype(place_type) for places in found)])


class _Sign(IntEnum):
    """What the first character of a token that is no white space, and so the whole token, is to a sentence's end."""

    OTHER = 0
    LOWER = 1
    CLOSER = 2
    TERMINATOR = 3
    WIDE_TERMINATOR = 4
    SPACE = 5  # the whole token is white space


_SIGNS = {
    # What closes a quotation in one language opens it in another; after space it belongs to what follows it.
    **dict.fromkeys("\"'“”‘’«»‹›)]}」』", _Sign.CLOSER),
    **dict.fromkeys(".!?…؟।", _Sign.TERMINATOR),
    **dict.fromkeys("。！？", _Sign.WIDE_TERMINATOR),
}


def _sign(text: str) -> _Sign:
    first = text.lstrip()[:1]
    return _SIGNS.get(first, _Sign.LOWER if first.islower() else _Sign.OTHER) if first else _Sign.SPACE


def _newlines(vocabulary: Vocabulary) -> NDArray[np.uint8]:
    return np.array([text.count("\n") for text in vocabulary.texts], dtype=np.uint8)


def _lines(ids: Ids, vocabulary: Vocabulary) -> Iterator[NDArray[np.int64]]:
    """A portion's line starts at a time: tokens of newlines hold nothing else."""
    breaks = _newlines(vocabulary) > 0
    broken = True
    for at in range(0, len(ids), _PORTION):
        is_break = breaks[ids[at : at + _PORTION]]
        yield np.flatnonzero(~is_break & _before(is_break, broken)) + at
        broken = bool(is_break[-1])


def _sentences(ids: Ids, vocabulary: Vocabulary) -> Iterator[NDArray[np.int64]]:
    """A portion's sentence starts at a time.

    Of what lies before the portion three things matter: the last sign that was not a closer, whether there was space
    after the last sign, and how many newlines.
    """
    signs = np.array([_sign(text) for text in vocabulary.texts], dtype=np.uint8)
    leads = np.array([text[0].isspace() for text in vocabulary.texts], dtype=bool)
    newlines = _newlines(vocabulary)
    last_sign, space, empty = np.uint8(_Sign.OTHER), True, 2  # a text begins as after an empty line
    for at in range(0, len(ids), _PORTION):
        part = ids[at : at + _PORTION]
        sign = signs[part]
        white = sign == _Sign.SPACE
        apart = leads[part] | _before(white, space)
        solid = _last(~white & ((sign != _Sign.CLOSER) | apart))  # after space, it opens something
        ended_by = np.where(_before(solid, -1) < 0, last_sign, sign[_before(solid, -1)])
        total = np.cumsum(newlines[part], dtype=np.int64) + empty
        shown = _last(~white)
        since = _before(total, empty) - np.where(_before(shown, -1) < 0, 0, total[_before(shown, -1)])
        wide = (ended_by == _Sign.WIDE_TERMINATOR) & (sign != _Sign.CLOSER)
        ended = ((ended_by == _Sign.TERMINATOR) | wide) & (sign != _Sign.LOWER)
        yield np.flatnonzero(~white & (apart | wide) & (ended | (since >= 2))) + at
        last_sign = sign[solid[-1]] if solid[-1] >= 0 else last_sign
        empty = int(total[-1] - (total[shown[-1]] if shown[-1] >= 0 else 0))
        space = bool(white[-1])


def _before(values: NDArray[_Value], first: object) -> NDArray[_Value]:
    """Each value's predecessor."""
    moved = np.empty_like(values)
    moved[:1], moved[1:] = first, values[:-1]
    return moved


def _last(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The place of the last flag at or before each place, −1 where there is none."""
    return np.maximum.accumulate(np.where(flags, np.arange(len(flags)), -1))
