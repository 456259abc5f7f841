"""The corpus pane: what is known of the corpus, all of its text, the search in it, and where the streams read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from rich.style import Style
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from charrnn.engine.corpus_messages import (
    CorpusAnswer,
    CorpusFound,
    CorpusRequest,
    CorpusSearched,
    CorpusWindow,
    CountSymbols,
    FindInCorpus,
    StreamPlaces,
)
from charrnn.engine.messages import BaselinesFound, CorpusInfo, ModelInfo
from tui import keys, palette
from tui.panes.corpus_eyes import LOOK_AFTER, Eyes
from tui.panes.corpus_facts import fact_lines
from tui.panes.corpus_input import CorpusInput, place_in
from tui.panes.corpus_text import CorpusText, Row
from tui.panes.frame import Pane, Part
from tui.panes.strip import PositionStrip
from tui.terminal import fit, safe_line, wrap

LEAST_ROWS = 5
"""Rows of text below which the strip would take too large a part of the pane."""


@dataclass
class Find:
    """The search that is on, or was the last. `begun` is where it set out."""

    number: int = 0
    text: str = ""
    begun: int = 0
    backwards: bool = False
    waiting: bool = False

    @property
    def shown(self) -> str:
        return f"“{fit(safe_line(self.text).replace(' ', '␣'), 24)}”"


class CorpusPane(Pane):
    """`send` gives the engine a request."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("corpus"),
        Binding("escape", "corpus_clear", show=False),
    ]

    def __init__(self) -> None:
        self.text = CorpusText()
        super().__init__("Corpus", self.text, id="corpus")
        self.input = CorpusInput()
        self.strip = PositionStrip()
        self.text.around = self
        self.eyes = Eyes(self, self.text)
        self.send: Callable[[CorpusRequest], None] = lambda _: None
        self._info: CorpusInfo | None = None
        self._baselines: BaselinesFound | None = None
        self._sampling = ""
        self._places: list[int] = []
        self._streams = 0
        self._find = Find()
        self._along: int | None = None
        self._said = Part("")

    def compose(self) -> ComposeResult:
        yield self.upper
        yield self.body
        yield self.strip
        yield self.input
        yield self.lower

    # ---- what the engine says --------------------------------------------------------------------------------

    def show_corpus(self, info: CorpusInfo) -> None:
        self._info = info
        self.show_title()
        self.input.know(info.alphabet)
        if self._find.waiting:  # another engine has not heard of it
            self._find.waiting = False
            self._said = Part("")
        self.text.begin(info.characters, info.held_out_at, info.head)
        self._show_place()

    def show_title(self) -> None:
        """The pane's title, and how the text is seen."""
        if self._info is not None:
            seen = self.eyes.parts(self._info.held_out_at) if self.eyes.on else []
            name = Part(safe_line(self._info.name), palette.ACCENT, 4 if seen else 2)
            self.upper.show([Part(self.title, palette.STRONG), *seen], [name])

    def show_baselines(self, found: BaselinesFound) -> None:
        self._baselines = found
        self.text.show_facts()

    def show_model(self, model: ModelInfo) -> None:
        self._sampling = model.config.training.sampling_of_text
        self._show_place()

    def hear(self, answer: CorpusAnswer) -> None:
        match answer:
            case CorpusWindow():
                self.text.put(answer)
                self._show_place()
            case CorpusFound() if answer.number == self._find.number:
                self._found(answer)
            case CorpusSearched(number, share) if number == self._find.number:
                self._say(f"searching for {self._find.shown}: {share:.0%} · esc ends it", palette.QUIET)
            case StreamPlaces(streams, places):
                self._streams, self._places = streams, places
                self.text.show_places(places)
                if self._along is not None:
                    self._go_along()
                self._show_place()
            case _:
                pass

    # ---- what the text asks ----------------------------------------------------------------------------------

    def facts(self, columns: int, rows: int) -> list[Row]:
        if self._info is None:
            return [[("reading the corpus…", palette.QUIET)]]
        lines = fact_lines(self._info, self._baselines, columns, rows)
        return [[(row, style)] for text, style in lines for row in wrap(text, columns)]

    def ask(self, request: CorpusRequest) -> None:
        self.send(request)

    def text_moved(self, *, by_hand: bool) -> None:
        if by_hand and self._along is not None:
            self._along = None
            self._say("")
        self._show_place()
        if self.eyes.on:
            self.eyes.moved()
            self.show_title()

    def _show_place(self) -> None:
        info = self._info
        if info is None:
            return
        self.strip.display = self.size.height == 0 or self.size.height - 3 >= LEAST_ROWS
        first, end = self.text.sight
        share = 100 if end >= info.characters else 100 * first // max(1, info.characters)
        readers = f"{self._streams:,} stream{'s' * (self._streams != 1)}" if self._streams else ""
        if self._sampling not in ("", "stream"):
            readers = f"{safe_line(self._sampling)} portions"
        self.lower.show(
            [
                Part(
                    f"character {first:,} of {info.characters:,} · {share} %",
                    palette.PLAIN,
                    2,
                    f"{first:,} · {share} %",
                )
            ],
            [self._said, Part(readers if not self._said.text else "", palette.QUIET, 3)],
        )
        self.strip.show(info.characters, info.held_out_at, (first, max(first, end - 1)), self._places)

    def _say(self, words: str, style: Style | None = None, brief: str = "") -> None:
        """Words in the lower line until there are others."""
        self._said = Part(words, style or palette.ACCENT, 1, brief)
        self._show_place()

    # ---- finding ---------------------------------------------------------------------------------------------

    def action_corpus_find(self) -> None:
        self._leave_stream()
        self._say("enter finds · esc leaves", palette.QUIET)
        self.input.ask_what(self._find.text)

    def action_corpus_match(self, direction: int) -> None:
        if not self._find.text:
            self.action_corpus_find()
            return
        at = self.text.sight[0] if self.text.found is None else self.text.found
        self._search(self._find.text, at + (direction > 0 and self.text.found is not None), backwards=direction < 0)

    def _search(self, text: str, at: int, *, backwards: bool = False) -> None:
        self._leave_stream()
        self._find = Find(self._find.number + 1, text, at, backwards, waiting=True)
        self._say(f"searching for {self._find.shown}", palette.QUIET)
        self.ask(FindInCorpus(self._find.number, text, at, backwards))

    def _found(self, answer: CorpusFound) -> None:
        find = self._find
        find.waiting = False
        if answer.at is None:
            self.text.show_matches(find.text, None)
            self._say(answer.problem or f"not found: {find.shown}", palette.WARNING)
            return
        around = answer.at >= find.begun if find.backwards else answer.at < find.begun
        self.text.show_matches(find.text, answer.at)
        self.text.go(answer.at, self.text.size.height // 3)
        self._say(f"{find.shown} at {answer.at:,}" + (", come around" if around else ""))

    def on_corpus_input_applied(self, message: CorpusInput.Applied) -> None:
        message.stop()
        if self.input.going:
            self._go_to(message.prime)
            return
        self._close_input()
        if message.prime:
            self._search(message.prime, self.text.sight[0])
        else:
            self.action_corpus_clear()

    def on_corpus_input_left(self, message: CorpusInput.Left) -> None:
        message.stop()
        self._close_input()

    def on_corpus_input_unknown(self, message: CorpusInput.Unknown) -> None:
        message.stop()
        if self.input.is_open:
            words = f"the corpus has no {message.characters}" if message.characters else "enter finds · esc leaves"
            self._say(words, palette.WARNING if message.characters else palette.QUIET)

    def _close_input(self) -> None:
        self.input.close()
        self._say("")
        self.text.focus()

    def action_corpus_clear(self) -> None:
        """Ends a search that is on, takes the marks of the last one away, and goes along with no stream."""
        self._leave_stream()
        if self._find.waiting:
            self._find = Find(self._find.number + 1, self._find.text)
            self.ask(FindInCorpus(self._find.number, "", 0))
        self.text.show_matches("", None)
        self._say("")

    def action_corpus_alphabet(self) -> None:
        self.ask(CountSymbols())

    async def action_corpus_passages(self) -> None:
        await self.run_action("app.corpus_passages")

    # ---- the model's eyes ------------------------------------------------------------------------------------

    def on_mount(self) -> None:
        self.set_interval(LOOK_AFTER, self._look_after)

    def on_unmount(self) -> None:
        if self.eyes.on:
            self.eyes.close()

    def _look_after(self) -> None:
        if self.eyes.on:
            self.eyes.look_after()

    def action_corpus_eyes(self) -> None:
        """Colours the text by surprise, or no longer."""
        if self.eyes.on:
            self.eyes.close()
        else:
            self.eyes.open()
        self.show_title()

    # ---- going -----------------------------------------------------------------------------------------------

    def action_corpus_go(self) -> None:
        self._leave_stream()
        self._say("enter goes there · esc leaves", palette.QUIET)
        self.input.ask_where()

    def _go_to(self, words: str) -> None:
        characters = self._info.characters if self._info else 0
        place = place_in(words, characters)
        if place is None:
            last = max(0, characters - 1)
            places = f"0 % to 100 %, or 0 to {last:,}"
            self._say(f"places are {places}", palette.WARNING, places)
            return
        self._close_input()
        self.go(place)

    def go(self, place: int) -> None:
        """Brings a character to the top; the first one with what stands above it."""
        self._leave_stream()
        self.text.go(place, 0 if place else len(self.text.facts))

    def go_to_passage(self, at: int, text: str) -> None:
        """Brings a passage into sight and marks it; esc takes the mark away."""
        self._leave_stream()
        if not self.eyes.on:
            self.text.show_matches(text, at)
        self.text.go(at, self.text.size.height // 3)

    def on_position_strip_clicked(self, message: PositionStrip.Clicked) -> None:
        message.stop()
        self.go(message.character)
        self.text.focus()

    def action_corpus_held_out(self) -> None:
        self._leave_stream()
        info = self._info
        if info is not None and info.held_out_at < info.characters:
            self.text.go(info.held_out_at, 1)
        else:
            self._say("nothing is held out", palette.WARNING)

    def action_corpus_reader(self) -> None:
        """Goes along with the first stream, or the next."""
        if self._places:
            self._along = 0 if self._along is None else (self._along + 1) % len(self._places)
            self._go_along()
        elif self._sampling not in ("", "stream"):
            self._say("portions are random: no streams", palette.WARNING)
        else:
            self._say("no stream has read yet", palette.WARNING)

    def _go_along(self) -> None:
        assert self._along is not None
        along = self._along = self._along % max(1, len(self._places))
        self.text.go(self._places[along], self.text.size.height // 3)
        number = along * self._streams // max(1, len(self._places)) + 1
        self._say(f"along with stream {number:,} of {self._streams:,}")

    def _leave_stream(self) -> None:
        if self._along is not None:
            self._along = None
            self._say("")
