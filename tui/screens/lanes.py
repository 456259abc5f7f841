"""The lanes: several streams side by side, from one prime and in step."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from charrnn.config import Knobs
from charrnn.engine.questions.lanes import (
    LONGEST_PRIME,
    MOST_LANES,
    MOST_PACE,
    CloseLanes,
    LaneOpened,
    LanesEnded,
    LanesOpened,
    LanesText,
    OpenLanes,
    TuneLanes,
)
from tui import keys, palette, turning
from tui.escapes import written
from tui.lane_text import LaneText
from tui.lanes import Plan, Varies, by_seed, by_temperature, by_weights
from tui.notices import Notices
from tui.panes.frame import Pane, Part
from tui.panes.lane_columns import Column, LaneColumns
from tui.panes.prime import PrimeInput
from tui.panes.status import BottomBar, newest_loss
from tui.pulse import Pulse, rates
from tui.screens.covering import Covering
from tui.session import Session
from tui.terminal import fit, safe_line, wrap

if TYPE_CHECKING:
    from tui.app import Workbench

EXPLAINED_FROM = 22
"""Rows of a screen from which on the two sentences stand there unasked."""
KEPT = ("pause", "slower", "faster")
"""Keys of the whole workbench that mean the same here."""
TITLES_EVERY, TITLES_EVERY_SLOWLY = 1.0, 4.0
"""Seconds between two looks at the live step and loss."""
KINDS: tuple[tuple[Varies, str, str, str], ...] = (
    ("temperature", "lanes-temperatures", "temperatures", "temps"),
    ("seed", "lanes-seeds", "seeds", "seeds"),
    ("weights", "lanes-weights", "checkpoints and runs", "runs"),
)
"""What can vary, the id of the key for it, and how it is called, at length and in brief."""
_UNDERLINED = Style(underline=True)
_numbers = count(1)


class Explanation(Widget):
    """Two sentences for one who sees lanes for the first time."""

    DEFAULT_CSS = "Explanation { width: 1fr; height: 2; }"

    def __init__(self) -> None:
        super().__init__(id="lanes-explained")
        self._words = ""

    def show(self, words: str, columns: int) -> None:
        """As many rows as they need."""
        rows = len(wrap(words, max(1, columns - 4)))
        if words != self._words or self.styles.height is None or self.styles.height.value != rows:
            self._words = words
            self.styles.height = rows
            self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        rows = wrap(self._words, max(1, columns - 4))
        words = rows[y] if y < len(rows) else ""
        return Strip([Segment("  "), Segment(words, palette.QUIET)]).adjust_cell_length(columns)


class LanesScreen(Covering["Plan | None"]):
    """Answers with the lanes as they were last. Only its own keys mean something while it is open."""

    AUTO_FOCUS = "#lane-columns"
    CSS = "LanesScreen { layout: vertical; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("lanes"),
        *(
            Binding(",".join(key.keys), f"app.{key.action}", key.description, show=False, id=key.id)
            for key in keys.TABLE
            if key.id in KEPT
        ),
        Binding("escape", "app.lane('close')", show=False),
        Binding("up", "scroll(-1)", show=False),
        Binding("down", "scroll(1)", show=False),
        Binding("pageup", "scroll_pages(-1)", show=False),
        Binding("pagedown", "scroll_pages(1)", show=False),
    ]
    app: Workbench

    def __init__(self, plan: Plan) -> None:
        super().__init__(name="lanes")
        self._plan = plan
        self._number = 0
        self._opened: list[LaneOpened] = []
        self._live_step = 0
        self._held = False
        self._connected = True
        self._session: Session | None = None
        self._explained: bool | None = None
        self._columns = LaneColumns()
        self._pane = Pane("Lanes", self._columns, id="lanes")
        self._explanation = Explanation()
        self._input = PrimeInput(name="lanes-prime")
        self._bar = BottomBar()
        self.notices = Notices(self._bar)
        self._pulse: Pulse | None = None

    @property
    def is_modal(self) -> bool:
        """Keys that arrange or steer what is covered would do so unseen."""
        return True

    def compose(self) -> ComposeResult:
        yield self._pane
        yield self._explanation
        yield self._input
        yield self._bar

    def on_mount(self) -> None:
        self._session = self.app.session
        slow = self.app.settings.slow
        self._pulse = Pulse(rates(slow).stream, self._columns.draw)
        self._input.cursor_blink = self.app.settings.animation
        self._input.alphabet = self.app.panes.stream.input.alphabet
        kinds = ((LanesOpened, self._hear_opened), (LanesText, self._hear_text), (LanesEnded, self._hear_ended))
        for kind, hear in kinds:
            self.app.hearers.add(kind, hear)  # type: ignore[arg-type]
        self._put(self.app.size)
        kept = {key.id for key in keys.TABLE if not key.pane and key.id not in KEPT}
        self._bar.show_keys(keys.footer("lanes", self.app.table, idle=kept))
        self.set_interval(TITLES_EVERY_SLOWLY if slow else TITLES_EVERY, self._draw_titles)
        self.open()

    def on_unmount(self) -> None:
        for kind, hear in (
            (LanesOpened, self._hear_opened),
            (LanesText, self._hear_text),
            (LanesEnded, self._hear_ended),
        ):
            self.app.hearers.remove(kind, hear)  # type: ignore[arg-type]
        if self._pulse is not None:
            self._pulse.stop()
        if self.app.session.connected:
            self.app.session.send(CloseLanes())

    def on_resize(self, event: events.Resize) -> None:
        self._put(event.size)

    def _put(self, size: Size) -> None:
        self._bar.put(size)
        self._pane.set_class(size.height < 14 or size.width < 50, "-bare")
        explained = self._explained
        if explained is None:
            explained = size.height >= EXPLAINED_FROM
        self._explanation.display = explained
        self._explanation.show(self._plan.explained, size.width)

    # ---- the engine ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Asks for the lanes as they are to be now, from the prime."""
        self._number = next(_numbers)
        self._opened, self._held = [], False
        plan = self._plan
        self._columns.put([Column(plan.name(at), LaneText(plan.prime, 1, 1)) for at in range(len(plan.wishes))])
        self._explanation.show(plan.explained, self.app.size.width)
        self._draw_titles()
        if not self.app.ask(OpenLanes(self._number, plan.prime, list(plan.wishes))):
            self._say("error", "The engine has gone; esc leads back, and enter starts it again there.", None)

    def _tune(self) -> None:
        if self.app.session.connected:
            self.app.session.send(TuneLanes([wish.knobs for wish in self._plan.wishes], self._held))

    def _hear_opened(self, answer: LanesOpened) -> None:
        if answer.number != self._number or len(answer.lanes) != len(self._columns.lanes):
            return
        self._opened = answer.lanes
        self._live_step = max((one.step for one in answer.lanes if one.live), default=self._live_step)
        for column, one in zip(self._columns.lanes, answer.lanes, strict=True):
            column.problem = safe_line(one.problem)
        unknown = "".join(dict.fromkeys("".join(one.unknown for one in answer.lanes)))
        if unknown:
            named = " ".join(written(character) for character in unknown)
            self._say("warning", f"Left out of the prime where a model does not know it: {named}")
        if any(one.problem for one in answer.lanes):
            self._columns.fit()
        self._draw_titles()

    def _hear_text(self, answer: LanesText) -> None:
        if answer.number != self._number or self._pulse is None:
            return
        self._live_step = answer.step
        for column, piece in zip(self._columns.lanes, answer.texts, strict=False):
            column.text.add(piece, follow=self._columns.following)
        self._pulse.soon()

    def _hear_ended(self, answer: LanesEnded) -> None:
        if answer.number == self._number and answer.words:
            self._say("error", answer.words, None)

    # ---- drawing ---------------------------------------------------------------------------------------------

    def _say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        self.notices.say(level, text, seconds)

    def _draw_titles(self) -> None:
        """The frame's lines and the lanes' titles, as far as they are others now."""
        session, plan = self.app.session, self._plan
        if session is not self._session:  # another run was opened over this one
            if self.is_current:
                self.dismiss(None)
            return
        if session.connected and not self._connected:  # another engine: it knows nothing of these lanes
            self._connected = True
            self.open()
            return
        self._connected = session.connected
        loss = newest_loss(session)
        for at, column in enumerate(self._columns.lanes):
            opened = self._opened[at] if at < len(self._opened) else None
            known = None if opened is None or opened.problem else loss if opened.live else opened.loss
            said = "" if known is None else self.app.chart_view.text(known, 2 if self.size.width < 100 else 3)
            column.name = plan.name(at)
            column.rest = plan.rest(at, opened, self._live_step, f"loss {said}" if said else "")
        self._columns.draw_heads()
        self._draw_frame()

    def _draw_frame(self) -> None:
        session, plan, columns = self.app.session, self._plan, self._columns
        pace = f"{min(session.pace, MOST_PACE):g} ch/s" if session.pace else "still"
        standing = Part("held still · h goes on", palette.WARNING, 2, "held")
        gone = Part("the engine has gone", palette.ERROR, 2)
        state = gone if not session.connected else standing if self._held else Part(pace, palette.PLAIN, 3)
        self._pane.upper.show(
            [Part("Lanes", palette.STRONG, 1), *self._kinds()],
            [Part(safe_line(session.state), palette.QUIET, 9), state],
        )
        shown, lanes = columns.shown, len(columns.lanes)
        where = f"lanes {shown.start + 1} to {shown.stop} of {lanes}" if len(shown) < lanes else ""
        seeds = {wish.seed for wish in plan.wishes}
        seed = f"seed {min(seeds)}" if len(seeds) == 1 else ""
        behind = "" if columns.following else "following off · f to follow"
        prime = fit(written(plan.prime), 40) or "nothing"
        self._pane.lower.show(
            [Part("prime", palette.QUIET, 5), Part(prime, palette.PRIME, 5, fit(prime, 16))],
            [Part(behind, palette.ACCENT, 1), Part(where, palette.ACCENT, 2), Part(seed, palette.QUIET, 4)],
        )

    def _kinds(self) -> list[Part]:
        """What lanes can be of, with the keys for it; what they are of now stands out, without colour too."""
        shown = {key.id: key.shown.split()[0] for key in self.app.table if key.shown}
        parts = []
        for rank, (varies, name, words, brief) in enumerate(KINDS, 4):
            now = varies == self._plan.varies
            style = palette.ACCENT_STRONG + _UNDERLINED if now else palette.QUIET
            key = shown.get(name, "")
            parts.append(Part(f"{key} {words}".lstrip(), style, 2 if now else rank, f"{key} {brief}".lstrip()))
        return parts

    # ---- keys ------------------------------------------------------------------------------------------------

    def do(self, what: str) -> None:
        """What a key of the lanes says, by the name that its action has."""
        getattr(self, f"_do_{what}")()

    @property
    def _at(self) -> int:
        return min(self._columns.chosen, len(self._plan.wishes) - 1)

    def _now(self, plan: Plan) -> None:
        """Other lanes than before, from the prime."""
        self._plan = plan
        self.open()

    def _do_temperatures(self) -> None:
        self._now(by_temperature(self.app.session.knobs, self._plan.wishes[0].seed, self._plan.prime))

    def _do_seeds(self) -> None:
        self._now(by_seed(self.app.session.knobs, self._plan.wishes[0].seed, self._plan.prime))

    def _do_weights(self) -> None:
        from tui.screens.lane_choices import LaneChoices

        plan = self._plan
        chosen = [(wish.run, wish.checkpoint) for wish in plan.wishes] if plan.varies == "weights" else None
        self.app.push_screen(LaneChoices(chosen), self._chose)

    def _chose(self, chosen: list[tuple[str, str]] | None) -> None:
        if chosen:
            wish = self._plan.wishes[0]
            knobs = wish.knobs if self._plan.varies == "weights" else self.app.session.knobs
            self._now(by_weights(knobs, wish.seed, self._plan.prime, chosen))

    def _do_add(self) -> None:
        if self._plan.varies == "weights":
            self._do_weights()
        elif len(self._plan.wishes) >= MOST_LANES:
            self._say("info", f"{MOST_LANES} lanes are the most; x takes one away.")
        else:
            self._columns.chosen = len(self._plan.wishes)
            self._now(self._plan.with_one_more(self._at))

    def _do_remove(self) -> None:
        if len(self._plan.wishes) == 1:
            self._say("info", "The last lane stays; esc leads back to the stream.")
        else:
            self._now(self._plan.without(self._at))

    def _do_again(self) -> None:
        self._now(self._plan.with_new_seeds())

    def _do_before(self) -> None:
        self._choose(self._at - 1)

    def _do_after(self) -> None:
        self._choose(self._at + 1)

    def _choose(self, lane: int) -> None:
        self._columns.choose(lane)
        self._draw_frame()

    def _turn(self, knobs: Knobs) -> None:
        self._plan = self._plan.with_knobs(self._at, knobs)
        self._tune()
        self._draw_titles()

    def _do_colder(self) -> None:
        self._turn(turning.warmer(self._plan.wishes[self._at].knobs, -1))

    def _do_warmer(self) -> None:
        self._turn(turning.warmer(self._plan.wishes[self._at].knobs, 1))

    def _do_top_k(self) -> None:
        self._turn(turning.with_next_top_k(self._plan.wishes[self._at].knobs))

    def _do_nucleus(self) -> None:
        self._turn(turning.with_next_nucleus(self._plan.wishes[self._at].knobs))

    def _do_hold(self) -> None:
        self._held = not self._held
        self._tune()
        self._draw_frame()

    def _do_take(self) -> None:
        knobs = self._plan.wishes[self._at].knobs
        self.app.session.set_knobs(knobs)
        self.app._turned()
        self._say("info", f"The stream takes the knobs of this lane: {knobs.in_brief}.")

    def _do_copy(self) -> None:
        plan = self._plan
        texts = [
            f"── {' · '.join([column.name, *column.rest, f'seed {wish.seed}'])} ──\n{column.text.said}\n"
            for column, wish in zip(self._columns.lanes, plan.wishes, strict=True)
            if column.text.characters
        ]
        if texts:
            self.app._copy("\n".join(texts))
        else:
            self._say("info", "There is no text to copy yet.")

    def _do_follow(self) -> None:
        self._columns.follow()
        self._draw_frame()

    def _do_explain(self) -> None:
        shown = self._explanation.display
        self._explained = None if shown else True
        self._put(self.app.size)
        if shown:
            self.app.help_on("lanes")

    def _do_close(self) -> None:
        self.dismiss(self._plan)

    def action_scroll(self, rows: int) -> None:
        self._columns.scroll(rows)
        self._draw_frame()

    def action_scroll_pages(self, pages: int) -> None:
        self.action_scroll(pages * max(1, self._columns.text_height - 1))

    # ---- the mouse, the prime --------------------------------------------------------------------------------

    def on_lane_columns_clicked(self, message: LaneColumns.Clicked) -> None:
        self._choose(message.lane)

    def on_lane_columns_scrolled(self, message: LaneColumns.Scrolled) -> None:
        self.action_scroll(message.rows)

    def _do_prime(self) -> None:
        self._input.open(self._plan.prime)

    def on_prime_input_applied(self, message: PrimeInput.Applied) -> None:
        message.stop()
        if len(message.prime) > LONGEST_PRIME:
            self._say("warning", f"Lanes start from {LONGEST_PRIME:,} characters at most; shorten the prime.")
            return
        self._leave_prime()
        self._now(Plan(self._plan.varies, message.prime, self._plan.wishes))

    def on_prime_input_left(self, message: PrimeInput.Left) -> None:
        message.stop()
        self._leave_prime()

    def on_prime_input_unknown(self, message: PrimeInput.Unknown) -> None:
        message.stop()
        if message.characters:
            self._say("warning", f"This model does not know {message.characters}")

    def _leave_prime(self) -> None:
        self._input.close()
        self._columns.focus()
