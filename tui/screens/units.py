"""The units inside the network that tell something of the text: a list, and one of them over a passage."""

from __future__ import annotations

from typing import ClassVar

from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from charrnn.engine.questions.units import RankedUnit, RankUnits, UnitsRanked
from tui import keys, palette
from tui.asking import Asking
from tui.panes.frame import Pane, Part
from tui.screens.covering import Covering
from tui.screens.picking import PickRows
from tui.screens.units_sample import UnitSample
from tui.terminal import pad
from tui.unit_lens import LEGEND, spark_pieces

Row = list[tuple[str, Style]]

NAME, TELLS, BAR = 10, 23, 10
WORDS = {
    "inside quotes": "inside quotes",
    "inside brackets": "inside brackets",
    "position in line": "late in the line",
    "word start": "at word starts",
    "capital": "at capitals",
    "digit": "at digits",
    "indentation": "in indentation",
}
"""What follows "high" or "low" for each property."""
ORDERS = ("in turns", "by AUC", "by place")


def tells_words(tells: str, auc: float) -> str:
    """What a unit does where the property holds: "high inside quotes"."""
    return f"{'high' if auc >= 0.5 else 'low'} {WORDS.get(tells, tells)}"


def folded(auc: float) -> float:
    """The AUC of the unit or of its opposite, whichever tells more."""
    return max(auc, 1 - auc)


class UnitRows(PickRows):
    """The units with what they tell; `only` is the property that they are listed for, "" for each unit's own."""

    def __init__(self) -> None:
        super().__init__(id="unit-rows")
        self.ranked: UnitsRanked | None = None
        self.only = ""
        self.order = 0
        self.in_use = ""
        self.units: list[tuple[RankedUnit, str, float, float]] = []

    def list_units(self) -> None:
        """Makes the rows anew: another list, property or order. The highlight stays on its unit, if that is there."""
        here = self.units[self.at][0].name if self.units else ""
        ranked = self.ranked
        if ranked is not None and ranked.share >= 1:
            chosen = []
            for unit in ranked.units:
                tells, (auc, score) = unit.tells, (unit.auc, unit.score)
                if self.only:
                    tells, (auc, score) = self.only, unit.every[ranked.properties.index(self.only)]
                if score > 0 or (self.only and folded(auc) > 0.9):
                    chosen.append((unit, tells, auc, score))
            if self.only:
                chosen.sort(key=lambda one: (-one[3], -folded(one[2])))
            if ORDERS[self.order] == "by AUC":
                chosen.sort(key=lambda one: -folded(one[2]))
            elif ORDERS[self.order] == "by place":
                chosen.sort(key=lambda one: _place(one[0].name))
            self.units = chosen
            names = [one[0].name for one in chosen]
            self.at = names.index(here) if here in names else 0
        self.draw()

    def draw(self) -> None:
        """Fits the rows to the width."""
        ranked = self.ranked
        if ranked is None or ranked.share < 1:
            share = f", {ranked.share:.0%}" if ranked is not None and ranked.share else ""
            self.put([], f"reading a sample of the corpus, and comparing every unit with it{share}…")
        elif not self.units:
            least = "No unit tells more of the text than chance would: let it train, then r ranks again."
            self.put([], f"No unit tells “{self.only}”; p goes on to the next property." if self.only else least)
        else:
            self.put([self._row(*one) for one in self.units])
        if self.size.height:
            self.top = min(max(self.top, self.at - self.size.height + 1), self.at, self.last_top)

    def _row(self, unit: RankedUnit, tells: str, auc: float, score: float) -> Row:
        room = self.text_columns - 2 - NAME - TELLS - 12
        bars = BAR if room >= BAR + 14 else 0
        using = unit.name == self.in_use
        row: Row = [
            (pad(f"{'●' if using else ' '}{unit.name}", NAME), palette.ACCENT_STRONG if using else palette.STRONG),
            (pad(tells_words(tells, auc), TELLS), palette.PLAIN),
            (f"{folded(auc):.3f}  ", palette.PLAIN),
            (f"{score:.2f} ", palette.ACCENT if score else palette.QUIET),
        ]
        if bars:
            row.append((pad("━" * max(1, round(bars * score)) if score else "·", bars), palette.ACCENT))
            room -= bars
        if room >= 4:
            row += [(" ", palette.PLAIN), *spark_pieces(_thinned(unit.values, room - 2))]
        return row

    def on_resize(self, event: events.Resize) -> None:
        self.draw()

    def highlight(self, number: int) -> None:
        super().highlight(number)
        self._tell()

    def _tell(self) -> None:
        screen = self.screen
        if isinstance(screen, UnitsScreen):
            screen.show_sample()

    def picked(self, number: int) -> None:
        screen = self.screen
        if isinstance(screen, UnitsScreen):
            screen.action_choose()

    def on_click(self, event: events.Click) -> None:
        """A click highlights; one on what is highlighted chooses it."""
        number = self.top + event.y
        if number < len(self.rows):
            if number == self.at:
                self.picked(number)
            else:
                self.highlight(number)


