"""The stream's text as rows: wrapped once, extended at its end, bounded in memory.

It grows by a few characters many times a second, so an addition touches the last row or two and nothing else.
"""

from __future__ import annotations

from collections import deque

from charrnn.config import Knobs
from charrnn.engine.branches import Branches, Range
from charrnn.engine.messages import Generated
from tui.paragraph import Kind, Paragraph, runs, trace
from tui.terminal import breaks, rest_marks, safe, width

LONGEST_PARAGRAPH = 4096
"""A paragraph without a line break is divided here, at a row's beginning, so that adding to it stays cheap."""

SHOWN_ANEW = 20_000
"""Characters that are shown again where the place to which the stream went back is shown no more."""
WENT_BACK = "⟨←⟩"
"""Where another character was taken than before."""


def knob_words(old: Knobs, new: Knobs) -> list[str]:
    """What changed between two settings, in the words of the marks."""
    words: list[str] = []
    if old.greedy != new.greedy:
        words.append("greedy" if new.greedy else "not greedy")
    if old.temperature != new.temperature:
        words.append(f"T {new.temperature:.2f}")
    if old.top_k != new.top_k:
        words.append(f"top-k {new.top_k or 'off'}")
    if old.min_p != new.min_p:
        words.append(f"min-p {f'{new.min_p:g}' if new.min_p > 0 else 'off'}")
    if old.top_p != new.top_p:
        words.append(f"top-p {f'{new.top_p:g}' if new.top_p < 1 else 'off'}")
    return words


def knob_mark(old: Knobs, new: Knobs) -> str:
    """The mark in the text, "" when nothing changed."""
    words = knob_words(old, new)
    # The spaces do not break, so that a mark stands in one row; `Transcript.row` shows them as common ones.
    return f"⟨{' · '.join(words)}⟩".replace(" ", "\u00a0") if words else ""


