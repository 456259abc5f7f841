"""What is chosen for a new run: a preset, a device, and to begin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from charrnn.presets import PRESETS
from tui import keys, palette
from tui.panes.status import compact
from tui.screens.opening_fields import LABEL, Field
from tui.terminal import pad
from tui.words import size_in_words, span_in_words

if TYPE_CHECKING:
    from charrnn.engine.estimates import Estimate

_NAME, _NETWORK, _FIGURE = 8, 13, 8


class Chooser(Widget, can_focus=True):
    """Something with a choice in it: arrows choose, at the ends they leave for the field above or below."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *keys.bindings("new run"),
        Binding("up,left", "choose(-1)", show=False),
        Binding("down,right", "choose(1)", show=False),
        Binding("enter", "submit", show=False),
    ]

    class Changed(Message):
        pass

    class Submitted(Message):
        """Enter on it."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self.options: Sequence[str] = ()
        self.at = 0

    @property
    def chosen(self) -> str:
        return self.options[self.at] if self.options else ""

    def choose(self, option: str) -> None:
        if option in self.options and option != self.chosen:
            self.at = self.options.index(option)
            self.refresh()
            self.post_message(self.Changed())

    def action_choose(self, step: int) -> None:
        at = self.at + step
        if 0 <= at < len(self.options):
            self.choose(self.options[at])
        else:
            self.post_message(Field.Moved(step))

    def action_submit(self) -> None:
        self.post_message(self.Submitted())

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()


class Presets(Chooser):
    """The presets, a row each, with what each means here; the chosen one alone where there is room for one row."""

    DEFAULT_CSS = "Presets { height: 5; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="presets")
        self.options = tuple(PRESETS)
        self.estimates: dict[str, Estimate] = {}
        self._measuring = False

    def show(self, found: list[Estimate], *, measuring: bool) -> None:
        """What the presets mean for the text; nothing is known for an empty list."""
        estimates = {one.preset: one for one in found}
        if (estimates, measuring) != (self.estimates, self._measuring):
            self.estimates, self._measuring = estimates, measuring
            self.refresh()

    @property
    def estimate(self) -> Estimate | None:
        """Of the chosen one."""
        return self.estimates.get(self.chosen)

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        brief = self.size.height == 1
        if y == 0 and not brief:
            return Strip([Segment(self._header(columns), palette.QUIET)]).adjust_cell_length(columns)
        number = self.at if brief else y - 1
        if number >= len(self.options):
            return Strip.blank(columns)
        name = self.options[number]
        marked = number == self.at
        pointer = ("▐" if self.has_focus and marked else " ") + ("● " if marked else "○ ") if not brief else "‹ "
        style = palette.ACCENT_STRONG if marked and self.has_focus else palette.STRONG if marked else palette.PLAIN
        segments = [
            Segment(pointer, palette.ACCENT if marked else palette.QUIET),
            Segment(pad(name, _NAME), style),
            *self._figures(name, columns, palette.PLAIN if marked else palette.QUIET),
        ]
        return Strip(segments).adjust_cell_length(columns)

    def _shown(self, columns: int) -> list[str]:
        """Which figures fit, in their order."""
        kept = ["network", "params", "chars/s", "a pass", "memory"]
        for name in ("network", "params", "memory"):
            if 3 + _NAME + sum(_NETWORK if one == "network" else _FIGURE for one in kept) > columns:
                kept.remove(name)
        return kept

    def _header(self, columns: int) -> str:
        words = [pad(one, _NETWORK) if one == "network" else f"{one:>{_FIGURE}}" for one in self._shown(columns)]
        return " " * 3 + pad("preset", _NAME) + "".join(words)

    def _figures(self, name: str, columns: int, style: Style) -> list[Segment]:
        one = self.estimates.get(name)
        if one is None:
            return []
        unknown = "…" if self._measuring else "–"
        texts = {
            "network": pad(one.network, _NETWORK),
            "params": f"{compact(one.parameters):>{_FIGURE}}",
            "chars/s": f"{'≈' + compact(one.speed) if one.speed else unknown:>{_FIGURE}}",
            "a pass": f"{span_in_words(one.pass_seconds) if one.pass_seconds else unknown:>{_FIGURE}}",
            "memory": f"{size_in_words(one.memory):>{_FIGURE}}",
        }
        return [Segment(texts[kind], style) for kind in self._shown(columns)]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        number = event.y - 1
        if self.size.height > 1 and 0 <= number < len(self.options):
            self.choose(self.options[number])


class Devices(Chooser):
    """Where to train, in one row; there only where there is a choice."""

    DEFAULT_CSS = "Devices { height: 1; width: 1fr; display: none; }"

    def __init__(self) -> None:
        super().__init__(id="devices")
        self.options = ("auto",)

    def show(self, devices: Sequence[str]) -> None:
        if len(devices) > 1:
            self.options = ("auto", *devices)
            self.display = True

    def render_line(self, y: int) -> Strip:
        segments = [Segment(pad("Device", LABEL), palette.QUIET)]
        for number, name in enumerate(self.options):
            marked = number == self.at
            style = palette.ACCENT_STRONG if marked and self.has_focus else palette.STRONG if marked else palette.QUIET
            segments.append(Segment(f"{'●' if marked else '○'} {name}   ", style))
        return Strip(segments).adjust_cell_length(self.size.width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        at = LABEL
        for name in self.options:
            at += len(name) + 5
            if event.x < at:
                self.choose(name)
                return


class Begin(Chooser):
    """The row that begins the run, with what will be begun."""

    DEFAULT_CSS = "Begin { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="begin")
        self._words = ""

    def show(self, words: str) -> None:
        if words != self._words:
            self._words = words
            self.refresh()

    def render_line(self, y: int) -> Strip:
        focus = self.has_focus
        style = (palette.ACCENT_STRONG + Style(reverse=True)) if focus else palette.ACCENT_STRONG
        segments = [Segment(" Begin training ", style), Segment("  "), Segment(self._words, palette.QUIET)]
        return Strip(segments).adjust_cell_length(self.size.width)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.action_submit()
