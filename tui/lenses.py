"""Lenses: the stream's characters in the light of a number each, readable with colours and without."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from rich.style import Style

from tui import palette

SHADES: tuple[Style, ...] = (
    palette.QUIET,
    palette.PLAIN,
    palette.WARNING,
    palette.WARNING + Style(bold=True, underline=True),
    palette.ERROR + Style(reverse=True),
)
"""From what goes without saying to what stands out, for all lenses that go one way."""
UNKNOWN = -1
"""The level of a character that a lens knows nothing of: it is drawn as it would be without one."""


class Lens(Protocol):
    """What the stream is seen through."""

    @property
    def name(self) -> str:
        """In a word or two, for the pane's title: "surprise"."""

    @property
    def legend(self) -> Sequence[tuple[str, Style]]:
        """What the styles mean, in a few words each."""

    @property
    def styles(self) -> Sequence[Style]:
        """The style of each level from 0 on."""

    def levels(self, first: int, end: int) -> Sequence[int]:
        """The level of each of the stream's characters from position `first` up to `end`, or UNKNOWN."""


def seen_through(
    lens: Lens, pieces: Sequence[tuple[str, Style]], positions: Sequence[int]
) -> Iterator[tuple[str, Style]]:
    """The pieces of a row, each character in its level's style.

    `positions` has the stream's position of each of the row's characters, −1 for what is no text of the stream's.
    """
    known = [position for position in positions if position >= 0]
    if not known:
        yield from pieces
        return
    first = min(known)
    levels = lens.levels(first, max(known) + 1)
    styles = lens.styles
    at = 0
    for text, style in pieces:
        begin = 0
        level = UNKNOWN
        for index in range(len(text) + 1):
            position = positions[at + index] if index < len(text) else -1
            here = levels[position - first] if position >= 0 else UNKNOWN
            if index and (here != level or index == len(text)):
                yield text[begin:index], style if level == UNKNOWN else styles[level]
                begin = index
            level = here
        at += len(text)
