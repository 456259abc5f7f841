"""The first and the last row of the screen: what goes on, and which keys there are or what there is to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui import keys, palette
from tui.charts.view import View
from tui.layout import too_small_text
from tui.panes.frame import Part, choose
from tui.panes.saying import SayingRow
from tui.session import Session
from tui.terminal import fit, safe_line, width

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


def brief_parts(session: Session, view: View) -> list[Part]:
    """All that there is to say where this line and the stream are the whole screen; the loss in the view's unit."""
    status, (glyph, style) = session.status, STATES.get(session.state, ("●", palette.PLAIN))
    knobs, loss = session.knobs, newest_loss(session)
    parts = [Part(f"{glyph} {safe_line(session.state)}", style, 1, glyph)]
    if status.reading is not None:
        return [*parts, Part(safe_line(status.reading.words()), palette.PLAIN, 2, "reading")]
    if loss is not None:
        said = view.text(loss, 2)
        parts.append(Part(f"loss {said}", palette.STRONG, 2, said))
    parts.append(Part("greedy" if knobs.greedy else f"T {knobs.temperature:.2f}", palette.ACCENT_STRONG, 3))
    if status.step:
        parts.append(Part(f"step {status.step:,}", palette.PLAIN, 4, compact(status.step)))
    return parts


def grown(parts: Sequence[Part], columns: int, gap: int) -> list[Part]:
    """As `choose`; then, as far as there is room, parts in brief are told whole again, the lowest rank first."""
    kept = choose(parts, columns, gap)
    for part in sorted(parts, key=lambda part: part.rank):
        short = replace(part, text=part.brief)
        if short in kept:
            whole = [part if one == short else one for one in kept]
            kept = whole if choose(whole, columns, gap) == whole else kept
    return kept


def newest_loss(session: Session) -> float | None:
    """The newest held-out loss, nats per character; failing that the newest one of training."""
    for field in ("val_loss", "train_loss"):
        for point in reversed(session.points):
            loss: float | None = getattr(point, field)
            if loss is not None:
                return loss
    return None


class StatusLine(Widget):
    """`in_brief` leaves out what a screen without room for frames has no room for."""

    DEFAULT_CSS = "StatusLine { height: 1; width: 1fr; }"

    def __init__(self) -> None:
        super().__init__(id="status")
        self._parts: list[Part] = []
        self._brief: list[Part] = []
        self.in_brief = False

    def show(self, session: Session, view: View) -> None:
        whole, brief = status_parts(session), brief_parts(session, view)
        changed = brief != self._brief if self.in_brief else whole != self._parts
        self._parts, self._brief = whole, brief
        if changed:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        between = "  " if self.in_brief else " · "
        parts = grown(self._brief, columns - 2, 2) if self.in_brief else choose(self._parts, columns - 2, 3)
        segments = [Segment(" ")]
        for number, part in enumerate(parts):
            if number:
                segments.append(Segment(between, palette.QUIET))
            segments.append(Segment(part.text, part.style))
        return Strip(segments).adjust_cell_length(columns)


def entry_width(entry: keys.Entry) -> int:
    """The cells of a key and its word."""
    return width(entry.shown) + 1 + width(entry.label)


def chosen(entries: Sequence[keys.Entry], columns: int) -> list[keys.Entry]:
    """Those that there is room for, in their order: of each two that compete the one of lower rank."""
    kept: set[int] = set()
    room = columns + 3
    for number in sorted(range(len(entries)), key=lambda number: entries[number].rank):
        needed = entry_width(entries[number]) + 3
        if needed <= room:
            kept.add(number)
            room -= needed
    return [entries[number] for number in sorted(kept)]


class BottomBar(SayingRow):
    """The footer. A notice takes its place for a while.

    Where there is no room for a footer there is none, but for as long as a notice stands.
    """

    class Clicked(Message):
        """A key's name in the footer was clicked."""

        def __init__(self, key: keys.Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self) -> None:
        super().__init__(id="bottom")
        self._entries: list[keys.Entry] = keys.footer()
        self._places: list[tuple[int, int, keys.Entry]] = []

    def show_keys(self, entries: list[keys.Entry]) -> None:
        """Sets which keys the footer may show; draws only what is another."""
        if entries != self._entries:
            self._entries = entries
            if self.notice is None:
                self.refresh()

    def render_line(self, y: int) -> Strip:
        columns = self.size.width
        if (said := self.said(y)) is not None:
            return said
        segments, self._places, at = [Segment(" ")], [], 1
        for number, entry in enumerate(chosen(self._entries, columns - 2)):
            if number:
                segments.append(Segment("   "))
                at += 3
            segments += [Segment(entry.shown, palette.ACCENT), Segment(f" {entry.label}", palette.QUIET)]
            end = at + entry_width(entry)
            self._places.append((at, end, entry))
            at = end
        return Strip(segments).adjust_cell_length(columns)

    def on_click(self, event: events.Click) -> None:
        event.stop()
        for begin, end, entry in self._places if self.notice is None else ():
            if begin <= event.x < end:
                self.post_message(self.Clicked(entry.key))


class TooSmall(Widget):
    """What stands alone on a screen on which nothing else fits."""

    DEFAULT_CSS = "TooSmall { width: 1fr; height: 1fr; display: none; }"

    def render_line(self, y: int) -> Strip:
        columns, rows = self.size
        lines = too_small_text(columns, rows)
        text = lines[y] if y < len(lines) else ""
        return Strip([Segment(text + " " * max(0, columns - width(text)))])