class UnitsScreen(Covering[str | None]):
    """Answers with the unit that stream and corpus are to be seen through, "" for none any more, None for as before."""

    AUTO_FOCUS = "#unit-rows"
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("units")
    DEFAULT_CSS = """
    UnitsScreen { layout: vertical; }
    UnitsScreen #unit-sample { height: 12; }
    """

    def __init__(self, in_use: str) -> None:
        super().__init__()
        self._rows = UnitRows()
        self._rows.in_use = in_use
        self._sample = UnitSample()
        self._list = Pane("Units", self._rows, id="units")
        self._passage = Pane("Unit", self._sample, id="unit-sample")
        self._number = 0

    def compose(self) -> ComposeResult:
        yield self._list
        yield self._passage

    @property
    def _asking(self) -> Asking:
        app = self.app
        assert isinstance(app, Asking)
        return app

    def on_mount(self) -> None:
        self._asking.hearers.add(UnitsRanked, self.hear)
        self.action_rank()

    def on_unmount(self) -> None:
        self._asking.hearers.remove(UnitsRanked, self.hear)
        if self._asking.session.connected:
            self._asking.session.send(RankUnits(0))

    def on_resize(self, event: events.Resize) -> None:
        rows = event.size.height
        self._passage.styles.height = 14 if rows >= 30 else 11 if rows >= 22 else 9
        self._sample.refresh()

    # ---- what there is ---------------------------------------------------------------------------------------

    def hear(self, ranked: UnitsRanked) -> None:
        """How far the ranking has come, or what it found; the list there is stays until there is another."""
        if ranked.number != self._number:
            return
        before = self._rows.ranked
        if ranked.share >= 1 or before is None or before.share < 1:
            self._rows.ranked = ranked
            self._rows.list_units()
        self._show_frame(ranked.share)
        if ranked.share >= 1:
            self.show_sample()

    def show_sample(self) -> None:
        """The passage in the light of the highlighted unit."""
        rows, ranked = self._rows, self._rows.ranked
        if ranked is None or ranked.share < 1:
            return
        if not rows.units:
            self._passage.upper.show([Part("Unit", palette.STRONG)])
            self._sample.show(ranked.sample, b"")
            return
        unit, tells, auc, _ = rows.units[rows.at]
        at = ranked.properties.index(tells)
        words = f"{unit.name} is {tells_words(tells, auc)}"
        others = [
            f"{tells_words(name, found[0])} {folded(found[0]):.2f}"
            for name, found in zip(ranked.properties, unit.every, strict=True)
            if ranked.properties.index(name) != at and found[1] > 0 and folded(found[0]) > 0.7
        ]
        also = f"also {', '.join(others[:2])}" if others else ""
        legend = [Part(text, style, 3) for text, style in LEGEND]
        self._passage.upper.show([Part(words, palette.ACCENT_STRONG, 1)], [Part(also, palette.QUIET, 4), *legend])
        self._sample.show(ranked.sample, unit.values)

    def _show_frame(self, share: float = 1.0) -> None:
        rows, ranked = self._rows, self._rows.ranked
        upper = [Part("AUC, score against chance, over the passage", palette.QUIET, 4, "AUC, score")]
        title = f"for {rows.only}" if rows.only else "Cells that mean something"
        state = []
        if ranked is not None and ranked.share >= 1:
            step = f"step {ranked.step:,}"
            state = [Part(f"{step}, {ranked.of:,} units over {ranked.characters:,} characters", palette.QUIET, 6, step)]
        if share < 1:
            state = [Part(f"ranking {share:.0%}", palette.ACCENT, 2)]
        self._list.upper.show([Part("Units", palette.STRONG, 1), Part(title, palette.ACCENT, 3)], upper)
        self._list.lower.show([], state)
        using = bool(rows.units) and rows.units[rows.at][0].name == rows.in_use
        self._passage.lower.show(
            [Part("enter look no more" if using else "enter look through it", rank=1), Part("esc closes", rank=2)],
            [
                Part("p property", palette.QUIET, 3),
                Part(f"s {ORDERS[(rows.order + 1) % len(ORDERS)]}", palette.QUIET, 5),
                Part("r rank again", palette.QUIET, 4),
            ],
        )

    # ---- keys ------------------------------------------------------------------------------------------------

    def action_rank(self) -> None:
        self._number += 1
        self._show_frame(0.0)
        if not self._asking.ask(RankUnits(self._number)):
            self._rows.put([], "The engine has gone: esc, and enter starts it again.")

    def action_property(self, direction: int = 1) -> None:
        ranked = self._rows.ranked
        if ranked is None or ranked.share < 1:
            return
        choices = ["", *ranked.properties]
        self._rows.only = choices[(choices.index(self._rows.only) + direction) % len(choices)]
        self._again()

    def action_sort(self) -> None:
        self._rows.order = (self._rows.order + 1) % len(ORDERS)
        self._again()

    def _again(self) -> None:
        self._rows.at = 0
        self._rows.units = []
        self._rows.list_units()
        self._show_frame()
        self.show_sample()

    def action_choose(self) -> None:
        if self._rows.units:
            unit = self._rows.units[self._rows.at][0].name
            self.dismiss("" if unit == self._rows.in_use else unit)

    def action_close(self) -> None:
        self.dismiss(None)


def _place(name: str) -> tuple[int, str, int]:
    """By layer, kind, number."""
    kind, _, rest = name.partition(" ")
    layer, _, number = rest.partition("·")
    return int(layer), kind, int(number)


def _thinned(values: bytes, columns: int) -> bytes:
    """As many bytes as there are columns: the first of the passage, where there are more."""
    return values[:columns]