class Transcript:
    """Everything the stream said, as far back as `limit` characters. Rows are numbered from the oldest kept."""

    def __init__(self, columns: int = 80, limit: int = 1_000_000) -> None:
        self.columns = columns
        self.limit = limit
        self.paragraphs: deque[Paragraph] = deque([Paragraph()])
        self.index: list[tuple[Paragraph, int]] = [(self.paragraphs[0], 0)]
        self.characters = 0
        self.knobs: Knobs | None = None
        self.wanted: Knobs | None = None
        self.changed_from = 0
        self.dropped_rows = 0
        self._stream: int | None = None
        self._position: int | None = None
        self._pending = 0
        self.branches = Branches(limit)
        self._went_back = False

    # ---- growing ---------------------------------------------------------------------------------------------

    def add(self, piece: Generated) -> None:
        """Appends what the engine sent; a changed knob, a new stream and a gap are marked where they are."""
        self._drop_pending()
        self.branches.add(piece)
        if piece.stream != self._stream:
            self._begin_stream(piece)
        elif piece.after is not None and piece.after != self._position:
            self._go_back(piece.after)
        elif self._position is not None and piece.position > self._position and piece.after is None:
            self._append(f"⟨… {piece.position - self._position:,} characters not shown⟩", "quiet")
        self._append_piece(piece)
        self._show_pending()
        self._forget()

    def _append_piece(self, piece: Generated) -> None:
        if self.knobs is not None and not piece.prime:
            self._append(knob_mark(self.knobs, piece.knobs), "mark")
        if not piece.prime or self.knobs is None:
            self.knobs = piece.knobs
        if piece.after is not None and self._took_another(piece):
            self._append(WENT_BACK, "mark")
        self._position = piece.position + len(piece.text)
        self._append(piece.text, "prime" if piece.prime else "text", position=piece.position)

    def _took_another(self, piece: Generated) -> bool:
        """Whether a branch is one, and not the end of another that is gone on with."""
        branch = self.branches.branch_at(piece.position)
        return branch is None or branch.position != piece.position or not self.branches.resumes(branch)

    def _go_back(self, end: int) -> None:
        """Brings the text to what stood before position `end`: takes away what it shares not, adds what is missing."""
        self._went_back = True
        shown, wanted = (self.branches.path(one) for one in (self._position, end))
        shared = -1
        for (first, last), (wanted_first, wanted_last) in zip(shown, wanted, strict=False):
            if first != wanted_first:
                break
            shared = min(last, wanted_last) - 1
            if last != wanted_last:
                break
        there = self._cut_after(shared) if shared >= 0 else None
        if there is None:
            self._clear()
            there = -1
            wanted = _newest(wanted, SHOWN_ANEW)
        pieces = [
            piece for first, last in wanted for piece in self.branches.pieces(max(first, there + 1), last) if piece.text
        ]
        known = self.branches.pieces(there, there + 1) if there >= 0 else []
        self.knobs = known[0].knobs if known else None
        self._position = end
        for piece in pieces:
            self._append_piece(piece)

    def _cut_after(self, position: int) -> int | None:
        """Takes away what stands after the newest character that is shown up to `position`; that one's, if any is."""
        while True:
            paragraph = self.paragraphs[-1]
            found = paragraph.last_up_to(position)
            if found is not None or len(self.paragraphs) == 1:
                break
            self.paragraphs.pop()
            self.characters -= len(paragraph.text) + 1
            del self.index[len(self.index) - len(paragraph.rows) :]
        del self.index[len(self.index) - len(paragraph.rows) :]
        self.changed_from = min(self.changed_from, len(self.index))
        if found is not None:
            self.characters -= len(paragraph.text) - found[0]
            paragraph.cut_back(found[0])
        paragraph.rows = breaks(paragraph.text, self.columns)
        self.index.extend((paragraph, row) for row in range(len(paragraph.rows)))
        return None if found is None else found[1]

    def _clear(self) -> None:
        self.paragraphs = deque([Paragraph()])
        self.index = [(self.paragraphs[0], 0)]
        self.characters = self.changed_from = 0

    def begin_again(self) -> None:
        """What comes next is from another engine, and a stream of its own, whatever its number."""
        self.branches.begin_again()
        if self._stream is not None:
            self._stream = -1
        for paragraph in self.paragraphs:  # positions begin again too
            paragraph.origins = []

    def want(self, knobs: Knobs) -> None:
        """Shows at once, at the end of the text, what the next characters will be made under."""
        self._drop_pending()
        self.wanted = knobs
        self._show_pending()

    def _begin_stream(self, piece: Generated) -> None:
        again = self._stream is not None
        self._stream = piece.stream
        self._position = None
        if self.paragraphs[-1].text:
            self._new_paragraph()
        if again:
            self._new_paragraph()
        self._append(f"── seed {piece.seed} ──", "rule")
        self._new_paragraph()
        self.knobs = None

    def _append(self, text: str, kind: Kind, *, position: int = -1) -> None:
        """Adds text: the stream's from a position on, not yet safe to show, or (−1) our own."""
        lines = text.split("\n")
        for number, line in enumerate(lines):
            if number:
                self._new_paragraph()
            if line:
                self._append_line(line, kind, position)
            if position >= 0:
                position += len(line) + 1

    def _append_line(self, line: str, kind: Kind, position: int) -> None:
        paragraph = self.paragraphs[-1]
        if position >= 0:
            column = width(paragraph.text) if "\t" in line else 0
            raw, line = line, safe(line, column=column)
            if not paragraph.text:
                rested = rest_marks(line)
                if rested != line:
                    paragraph.extend(rested[: len(rested) - len(line)], kind)
                    self.characters += len(rested) - len(line)
            trace(paragraph, raw, line, column, position)
        else:
            paragraph.comes_from(-1)
        paragraph.extend(line, kind)
        self.characters += len(line)
        self._wrap_end()

    def _new_paragraph(self) -> None:
        self.paragraphs.append(Paragraph())
        self.characters += 1
        self.index.append((self.paragraphs[-1], 0))
        self.changed_from = min(self.changed_from, len(self.index) - 1)

    def _wrap_end(self) -> None:
        """Wraps the last paragraph again from the row that its last change can have reached."""
        paragraph = self.paragraphs[-1]
        first = len(paragraph.rows) - 1
        self.changed_from = min(self.changed_from, len(self.index) - 1)
        paragraph.rows[first:] = breaks(paragraph.text, self.columns, paragraph.rows[first])
        self.index.extend((paragraph, row) for row in range(first + 1, len(paragraph.rows)))
        if len(paragraph.text) > LONGEST_PARAGRAPH and not self._pending:
            self._divide(paragraph)

    def _divide(self, paragraph: Paragraph) -> None:
        at = paragraph.rows[-1]
        if not at:
            return
        rest = paragraph.text[at:]
        kind = paragraph.spans[-1].kind
        came = runs(paragraph.positions(at, len(paragraph.text)))
        paragraph.cut_back(at)
        paragraph.rows.pop()
        self.index.pop()
        self._new_paragraph()
        self.paragraphs[-1].origins = came
        self.paragraphs[-1].extend(rest, kind)

    def _drop_pending(self) -> None:
        if not self._pending:
            return
        paragraph = self.paragraphs[-1]
        length = len(paragraph.text) - self._pending
        self.characters -= self._pending
        self._pending = 0
        paragraph.cut_back(length)
        while len(paragraph.rows) > 1 and paragraph.rows[-1] >= length:
            paragraph.rows.pop()
            self.index.pop()
        # A mark can have pulled the word before it into its own row, so that row's beginning is doubtful too.
        if len(paragraph.rows) > 1:
            paragraph.rows.pop()
            self.index.pop()
        self._wrap_end()

    def _show_pending(self) -> None:
        if self.wanted is None or self.knobs is None:
            return
        mark = knob_mark(self.knobs, self.wanted)
        if mark:
            self._pending = len(mark)
            self._append(mark, "pending")

    # ---- what came before ------------------------------------------------------------------------------------

    def follow_on(self, piece: Generated) -> None:
        """An empty transcript begins after `piece`, which another one holds that will stand before this one."""
        self._stream, self.knobs = piece.stream, piece.knobs
        self._position = piece.position + len(piece.text)

    def prepend(self, older: Transcript) -> None:
        """Puts what was said before in front; `older` is of no more use then."""
        if older.columns != self.columns:
            older.rewrap(self.columns)
        if not older.paragraphs[-1].text:
            older.paragraphs.pop()
            older.index.pop()
            older.characters -= 1
        rows = len(older.index)
        self.paragraphs.extendleft(reversed(older.paragraphs))
        self.index[:0] = older.index
        self.characters += older.characters + 1
        self.changed_from += rows
        self.dropped_rows -= rows
        self._forget()

    # ---- bounds ----------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        if self.characters <= self.limit * 1.05:
            return
        rows = 0
        while self.characters > self.limit and len(self.paragraphs) > 1:
            oldest = self.paragraphs.popleft()
            self.characters -= len(oldest.text) + 1
            rows += len(oldest.rows)
        del self.index[:rows]
        self.dropped_rows += rows
        self.changed_from = max(0, self.changed_from - rows)

    # ---- reading ---------------------------------------------------------------------------------------------

    def rewrap(self, columns: int) -> None:
        """Wraps everything for another width."""
        self.columns = columns
        self.index = []
        for paragraph in self.paragraphs:
            paragraph.rows = breaks(paragraph.text, columns)
            self.index.extend((paragraph, row) for row in range(len(paragraph.rows)))
        self.changed_from = 0

    def take_changed(self) -> int:
        """The first row that changed since this was last asked; the number of rows when none did."""
        first, self.changed_from = self.changed_from, len(self.index)
        return first

    def take_went_back(self) -> bool:
        """Whether text was taken away, since this was last asked, because the stream went back."""
        went, self._went_back = self._went_back, False
        return went

    def row(self, number: int) -> list[tuple[str, Kind]]:
        """A row as pieces of text, each of one kind."""
        paragraph, row = self.index[number]
        start = paragraph.rows[row]
        end = paragraph.rows[row + 1] if row + 1 < len(paragraph.rows) else len(paragraph.text)
        pieces: list[tuple[str, Kind]] = []
        for span in paragraph.spans:
            if span.end <= start:
                continue
            stop = min(span.end, end)
            text = paragraph.text[start:stop]
            pieces.append((text.replace("\u00a0", " ") if span.kind in {"mark", "pending"} else text, span.kind))
            start = stop
            if start >= end:
                break
        return pieces

    def positions(self, number: int) -> list[int]:
        """The stream's position of each character of a row's text, −1 where it is none of its: of marks and rules."""
        paragraph, row = self.index[number]
        end = paragraph.rows[row + 1] if row + 1 < len(paragraph.rows) else len(paragraph.text)
        return paragraph.positions(paragraph.rows[row], end)

    def said(self) -> str:
        """The present stream's own characters, its prime included, as the model sees them: not made safe."""
        return self.branches.said()


def _newest(ranges: list[Range], characters: int) -> list[Range]:
    """The end of the text of these positions."""
    found: list[Range] = []
    for first, end in reversed(ranges):
        found.append((max(first, end - characters), end))
        characters -= end - found[-1][0]
        if characters <= 0:
            break
    return found[::-1]
