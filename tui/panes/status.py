"""The first and the last row of the screen: what goes on, and which keys there are or what there is to say."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.strip import Strip
from textual.widget import Widget

from tui import keys, palette
from tui.layout import too_small_text
from tui.panes.frame import Part, choose
from tui.session import Session
from tui.terminal import fit, safe_line, width, wrap

STATES: dict[str, tuple[str, Style]] = {
    "starting": ("◌", palette.QUIET),
    "training": ("●", palette.GOOD),
    "paused": ("○", palette.WARNING),
    "saving": ("●", palette.ACCENT),
    "restarting": ("◌", palette.WARNING),
    "stopping": ("■", palette.ACCENT),
    "finished": ("■", palette.GOOD),
    "failed": ("✗", palette.ERROR),
    "disconnected": ("✗", palette.ERROR),
}
LONGEST_NAME = 16
LEVELS = {"info": palette.ACCENT, "warning": palette.WARNING, "error": palette.ERROR}


def compact(number: float) -> str:
    """1,234 as it is; from ten thousand on 56.7k, 890k, 1.2M: at most five cells."""
    for limit, divisor, unit in ((1e4, 1.0, ""), (1e6, 1e3, "k"), (1e9, 1e6, "M"), (1e12, 1e9, "G")):
        if number < limit:
            scaled = number / divisor
            return f"{scaled:,.0f}{unit}" if not unit or scaled >= 99.95 else f"{scaled:.1f}{unit}"
    return f"{number:.0e}"


def duration(seconds: float) -> str:
    """1:05, 1:02:03."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def status_parts(session: Session) -> list[Part]:
    """The line's segments in their order, ranked by which stay when it is narrow."""
    status, model = session.status, session.model
    glyph, style = STATES.get(session.state, ("●", palette.PLAIN))
    parts = [Part(f"{glyph} {safe_line(session.state)}", style, 1)]
    if status.reading is not None:
        parts.append(Part(safe_line(status.reading.words()), palette.PLAIN, 2))
    if session.corpus is not None:
        name = safe_line(session.corpus.name)
        parts.append(Part(name, palette.STRONG, 3, fit(name, LONGEST_NAME)))
    if model is not None:
        summary, count = safe_line(model.summary), compact(model.parameters)
        parts.append(Part(f"{summary}, {count} parameters", palette.PLAIN, 5, f"{summary} ({count})"))
        parts.append(Part(safe_line(model.device), palette.PLAIN, 7))
    if status.step or model is not None:
        target = f" of {status.steps_target:,}" if status.steps_target else ""
        parts.append(Part(f"step {status.step:,}{target}", palette.PLAIN, 2))
        if status.phase:
            style = palette.ERROR if status.phase == "diverged" else palette.ACCENT
            parts.append(Part(safe_line(status.phase_text), style, 3))
        rate = compact(status.characters_per_second)
        parts.append(Part(f"{rate} chars/s", palette.PLAIN, 4, f"{rate} ch/s"))
        parts.append(Part(duration(status.seconds), palette.PLAIN, 6))
    if status.watchers > 1:
        parts.append(Part(f"{status.watchers} attached", palette.QUIET, 8))
    return parts


class StatusLine(Widget):
    DEFAULT_CSS = "StatusLine { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="status")
        self._parts: list[Part] = []

    def show(self, session: Session) -> None:
        parts = status_parts(session)
        if parts != self._parts:
            self._parts = parts
            self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        parts = choose(self._parts, columns - 2, 3)
        segments = [Segment(" ")]
        for number, part in enumerate(parts):
            if number:
                segments.append(Segment(" · ", palette.QUIET))
            segments.append(Segment(part.text, part.style))
        return Strip(segments).adjust_cell_length(columns)


class BottomBar(Widget):
    """The footer. A notice takes its place for a while, over as many rows as it needs (four at most)."""

    DEFAULT_CSS = "BottomBar { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="bottom")
        self._notice: tuple[str, str] | None = None

    def show_notice(self, level: str, text: str) -> None:
        self._notice = (level, safe_line(text))
        self._fit_height()

    def clear_notice(self) -> None:
        if self._notice is not None:
            self._notice = None
            self._fit_height()

    def on_resize(self, event: events.Resize) -> None:
        self._fit_height()

    def _rows(self) -> list[str]:
        return [] if self._notice is None else wrap(self._notice[1], max(1, self.size.width - 4))[:4]

    def _fit_height(self) -> None:
        rows = max(1, len(self._rows()))
        if self.styles.height is None or self.styles.height.value != rows:
            self.styles.height = rows
        self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        if self._notice is not None:
            rows = self._rows()
            style = LEVELS.get(self._notice[0], palette.ACCENT)
            mark = Segment(" ▌ " if columns > 4 else "", style)
            text = rows[y] if y < len(rows) else ""
            return Strip([mark, Segment(text, style)]).adjust_cell_length(columns)
        entries = [Part(f"{shown} {label}", rank=rank) for shown, label, rank in keys.footer()]
        segments = [Segment(" ")]
        for number, part in enumerate(choose(entries, columns - 2, 3)):
            shown, _, label = part.text.partition(" ")
            segments.append(Segment(("   " if number else "") + shown, palette.ACCENT))
            segments.append(Segment(" " + label, palette.QUIET))
        return Strip(segments).adjust_cell_length(columns)


class TooSmall(Widget):
    """What stands alone on a screen on which nothing else fits."""

    DEFAULT_CSS = "TooSmall { width: 1fr; height: 1fr; display: none; }"

    def render_line(self, y: int) -> Strip:
        columns, rows = self.size
        lines = too_small_text(columns, rows)
        text = lines[y] if y < len(lines) else ""
        return Strip([Segment(text + " " * max(0, columns - width(text)))])
