"""A line of the stream's text: what it says, of which kind each part is, and where in the stream it comes from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tui.terminal import safe, width

Kind = Literal["text", "prime", "mark", "pending", "rule", "quiet"]


@dataclass(slots=True)
class Span:
    end: int
    kind: Kind


@dataclass(slots=True)
class Paragraph:
    """One line of the text. `spans` cover it in order; `rows` are where its wrapped rows begin.

    `origins` say where it comes from: from each offset on, the characters are the stream's from that position on, one
    by one, or (−1) none of its characters.
    """

    text: str = ""
    spans: list[Span] = field(default_factory=list)
    rows: list[int] = field(default_factory=lambda: [0])
    origins: list[tuple[int, int]] = field(default_factory=list)

    def extend(self, text: str, kind: Kind) -> None:
        self.text += text
        if self.spans and self.spans[-1].kind == kind:
            self.spans[-1].end = len(self.text)
        else:
            self.spans.append(Span(len(self.text), kind))

    def comes_from(self, position: int, offset: int | None = None) -> None:
        """What is added next, or stands from `offset` on, comes from the stream's position, or (−1) from elsewhere."""
        offset = len(self.text) if offset is None else offset
        if self.origins:
            before, there = self.origins[-1]
            if position == (there if there < 0 else there + offset - before):
                return
            if before == offset:
                self.origins.pop()
        self.origins.append((offset, position))

    def positions(self, start: int, end: int) -> list[int]:
        """The stream's position of each character from offset `start` up to `end`, −1 where it is none of its."""
        found = [-1] * (end - start)
        for number, (offset, position) in enumerate(self.origins):
            stop = self.origins[number + 1][0] if number + 1 < len(self.origins) else len(self.text)
            first, last = max(start, offset), min(end, stop)
            if position >= 0 and first < last:
                found[first - start : last - start] = range(position + first - offset, position + last - offset)
        return found

    def last_up_to(self, position: int) -> tuple[int, int] | None:
        """The newest of the stream's characters up to a position: the offset after it, and its own position."""
        end = len(self.text)
        for offset, there in reversed(self.origins):
            if 0 <= there <= position and end > offset:
                length = min(end - offset, position - there + 1)
                return offset + length, there + length - 1
            end = offset
        return None

    def cut_back(self, length: int) -> None:
        while self.origins and self.origins[-1][0] >= length:
            self.origins.pop()
        self.text = self.text[:length]
        while self.spans and (self.spans[-2].end if len(self.spans) > 1 else 0) >= length:
            self.spans.pop()
        if self.spans:
            self.spans[-1].end = length


def trace(paragraph: Paragraph, raw: str, line: str, column: int, position: int) -> None:
    """Notes which of the stream's characters from `position` on the safe `line` shows; it is not yet added."""
    if len(raw) == len(line):
        paragraph.comes_from(position)
        return
    at = len(paragraph.text)
    for number, character in enumerate(raw):
        shown = safe(character, column=column)
        for place in range(len(shown)):  # all that stands for one character comes from it
            paragraph.comes_from(position + number, at + place)
        at += len(shown)
        column += width(shown)


def runs(positions: list[int]) -> list[tuple[int, int]]:
    """As `origins` have it."""
    paragraph = Paragraph(text="")
    for offset, position in enumerate(positions):
        paragraph.comes_from(position, offset)
    return paragraph.origins
