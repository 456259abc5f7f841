"""The stream: what the model writes, as it writes it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual import events
from textual.app import ComposeResult

from charrnn.config import Knobs
from charrnn.engine.messages import Generated
from tui import palette
from tui.backlog import Backlog
from tui.lenses import Lens, seen_through
from tui.panes.choosing_keys import ChoosingKeys
from tui.panes.frame import Pane, Part
from tui.panes.prime import PrimeInput
from tui.paragraph import Kind
from tui.stream_surprise import SurpriseLens
from tui.transcript import Transcript

STYLES: dict[Kind, Style] = {
    "text": palette.PLAIN,
    "prime": palette.PRIME,
    "mark": palette.ACCENT,
    "pending": palette.ACCENT_STRONG,
    "rule": palette.QUIET,
    "quiet": palette.QUIET,
}


class StreamText(ChoosingKeys):
    """The text itself. It follows its end until the user scrolls up."""

    def __init__(self) -> None:
        super().__init__(id="stream-text")
        self.following = True
        self.lens: Lens | None = None
        self.waiting = ""
        self.surprise = SurpriseLens()
        self._follows_again = False
        self._rows_drawn = 0

    def row_count(self) -> int:
        return len(self.transcript.index) if self.transcript.characters else 1

    def row_segments(self, number: int) -> Sequence[tuple[str, Style]]:
        if not self.transcript.characters:
            return [(self.waiting, palette.QUIET)]
        pieces = [(text, STYLES[kind]) for text, kind in self.transcript.row(number)]
        if self.lens is not None:
            pieces = list(seen_through(self.lens, pieces, self.transcript.positions(number)))
        return self.with_cursor(number, pieces)

    def look_through(self, lens: Lens | None) -> None:
        """Draws the text through a lens, or without one."""
        self.lens = lens
        self.refresh()
        self.pane.show_lower()

    def continues(self, number: int) -> bool:
        return bool(self.transcript.characters and self.transcript.index[number][1])

    def bar(self) -> tuple[int, int] | None:
        """None while the end is followed: it would have to be drawn anew for every row, and to tell the same."""
        return None if self.following else super().bar()

    def selecting(self, busy: bool) -> None:
        """Text stays under the pointer: nothing is followed meanwhile."""
        self.refresh()
        if busy:
            self._follows_again, self.following = self._follows_again or self.following, False
        elif self._follows_again:
            self._follows_again = False
            self.follow()

    def on_resize(self, event: events.Resize) -> None:
        self.fit_again()
        if self.choosing:
            self.draw_panel()

    def fit_again(self) -> None:
        """There is another size, or another part of it for the text."""
        if self.transcript.columns != self.text_columns:
            share = self.top / max(1, self.row_count())
            self.transcript.rewrap(self.text_columns)
            self.select(None)
            self.top = int(share * self.row_count())
        self.top = self.last_top if self.following else min(self.top, self.last_top)
        self.refresh()

    def forget(self) -> None:
        old = self.transcript
        self.transcript = Transcript(old.columns, old.limit)
        self.top, self._rows_drawn, self.following = 0, 0, True
        self.surprise.forget()
        self.refresh()

    def begin_again(self) -> None:
        """What comes next is from another engine."""
        self.transcript.begin_again()
        self.surprise.forget()

    def draw(self) -> None:
        """Brings the screen up to the transcript, by the rows that changed."""
        dropped, self.transcript.dropped_rows = self.transcript.dropped_rows, 0
        changed = self.transcript.take_changed()
        if dropped:
            self.move_selection(-dropped)
        if dropped < 0:
            # Text was put in front: what is in sight stays in sight.
            self.top -= dropped
            self._rows_drawn -= dropped
        elif dropped and not self.following:
            self.top = max(0, self.top - dropped)
        if self.transcript.take_went_back():
            self.select(None)
            self.top = min(self.top, self.last_top)
            self.refresh()
        if self.following and self.top != self.last_top:
            self.top = self.last_top
            self.refresh()
        elif dropped:
            self.refresh()
        else:
            self.refresh_rows(changed, max(self._rows_drawn, self.row_count()))
        self._rows_drawn = self.row_count()
        self.text_grew()

    def scrolled(self) -> None:
        if self._follows_again or self.held:
            return
        following = self.top >= self.last_top
        if following != self.following:
            self.following = following
            self.refresh()
            self.pane.show_lower()

    def lower_changed(self) -> None:
        self.pane.show_lower()

    def follow(self) -> None:
        self.following = True
        self.top = self.last_top
        self.refresh()
        self.pane.show_lower()

    @property
    def pane(self) -> GenerationPane:
        pane = self.parent
        assert isinstance(pane, GenerationPane)
        return pane


class GenerationPane(Pane):
    """The stream with its knobs in the title, and the line in which its prime is edited.

    It has no sides: in each new row they would cost as many bytes as the text, and stand in the way of the terminal's
    own copying.
    """

    DEFAULT_CSS = "GenerationPane { height: 1fr; }"
    SIDES = False

    def __init__(self) -> None:
        self.text = StreamText()
        super().__init__("Stream", self.text, id="stream")
        self.input = PrimeInput()
        self._backlog = Backlog(self.text.transcript)
        self._seed: int | None = None
        self._unknown = ""

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.input
        yield self.lower

    # ---- text ------------------------------------------------------------------------------------------------

    def add(self, pieces: Sequence[Generated]) -> None:
        self._backlog.add(pieces)
        self.text.surprise.take(pieces)
        if pieces and pieces[-1].seed != self._seed:
            self._seed = pieces[-1].seed
            self.show_lower()

    def start_over(self) -> None:
        """Forgets all text: the engine tells it from the beginning."""
        self.text.forget()
        self._backlog = Backlog(self.text.transcript)

    def draw(self) -> bool:
        """Brings the screen up to date; whether text still waits for another such call."""
        more = self._backlog.work()
        self.text.draw()
        return more

    def wait_with(self, words: str) -> None:
        """What stands in the pane before there is any text."""
        if words != self.text.waiting:
            self.text.waiting = words
            if not self.text.transcript.characters:
                self.text.refresh()

    # ---- the frame -------------------------------------------------------------------------------------------

    def show_knobs(self, knobs: Knobs, pace: float, learning_rate: float, current_rate: float) -> None:
        """The knobs in the title; when it is narrow the temperature is the last to go."""
        rate = f"lr {learning_rate:.3g}" if learning_rate else ""
        brief = rate if current_rate != learning_rate else ""
        if brief:
            rate = f"lr {current_rate:.3g} of {learning_rate:.3g}"
        self.upper.show(
            [Part(self.title, palette.STRONG, 2)],
            [
                Part("greedy" if knobs.greedy else f"T {knobs.temperature:.2f}", palette.ACCENT_STRONG, 1),
                _knob("top-k", str(knobs.top_k) if knobs.top_k else "", 4),
                _knob("min-p", f"{knobs.min_p:g}" if knobs.min_p > 0 else "", 5),
                _knob("top-p", f"{knobs.top_p:g}" if knobs.top_p < 1 else "", 6),
                Part(f"{pace:g} ch/s" if pace else "still", palette.PLAIN, 3),
                Part(rate, palette.PLAIN, 7, brief),
            ],
        )

    def show_lower(self) -> None:
        """The lower line: what editing needs to know, that following is off, or the seed."""
        if self.input.is_open:
            title = Part("prime", palette.STRONG, 1)
            unknown = Part(f"the model does not know {self._unknown}" if self._unknown else "", palette.WARNING, 1)
            help_parts = [Part("enter starts", rank=2), Part("esc leaves", rank=3), Part("\\n is a new line", rank=4)]
            self.lower.show([title, unknown], help_parts)
        elif self.text.choosing:
            state = "held still" if self.text.held else "streaming"
            self.lower.show([Part(f"choices · {state}", palette.ACCENT_STRONG, 1), *self._legend()])
        elif not self.text.following:
            self.lower.show([Part("following off · f to follow", palette.ACCENT)], self._legend())
        else:
            seed = [Part(f"seed {self._seed}", palette.QUIET, 9)] if self._seed is not None else []
            self.lower.show(self._legend(), seed)

    def _legend(self) -> list[Part]:
        """What the lens is called and what its styles mean, if there is one."""
        lens = self.text.lens
        if lens is None:
            return []
        meanings = [Part(words, style, 3 + number) for number, (words, style) in enumerate(lens.legend)]
        return [Part(lens.name, palette.ACCENT, 2), *meanings]

    # ---- the prime -------------------------------------------------------------------------------------------

    def edit(self, prime: str) -> None:
        self.input.open(prime)
        self.show_lower()

    def leave_editing(self) -> None:
        self.input.close()
        self._unknown = ""
        self.show_lower()
        self.text.focus()

    def show_unknown(self, characters: str) -> None:
        self._unknown = characters
        self.show_lower()


def _knob(name: str, value: str, rank: int) -> Part:
    return Part(f"{name} {value or 'off'}", palette.ACCENT if value else palette.QUIET, rank)
