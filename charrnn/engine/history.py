"""What an engine remembers for its clients: every loss, and the newest megabyte of text. No torch here."""

from __future__ import annotations

from collections import deque
from itertools import accumulate, takewhile

from msgspec.structs import replace

from charrnn.engine.messages import Generated, LossPoint
from charrnn.engine.questions.choice import UNKNOWN_SURPRISE

KEPT_CHARACTERS = 1_000_000
MOST_PIECES = 50_000
"""Where knobs change all the time pieces are short; so many are kept at most, however little text that is."""
_LONGEST_PIECE = 4096


class TextHistory:
    """Generated text by position; a reader keeps its own place and may be as slow as it likes."""

    def __init__(self, kept: int = KEPT_CHARACTERS) -> None:
        self._pieces: deque[Generated] = deque()
        self._kept = kept
        self._length = 0
        self.end = 0

    def add(self, piece: Generated) -> None:
        """Appends; the piece's own `position` is ignored and set to the end. What is older than `kept` is dropped."""
        piece = replace(piece, position=self.end)
        self.end += len(piece.text)
        self._length += len(piece.text)
        last = self._pieces[-1] if self._pieces else None
        if last is not None and _continues(last, piece):
            self._pieces[-1] = joined(last, piece)
        else:
            self._pieces.append(piece)
        while self._length - len(self._pieces[0].text) >= self._kept or len(self._pieces) > MOST_PIECES:
            self._length -= len(self._pieces.popleft().text)

    def since(self, position: int, most: int | None = None) -> list[Generated]:
        """What is still kept from `position` on, the first piece cut to begin there.

        With `most`, whole pieces of about so many characters: a later call goes on where the last of them ends.
        """
        found: list[Generated] = []
        for piece in reversed(self._pieces):
            if piece.position + len(piece.text) <= position:
                break
            cut = max(0, position - piece.position)
            found.append(cut_off(piece, cut) if cut else piece)
        found.reverse()
        if most is not None:
            ends = accumulate(len(piece.text) for piece in found)
            found = found[: sum(1 for _ in takewhile(lambda end: end < most, ends)) + 1]
        return found


def cut_off(piece: Generated, characters: int) -> Generated:
    """The piece without its first so many characters."""
    return replace(
        piece,
        position=piece.position + characters,
        text=piece.text[characters:],
        after=None if characters else piece.after,
        surprise=piece.surprise[characters:],
    )


def joined(first: Generated, then: Generated) -> Generated:
    """Two pieces that follow each other as one."""
    surprise = b""
    if first.surprise or then.surprise:  # of what was written while nobody asked nothing is known
        surprise = first.surprise or bytes([UNKNOWN_SURPRISE]) * len(first.text)
        surprise += then.surprise or bytes([UNKNOWN_SURPRISE]) * len(then.text)
    return replace(first, text=first.text + then.text, surprise=surprise)


def _continues(last: Generated, piece: Generated) -> bool:
    """Whether two pieces can be told as one. The step may differ: it is that of the first character."""
    return (
        piece.after is None
        and last.stream == piece.stream
        and last.seed == piece.seed
        and last.prime == piece.prime
        and last.knobs == piece.knobs
        and len(last.text) + len(piece.text) <= _LONGEST_PIECE
    )


class LossHistory:
    """Every recorded point of the run, by rising step; a step that is recorded again takes the later ones' place."""

    def __init__(self) -> None:
        self.points: list[LossPoint] = []
        self.rewinds = 0

    def add(self, points: list[LossPoint]) -> None:
        for point in points:
            while self.points and self.points[-1].step >= point.step:
                self.points.pop()
                self.rewinds += 1
            self.points.append(point)


def point_of(line: dict[str, object]) -> LossPoint:
    """A line of metrics.jsonl as a point; what is missing or no number counts as not measured."""

    def number(name: str) -> float | None:
        value = line.get(name)
        return float(value) if isinstance(value, int | float) else None

    return LossPoint(
        step=int(number("step") or 0),
        chars=int(number("chars") or 0),
        seconds=number("seconds") or 0.0,
        train_loss=number("train_loss"),
        val_loss=number("val_loss"),
        learning_rate=number("learning_rate") or 0.0,
        diverged=bool(line.get("diverged")),
        partial=bool(line.get("partial")),
    )
