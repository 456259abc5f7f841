"""What stands in the lines around the lanes, and the two sentences that explain them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from charrnn.engine.questions.lanes import MOST_PACE
from tui import palette
from tui.escapes import written
from tui.keys import Key
from tui.lanes import Plan, Varies
from tui.panes.frame import Part
from tui.session import Session
from tui.terminal import fit, safe_line, wrap

KINDS: tuple[tuple[Varies, str, str, str], ...] = (
    ("temperature", "lanes-temperatures", "temperatures", "temps"),
    ("seed", "lanes-seeds", "seeds", "seeds"),
    ("weights", "lanes-weights", "checkpoints and runs", "runs"),
)
"""What can vary, the id of the key for it, and how it is called, at length and in brief."""
_UNDERLINED = Style(underline=True)
Parts = tuple[list[Part], list[Part]]
"""At the left and at the right end of a line."""


def upper(plan: Plan, session: Session, table: Sequence[Key], *, held: bool) -> Parts:
    """What the lanes are of, and how they stand."""
    if not session.connected:
        state = Part("the engine has gone", palette.ERROR, 2)
    elif held:
        state = Part("held still · h goes on", palette.WARNING, 2, "held")
    else:
        state = Part(f"{min(session.pace, MOST_PACE):g} ch/s" if session.pace else "still", palette.PLAIN, 3)
    left = [Part("Lanes", palette.STRONG, 1), *_kinds(plan, table)]
    return left, [Part(safe_line(session.state), palette.QUIET, 9), state]


def _kinds(plan: Plan, table: Sequence[Key]) -> list[Part]:
    """What lanes can be of, with the keys for it; what they are of now stands out, without colour too."""
    shown = {key.id: key.shown.split()[0] for key in table if key.shown}
    parts = []
    for rank, (varies, name, words, brief) in enumerate(KINDS, 4):
        now = varies == plan.varies
        style = palette.ACCENT_STRONG + _UNDERLINED if now else palette.QUIET
        key = shown.get(name, "")
        parts.append(Part(f"{key} {words}".lstrip(), style, 2 if now else rank, f"{key} {brief}".lstrip()))
    return parts


def lower(plan: Plan, shown: range, lanes: int, *, following: bool, editing: bool) -> Parts:
    """What they start from and under which seed, and which of them are in sight."""
    if editing:
        hints = [Part("enter starts all", rank=2), Part("esc leaves", rank=3), Part("\\n is a new line", rank=4)]
        return [Part("prime", palette.STRONG, 1)], hints
    where = f"lanes {shown.start + 1} to {shown.stop} of {lanes}" if len(shown) < lanes else ""
    seeds = {wish.seed for wish in plan.wishes}
    seed = f"seed {min(seeds)}" if len(seeds) == 1 else ""
    behind = "" if following else "following off · f to follow"
    prime = fit(written(plan.prime), 40) or "nothing"
    return (
        [Part("prime", palette.QUIET, 5), Part(prime, palette.PRIME, 5, fit(prime, 16))],
        [Part(behind, palette.ACCENT, 1), Part(where, palette.ACCENT, 2), Part(seed, palette.QUIET, 4)],
    )


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
