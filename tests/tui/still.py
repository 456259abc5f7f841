"""A run that stands still, and the screen that it makes written down as text: what the snapshots compare.

One file a size: the characters once in Unicode and once in ASCII, and for each theme which style is where. Styles are
letters in the order in which they appear, explained above the rows; `a12b3` is twelve cells of a and three of b.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from string import ascii_letters
from typing import Any

from rich.cells import cell_len
from rich.style import Style
from textual.pilot import Pilot
from textual.strip import Strip

from charrnn.config import Knobs
from charrnn.engine.messages import BaselinesFound, Generated, Losses, Status, Text
from charrnn.text.baselines import Baselines
from tests.tui.fake_engine import WORDS, FakeEngine, point
from tui.app import Workbench
from tui.glyphs import UTF_8
from tui.look import Look
from tui.pulse import Pulse
from tui.themes import THEMES, Depth

FOLDER = Path(__file__).parent / "snapshots"
FIGURES = Baselines(uniform=3.807, unigram=3.1, bigram=2.3, five_gram=1.561, xz=1.746, training=900, held_out=100)
LOOKS: tuple[tuple[str, str, Depth], ...] = (
    *((name, name, "truecolor") for name in THEMES),
    *((f"{name}, 16 colours", name, "16") for name in ("dark", "light", "contrast")),
    ("no colours", "auto", "none"),
)
"""What is written down of styles: a name, a theme, and how many colours there are."""


class StillEngine(FakeEngine):
    """Says the same of a run every time, and then nothing more."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.status = Status(
            state="starting", pace=30.0, learning_rate=0.003, current_rate=0.003, prime="To be", sampler_ready=True
        )

    async def _stream_text(self) -> None:
        knobs, warmer = Knobs(), Knobs(temperature=0.85, top_k=40)
        text = WORDS * 12
        pieces = [
            Generated(0, "To be", knobs, 0, 1, True, 1),
            Generated(5, text[:400], knobs, 0, 1, False, 100),
            Generated(405, text[400:], warmer, 0, 1, False, 200),
        ]
        self.say(Text(pieces), Losses([point(step) for step in range(1, 201)], first=True))
        self.say(BaselinesFound(FIGURES))
        self.change(step=200, chars=409_600, seconds=62.0, characters_per_second=123_456.0, knobs=warmer, passes=4.1)
        await self._stopping.wait()


@contextlib.asynccontextmanager
async def still(size: tuple[int, int]) -> AsyncIterator[tuple[Workbench, Pilot[Any]]]:
    """The workbench at that size on the run that stands still, once everything of it is drawn."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    serving = asyncio.create_task(StillEngine().serve(theirs))
    app = Workbench(ours)
    async with app.run_test(size=size) as pilot:
        await settle(app, pilot, lambda: app.session.status.step == 200 and app.session.baselines is not None)
        yield app, pilot
    serving.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


async def settle(app: Workbench, pilot: Pilot[Any], ready: Callable[[], bool] = lambda: True) -> None:
    """Waits until no drawing is due and nothing on the screen changes."""
    pulses = [value for value in vars(app).values() if isinstance(value, Pulse)]
    quiet, before = 0, None
    for _ in range(600):
        await pilot.pause(0.05)
        now = [strip.text for strip in strips(app)]
        rests = now == before and ready() and all(pulse._handle is None for pulse in pulses)
        quiet = quiet + 1 if rests else 0
        before = now
        if quiet > 8:
            return
    raise AssertionError("the screen does not come to rest")


def strips(app: Workbench) -> list[Strip]:
    return list(app.screen._compositor.render_strips())


async def written(app: Workbench, pause: Callable[[], Awaitable[None]]) -> str:
    """The screen as a snapshot: characters, then every look."""
    parts: list[str] = []
    for name, charset in (("characters", UTF_8), ("ASCII", "ascii")):
        app.take_look(Look("auto", "truecolor", charset))
        await pause()
        parts += [f"== {name}", *(strip.text.rstrip() for strip in strips(app))]
    for name, theme, depth in LOOKS:
        app.take_look(Look(theme, depth, UTF_8))
        await pause()
        parts += [f"== {name}", *styles(strips(app))]
    return "\n".join(parts) + "\n"


def styles(drawn: Sequence[Strip]) -> list[str]:
    """The styles of the rows, with a legend before them."""
    letters: dict[Style, str] = {}
    rows: list[str] = []
    for strip in drawn:
        runs: list[tuple[Style, int]] = []
        for text, style, _ in strip:
            shown = _without_defaults(style or Style())
            for character in text:
                before = runs[-1][0] if runs else None
                if character == " ":
                    blank = _of_blank(shown)
                    # What stands before may go on: nobody can see the difference.
                    here = before if before is not None and _of_blank(before) == blank else blank
                else:
                    here = shown
                cells = cell_len(character)
                if here == before:
                    runs[-1] = here, runs[-1][1] + cells
                else:
                    runs.append((here, cells))
        named = ((letters.setdefault(style, ascii_letters[len(letters)]), cells) for style, cells in runs)
        rows.append("".join(f"{letter}{cells}" for letter, cells in named))
    return [*(f"{letter} {style}" for style, letter in letters.items()), *rows]


def _without_defaults(style: Style) -> Style:
    if any(colour and colour.is_default for colour in (style.color, style.bgcolor)):
        colours = (colour if colour and not colour.is_default else None for colour in (style.color, style.bgcolor))
        return style.without_color + Style.from_color(*colours)
    return style


def _of_blank(style: Style) -> Style:
    """What is seen of a style where there is no character."""
    return Style(bgcolor=style.bgcolor, reverse=style.reverse or None, underline=style.underline or None)
