"""What the keys do to the lanes on the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from charrnn.config import Knobs
from charrnn.engine.questions.lanes import MOST_LANES, TuneLanes
from tui import turning
from tui.lanes import Plan, by_seed, by_temperature, by_weights
from tui.panes.lane_columns import LaneColumns
from tui.panes.prime import PrimeInput
from tui.screens.covering import Covering

if TYPE_CHECKING:
    from tui.app import Workbench


class LanesKeys(Covering["Plan | None"]):
    """`do` is called with the names that the actions of the keys have; the screen draws and speaks with the engine."""

    app: Workbench
    _plan: Plan
    _columns: LaneColumns
    _input: PrimeInput
    _held = False

    def open(self) -> None:
        """Asks for the lanes as they are to be now, from the prime."""
        raise NotImplementedError

    def _say(self, level: str, text: str, seconds: float | None = 0.0) -> None:
        raise NotImplementedError

    def _draw_titles(self) -> None:
        raise NotImplementedError

    def _draw_frame(self) -> None:
        raise NotImplementedError

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

    def _tune(self) -> None:
        if self.app.session.connected:
            self.app.session.send(TuneLanes([wish.knobs for wish in self._plan.wishes], self._held))

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

    def _do_close(self) -> None:
        self.dismiss(self._plan)

    def action_scroll(self, rows: int) -> None:
        self._columns.scroll(rows)
        self._draw_frame()

    def action_scroll_pages(self, pages: int) -> None:
        self.action_scroll(pages * max(1, self._columns.text_height - 1))

    def _do_prime(self) -> None:
        self._input.open(self._plan.prime)
        self._draw_frame()
