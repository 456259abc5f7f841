"""The corpus's text, however long: what is known of it, then the text, of which only what is near is held."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

from rich.style import Style
from textual import events

from charrnn.engine.corpus_messages import CorpusRequest, CorpusWindow, ReadCorpus
from tui import palette
from tui.lenses import UNKNOWN, Lens
from tui.pages import Page, Pages, shown, within
from tui.panes.rows import Rows
from tui.terminal import width

Line = tuple[str, Style]
Row = Sequence[Line]

PATIENCE = 3.0
"""Seconds after which a window is asked for again."""
_MATCH, _FOUND, _READER = 1, 2, 3


class Around(Protocol):
    """The pane: says what is known of the corpus, asks the engine, and hears that the text was moved, and by whom."""

    def facts(self, columns: int, rows: int) -> list[Row]: ...

    def ask(self, request: CorpusRequest) -> None: ...

    def text_moved(self, *, by_hand: bool) -> None: ...


class CorpusText(Rows):
    """Rows are numbered from the first that is held; above the text's first character stand the `facts`."""

    def __init__(self) -> None:
        super().__init__(id="corpus-text")
        self.facts: list[Row] = []
        self.around: Around | None = None
        self.pages: Pages | None = None
        self._what: tuple[int, int, int] | None = None
        self.wanted = ""
        self.found: int | None = None
        self._places: list[int] = []
        self._goal: tuple[int, int] | None = None
        self._asked: int | None = None
        self._asked_at = 0.0
        self.lens: Lens | None = None

    # ---- what there is ---------------------------------------------------------------------------------------

    def begin(self, characters: int, held_out_at: int, head: str) -> None:
        """A corpus is there; of its text only the head as yet."""
        self._asked = None
        what = characters, held_out_at, hash(head)
        if self.pages is None or self._what != what:
            self._what = what
            self.pages = Pages(characters, held_out_at, self._columns)
            self.pages.begin_with(head)
            self.top = 0
        self.facts = self._facts()
        self._ask_for_missing()
        self.refresh()

    def show_facts(self) -> None:
        """What is known may have changed; the text in sight stays where it is."""
        facts = self._facts()
        if facts != self.facts:
            anchor, above = self._held_place(), self._above()
            self.facts = facts
            self._hold(anchor)
            if anchor[0] < 0:
                self.move_selection(self._above() - above)
            self.refresh()

    def put(self, window: CorpusWindow) -> None:
        """Takes in what the engine has sent, if it is still of use."""
        pages, end = self.pages, window.at + len(window.text)
        if pages is None or not window.text:
            return
        if self._asked is not None and window.at <= self._asked < end:
            self._asked = None
        near = window.at <= pages.end and end >= pages.first
        if not near and not (self._goal and window.at <= self._goal[0] < end):
            return
        anchor = self._held_place()
        pages.put(window.at, window.text)
        self._hold(anchor)
        self._settle()
        before = self._above()
        anchor = self._held_place()
        pages.forget(self.top - before, self.size.height)
        self._hold(anchor)
        self._ask_for_missing()
        self.refresh()

    def _facts(self) -> list[Row]:
        return self.around.facts(self._columns, self.size.height) if self.around is not None else []

    def show_places(self, places: list[int]) -> None:
        """Marks where the streams read; draws the rows in sight that have or had a mark."""
        before, self._places = self._places, sorted(places)
        for number in range(self.top, min(self.top + self.size.height, self.row_count())):
            first, end = self.span(number)
            if within(before, first, end) != within(self._places, first, end):
                self.refresh_rows(number, number + 1)

    def show_matches(self, wanted: str, found: int | None) -> None:
        """Marks every match of what is wanted, and most of all the one that was found."""
        if (wanted, found) != (self.wanted, self.found):
            self.wanted, self.found = wanted, found
            self.refresh()

    # ---- where it is -----------------------------------------------------------------------------------------

    @property
    def _columns(self) -> int:
        return self.text_columns if self.size.width > 2 else 80

    def _above(self) -> int:
        return len(self.facts) if self.pages is None or self.pages.first == 0 else 0

    def span(self, number: int) -> tuple[int, int]:
        """The characters of a row; of the facts none."""
        number -= self._above()
        if self.pages is None or number < 0:
            return 0, 0
        page, row = self.pages.find(number)
        return page.span(row)

    @property
    def sight(self) -> tuple[int, int]:
        """The first character in sight and the one after the last."""
        rows = self.row_count()
        if self.pages is None or not rows or not self.size.height:
            return 0, 0
        last = min(self.top + self.size.height, rows) - 1
        return self.span(min(self.top, rows - 1))[0], self.span(last)[1]

    def _held_place(self) -> tuple[int, int]:
        """The row at the top, as it can be found again: a character of it, and how many rows it stands above that.

        Of the facts: −1, and its number.
        """
        number = self.top - self._above()
        if self.pages is None or number < 0 or not self.pages.rows:
            return -1, self.top
        page, row = self.pages.find(min(number, self.pages.rows - 1))
        return page.span(row)[0], int(page.ruled and row == 0)

    def _hold(self, anchor: tuple[int, int]) -> None:
        if self.pages is not None:
            character, above = anchor
            if character < 0:
                top = min(above, self._above())
            else:
                top = self._above() + self.pages.row_of(character) - above
                if character in self.pages:
                    self.move_selection(top - self.top)
                else:
                    self.select(None)
            self.top = min(max(0, top), self.last_top)

    def go(self, character: int, above: int) -> None:
        """Brings a character into sight, `above` rows under the top."""
        if self.pages is None:
            return
        self._goal = (min(max(0, character), max(0, self.pages.characters - 1)), above)
        self._settle()
        self._ask_for_missing()

    def _settle(self) -> None:
        """As near to where the user wants to be as what is held allows."""
        if self.pages is None or self._goal is None or self._goal[0] not in self.pages:
            return
        character, above = self._goal
        top = self._above() + self.pages.row_of(character) - above
        short = (top < 0 and self.pages.first > 0) or (top > self.last_top and self.pages.end < self.pages.characters)
        if not short:
            self._goal = None
        top = min(max(0, top), self.last_top)
        if top != self.top:
            self.top = top
            self.refresh()
        self._told(by_hand=False)

    def _ask_for_missing(self) -> None:
        if self.pages is None or self.around is None or not self.size.height:
            return
        going = self._goal is not None and self._goal[0] not in self.pages
        wanted = self.pages.missing(self.top - self._above(), self.size.height)
        if going and self._goal is not None:
            wanted = self._goal[0]
        waiting = self._asked is not None and time.monotonic() - self._asked_at < PATIENCE
        if wanted is None or (waiting and (wanted == self._asked or not going)):
            return
        self._asked, self._asked_at = wanted, time.monotonic()
        self.around.ask(ReadCorpus(wanted))

    def _told(self, *, by_hand: bool) -> None:
        if self.around is not None:
            self.around.text_moved(by_hand=by_hand)

    # ---- rows ------------------------------------------------------------------------------------------------

    def row_count(self) -> int:
        return self._above() + (self.pages.rows if self.pages is not None else 0)

    def row_segments(self, number: int) -> Row:
        above = self._above()
        if number < above or self.pages is None:
            return self.facts[number]
        page, row = self.pages.find(number - above)
        if page.ruled and row == 0:
            label = f"── held out from character {self.pages.held_out_at:,} "
            return [(label + "─" * (self.text_columns - width(label)), palette.ACCENT)]
        return self._text_row(page, row)

    def continues(self, number: int) -> bool:
        """Also over the border of two windows, which need not be a line's end."""
        above = self._above()
        if self.pages is None or number <= above:
            return False
        (page, row), (before, row_before) = self.pages.find(number - above), self.pages.find(number - above - 1)
        if page.ruled and row == 0:
            return False
        first, end = before.span(row_before)
        return first < end and not before.text[first - before.at : end - before.at].endswith("\n")

    def _text_row(self, page: Page, row: int) -> Row:
        first, end = page.span(row)
        raw = page.text[first - page.at : end - page.at]
        text = raw.removesuffix("\n")
        styles = self._styles(page, first, raw)
        if all(style is palette.PLAIN for style in styles):
            return [(shown(text), palette.PLAIN)]
        drawn = shown(text)
        line: list[Line] = []
        begin = 0
        while begin < len(text):
            stop = begin
            while stop < len(text) and styles[stop] == styles[begin]:
                stop += 1
            left, right = len(shown(text[:begin])) if begin else 0, len(shown(text[:stop]))
            line.append((drawn[left:right], styles[begin]))
            begin = stop
        if len(raw) > len(text) and styles[-1] is not palette.PLAIN:  # what is marked is the line break
            line.append((" ", styles[-1]))
        return line

    def look_through(self, lens: Lens | None) -> None:
        """Draws the text through a lens, whose positions are the text's characters, or without one."""
        self.lens = lens
        self.refresh()

    def _styles(self, page: Page, first: int, raw: str) -> list[Style]:
        """Of each character of a row: what it is marked as, else what the lens makes of it."""
        seen = [palette.PLAIN] * len(raw)
        if self.lens is not None:
            styles = self.lens.styles
            levels = self.lens.levels(first, first + len(raw))
            seen = [palette.PLAIN if level == UNKNOWN else styles[level] for level in levels]
            if raw.endswith("\n"):
                seen[-1] = palette.PLAIN
        return [
            _style(kind) if kind else style for kind, style in zip(self._kinds(page, first, raw), seen, strict=True)
        ]

    def _kinds(self, page: Page, first: int, raw: str) -> bytearray:
        """What each character of a row is marked as: nothing, a match, the match that was found, a stream's place."""
        kinds = bytearray(len(raw))
        if self.wanted:
            inside, size = first - page.at, len(self.wanted)
            for match in within(page.matches(self.wanted), inside - size + 1, inside + len(raw)):
                _mark(kinds, match - inside, size, _MATCH)
            if self.found is not None:
                _mark(kinds, self.found - first, size, _FOUND)
        for place in within(self._places, first, first + len(raw)):
            kinds[place - first] = _READER
        return kinds

    def bar(self) -> tuple[int, int] | None:
        """By the place in the whole text."""
        height, pages = self.size.height, self.pages
        if pages is None or not self.has_focus or (self.row_count() <= height and pages.end >= pages.characters):
            return None
        first, end = self.sight
        length = min(height, max(1, round(height * (end - first) / max(1, pages.characters))))
        begin = round((height - length) * first / max(1, pages.characters - (end - first)))
        return min(begin, height - length), min(begin, height - length) + length

    # ---- moving ----------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        self.select(None)
        anchor = self._held_place()
        if self.pages is not None:
            self.pages.wrap(self._columns)
        self.facts = self._facts()
        self._hold(anchor)
        self._told(by_hand=False)
        self._ask_for_missing()
        self.refresh()

    def scrolled(self) -> None:
        self._goal = None
        self._ask_for_missing()
        self._told(by_hand=True)

    def action_scroll_to_top(self) -> None:
        self.go(0, len(self.facts))
        self._told(by_hand=True)

    def action_scroll_to_end(self) -> None:
        if self.pages is not None:
            self.go(self.pages.characters - 1, self.size.height - 1)
        self._told(by_hand=True)


def _mark(kinds: bytearray, at: int, size: int, kind: int) -> None:
    begin, end = max(0, at), min(len(kinds), at + size)
    if begin < end:
        kinds[begin:end] = bytes([kind]) * (end - begin)


def _style(kind: int) -> Style:
    if kind == _FOUND:
        return palette.ACCENT_STRONG + Style(reverse=True)
    if kind == _MATCH:
        return palette.STRONG + Style(underline=True)
    return palette.PLAIN + Style(reverse=True)
