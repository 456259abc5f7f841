"""The screen on which a text is typed and read by the live model at once: what surprises it, and what it expected."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from typing import ClassVar, Protocol, runtime_checkable

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.timer import Timer

from charrnn.engine.questions.reading import LONGEST_TEXT, TextSeen, WatchText
from tui import keys, palette
from tui.lenses import Lens
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.foot import Foot
from tui.screens.reading_panel import Expectations, Spots
from tui.screens.typed_text import TypedText
from tui.terminal import fit, safe_line
from tui.text_surprise import NOTHING, SurpriseLens
from tui.typed import Typed

HELP = (
    "Each character is coloured by its surprise, −log of the probability that the model gave it: what is faint went "
    "without saying, what is reversed nobody would have guessed. Move the cursor to see what the model expected there; "
    "the figures follow while it learns."
)
TYPED_FOR = 0.06
"""Seconds from a change to the question, in which more of them may come."""
TYPED_FOR_WHEN_SLOW = 0.3
LOOK_AFTER = 2.0
"""Seconds between two looks whether there is another engine, which has to be asked anew."""
WIDE, HIGH = 100, 20
"""Columns from which on the panel stands beside the text; rows from which on the spots have room below it."""
NAMED = 3
"""Characters that the model does not know which are named."""


@runtime_checkable
class OfText(Protocol):
    """A lens on the text that asks the engine itself: it is told each text, and "" when the screen closes."""

    def text_is(self, text: str) -> None: ...


class ReadingScreen(Covering[None]):
    """`ask` puts a question to the engine; `typed` is the text, which outlives the screen.

    `lenses` are what the text can be looked at through, the surprise first: a lens with `text_is` is told the text.
    """

    AUTO_FOCUS = "#typed-text"
    CSS = """
    ReadingScreen #reading-upper { layout: horizontal; height: 1fr; width: 1fr; }
    ReadingScreen #reading-panel { layout: vertical; width: 44; height: 1fr; }
    ReadingScreen #at-cursor { height: 9; }
    ReadingScreen.-narrow #reading-upper { layout: vertical; }
    ReadingScreen.-narrow #reading-panel { layout: horizontal; width: 1fr; height: 8; }
    ReadingScreen.-narrow #at-cursor { width: 32; height: 1fr; }
    ReadingScreen.-small #reading-panel { height: 8; }
    ReadingScreen.-small #surprises { display: none; }
    ReadingScreen.-small #at-cursor { width: 1fr; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [*keys.bindings("reading"), Binding("v", "next_lens", show=False)]

    def __init__(self, typed: Typed, ask: Callable[[WatchText], bool], *, slow: bool = False) -> None:
        super().__init__()
        self.typed = typed
        self.surprise = SurpriseLens()
        self.surprise.replaced(0, 0, len(typed.text))
        self.lenses: list[Lens] = [self.surprise]
        self.text = TypedText(typed, self.surprise)
        self.expectations, self.spots = Expectations(), Spots()
        self.seen: TextSeen | None = None
        self._pane = Pane("Your text", self.text, id="your-text")
        self._cursor_pane = Pane("At the cursor", self.expectations, id="at-cursor")
        self._spots_pane = Pane("Most surprising", self.spots, id="surprises")
        self._panel = Container(self._cursor_pane, self._spots_pane, id="reading-panel")
        self._foot = Foot(HELP)
        self._explained: bool | None = None
        self._ask, self._slow = ask, slow
        self._number, self._answered = 0, 0
        self._asked = ""
        self._said = ""
        self._soon: Timer | None = None
        self._welcome: object = None

    @property
    def lens(self) -> Lens | None:
        """What the text is seen through."""
        return self.text.lens

    def compose(self) -> ComposeResult:
        yield Container(self._pane, self._panel, id="reading-upper")
        yield Horizontal(self._foot)

    def on_mount(self) -> None:
        self.typed.told = self._replaced
        self.app.hearers.add(TextSeen, self.hear)  # type: ignore[attr-defined]
        self.query_one(Horizontal).styles.height = "auto"
        self._spots_pane.upper.show([Part("Most surprising", palette.STRONG)], [Part("nats", palette.QUIET, 2)])
        self._show()
        self._put_to()
        self.set_interval(LOOK_AFTER, self._look_after)

    def on_unmount(self) -> None:
        self.typed.told = lambda at, removed, added: None
        self.app.hearers.remove(TextSeen, self.hear)  # type: ignore[attr-defined]
        if self._asked and self.app.session.connected:  # type: ignore[attr-defined]
            self._ask(WatchText(self._number + 1, ""))
        self._tell_lenses("")

    def on_resize(self, event: events.Resize) -> None:
        columns, rows = event.size
        self.set_class(columns < WIDE, "-narrow")
        self.set_class(columns < WIDE and (rows < HIGH or columns < 64), "-small")
        self._explain(rows >= HIGH if self._explained is None else self._explained)

    def _explain(self, wanted: bool) -> None:
        """Where there is little room it stands in the panel's place."""
        self._foot.display = wanted
        self._panel.display = not (wanted and self.has_class("-small"))

    # ---- asking and hearing ----------------------------------------------------------------------------------

    def _put_to(self) -> None:
        """Asks the engine for the text as it is; an empty one only ends what was asked before."""
        self._soon = None
        text = self.typed.text
        if text or self._asked:
            self._number += 1
            self._welcome = self.app.session.welcome  # type: ignore[attr-defined]
            self._asked = text if self._ask(WatchText(self._number, text, self.typed.cursor)) else ""
        self._tell_lenses(text)
        self._show()

    def _tell_lenses(self, text: str) -> None:
        for lens in self.lenses:
            if isinstance(lens, OfText):
                lens.text_is(text)

    def _look_after(self) -> None:
        session = self.app.session  # type: ignore[attr-defined]
        if session.connected and self.typed.text and (self._welcome is not session.welcome or not self._asked):
            self._put_to()
        self._show()

    def hear(self, seen: TextSeen) -> None:
        """What the engine made of the text; of an older one it is of no use."""
        if seen.number != self._number or self._asked != self.typed.text:
            return
        self._answered, self.seen = seen.number, seen
        before = self.text.levels_in_sight()
        self.surprise.take(0, seen.nats)
        strange, self.text.strange = self.text.strange, seen.unknown
        if strange != seen.unknown:
            self.text.refresh()
        else:
            self.text.draw_changed(before)
        self.spots.show(seen.spots, self.typed.text)
        self._show()

    # ---- what the text tells ---------------------------------------------------------------------------------

    def _replaced(self, at: int, removed: int, added: int) -> None:
        self.surprise.replaced(at, removed, added)

    def on_typed_text_changed(self, message: TypedText.Changed) -> None:
        self._said = ""
        if message.lost:
            self._said = f"{message.lost:,} characters left out: {LONGEST_TEXT:,} at most are read"
        self.seen = None
        if not self.typed.text:
            self.spots.show([], "")
            self.text.refresh()
        if self._soon is None:
            self._soon = self.set_timer(TYPED_FOR_WHEN_SLOW if self._slow else TYPED_FOR, self._put_to)
        self._show()

    def on_typed_text_moved(self) -> None:
        seen, at = self.seen, self.typed.cursor
        if seen is not None and not seen.first <= at < seen.first + len(seen.expected):
            self._put_to()
        self._show()

    def on_spots_chosen(self, message: Spots.Chosen) -> None:
        self.text.go(message.at)
        self.text.focus()

    # ---- what is shown beside it -----------------------------------------------------------------------------

    def _show(self) -> None:
        typed, seen = self.typed, self.seen
        at = typed.cursor
        nats = self.surprise.nats[at] if at < len(self.surprise.nats) else NOTHING
        self.expectations.show(typed.text, at, seen, nats)
        lens = self.lens.name if self.lens is not None else "no lens"
        legend = self.lens.legend if self.lens is not None else ()
        parts = [Part(words, style, 3 + number % 2) for number, (words, style) in enumerate(legend)]
        self._pane.upper.show([Part("Your text", palette.STRONG, 1), Part(safe_line(lens), palette.ACCENT, 2)], parts)
        self._pane.lower.show(*self._lower())
        step = f"step {seen.step:,}" if seen is not None else ""
        self._cursor_pane.lower.show([], [Part(step, palette.QUIET, 2)])
        self._spots_pane.lower.show([Part("tab · enter goes there", palette.QUIET, 2)])

    def _lower(self) -> tuple[list[Part], list[Part]]:
        mean, known = self.surprise.mean()
        left: list[Part] = []
        if self._said:
            left.append(Part(self._said, palette.WARNING, 1))
        elif not self.app.session.connected:  # type: ignore[attr-defined]
            left.append(Part("the engine has gone", palette.WARNING, 1))
        elif self.text.strange:
            brief = f"unknown: {fit(' '.join(safe_line(self.text.strange)), 12)}"
            words = brief if self.has_class("-narrow") else f"unknown: {_named(self.text.strange)}"
            left.append(Part(words, palette.WARNING, 3, "" if len(words) < 24 else brief))
        if known:
            bits, perplexity = mean / math.log(2), math.exp(min(mean, 700.0))
            words = f"{mean:.2f} nats · {bits:.2f} bits · perplexity {perplexity:.1f} per character"
            left.append(Part(words, palette.STRONG, 1, f"{mean:.2f} nats · {bits:.2f} bits · {perplexity:.1f}"))
        count = len(self.typed.text)
        right = [Part(f"{count:,} characters" if count else "", palette.QUIET, 5), Part("esc closes", palette.PLAIN, 2)]
        if not self.has_class("-small"):
            right.insert(1, Part("f3 next surprise", palette.QUIET, 6))
        if self.has_class("-small"):
            right.append(Part("f1 help", palette.QUIET, 4))
        return left, right

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_close(self) -> None:
        self.dismiss()

    def action_explain(self) -> None:
        self._explained = not self._foot.display
        self._explain(self._explained)

    def action_next_lens(self) -> None:
        place = 0 if self.lens is None else self.lenses.index(self.lens) + 1
        self.text.lens = self.lenses[place] if place < len(self.lenses) else None
        self.text.refresh()
        self._show()

    def action_next_spot(self) -> None:
        """The nearest spot behind the cursor; from the last one on, the first."""
        places = sorted(spot.at for spot in self.seen.spots) if self.seen is not None else []
        if places:
            self.text.go(next((place for place in places if place > self.typed.cursor), places[0]))
        self.text.focus()

    def action_undo(self) -> None:
        if not self.text.undo():
            self.app.bell()

    def action_redo(self) -> None:
        if not self.text.redo():
            self.app.bell()

    def action_clear(self) -> None:
        self.text.clear()


def _named(strange: str) -> str:
    """The characters that the model does not know, the first few by their names."""
    names = [f"{safe_line(one)} {unicodedata.name(one, 'no name').lower()}" for one in strange[:NAMED]]
    more = f" and {len(strange) - NAMED} more" if len(strange) > NAMED else ""
    return fit(", ".join(names), 60) + more
