"""What an engine has to tell: the supervisor and the stream write it, clients read at their own pace. No torch here."""

from __future__ import annotations

from collections import deque
from typing import Any, Protocol

from msgspec.structs import replace

from charrnn.engine.history import LossHistory, TextHistory
from charrnn.engine.messages import EngineMessage, Generated, LossPoint, Status

PASSING_KEPT = 200


class Reader(Protocol):
    """Somebody who wants to know when there is news; `hurry` says that a person waits for it."""

    def wake(self, *, hurry: bool = False) -> None: ...


class Board:
    """`standing` is what everybody must know, the newest of each kind; `passing` is what was said of late.

    `status` is the newest, `losses` and `text` are the histories. Readers keep their own places, so nothing here ever
    waits for one, and one that never reads costs nothing.
    """

    def __init__(self) -> None:
        self._standing: dict[type[EngineMessage], tuple[int, EngineMessage]] = {}
        self.standing_count = 0
        self.passing: deque[EngineMessage] = deque(maxlen=PASSING_KEPT)
        self.passing_count = 0
        self.status = Status(state="starting")
        self.status_revision = 0
        self.losses = LossHistory()
        self.text = TextHistory()
        self.readers: set[Reader] = set()
        self._troubles: dict[str, str] = {}

    def announce(self, message: EngineMessage, *, standing: bool = False) -> None:
        """Tells every reader: `standing` also those that come later, until another of its kind takes its place."""
        if standing:
            self.standing_count += 1
            self._standing.pop(type(message), None)  # so that the order is that of the newest
            self._standing[type(message)] = (self.standing_count, message)
        else:
            self.passing.append(message)
            self.passing_count += 1
        self._wake(hurry=True)

    def standing(self, seen: int = 0) -> list[EngineMessage]:
        """What stands and was announced after the first `seen` standing messages, in order."""
        return [message for number, message in self._standing.values() if number > seen]

    def set_status(self, *, hurry: bool = False, **changed: Any) -> None:
        """Changes some of the status; readers hear of it soon, or at once if somebody waits for it."""
        status = replace(self.status, **changed)
        if status != self.status:
            self.status = status
            self.status_revision += 1
            self._wake(hurry=hurry)

    def set_trouble(self, kind: str, words: str | None) -> None:
        """What is wrong with one kind of thing ("disk", "trainer") stands in the status until it is None again."""
        if words is None:
            self._troubles.pop(kind, None)
        else:
            self._troubles[kind] = words
        self.set_status(troubles=tuple(self._troubles.values()), hurry=True)

    def trouble(self, kind: str) -> str | None:
        """What stands as wrong with one kind of thing."""
        return self._troubles.get(kind)

    def add_points(self, points: list[LossPoint]) -> None:
        """Adds to the loss history."""
        self.losses.add(points)
        self._wake()

    def add_text(self, piece: Generated, *, hurry: bool) -> None:
        """Adds to the stream's text."""
        self.text.add(piece)
        self._wake(hurry=hurry)

    def _wake(self, *, hurry: bool = False) -> None:
        for reader in self.readers:
            reader.wake(hurry=hurry)
