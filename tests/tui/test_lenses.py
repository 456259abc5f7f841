"""The stream through a lens: each character in its level's style, what is no text of the stream's as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import pytest
from rich.style import Style

from tests.tui.test_workbench import bench, run
from tui import palette
from tui.glyphs import UTF_8
from tui.lenses import SHADES, UNKNOWN, seen_through
from tui.look import Look
from tui.themes import THEMES, Depth


@dataclass
class Thirds:
    """Every third character is remarkable, and of the first ten nothing is known."""

    name: str = "thirds"

    @property
    def legend(self) -> Sequence[tuple[str, Style]]:
        return [("one in three", SHADES[4])]

    @property
    def styles(self) -> Sequence[Style]:
        return SHADES

    def levels(self, first: int, end: int) -> Sequence[int]:
        return [UNKNOWN if position < 10 else 4 * (position % 3 == 0) for position in range(first, end)]


def test_each_character_is_drawn_in_its_levels_style() -> None:
    pieces = [("abc", palette.PLAIN), ("⟨T⟩", palette.ACCENT), ("defg", palette.PLAIN)]
    positions = [8, 9, 10, -1, -1, -1, 11, 12, 13, 14]
    assert list(seen_through(Thirds(), pieces, positions)) == [
        ("ab", palette.PLAIN),
        ("c", SHADES[0]),
        ("⟨T⟩", palette.ACCENT),
        ("d", SHADES[0]),
        ("e", SHADES[4]),
        ("fg", SHADES[0]),
    ]
    assert list(seen_through(Thirds(), pieces[1:2], [-1, -1, -1])) == pieces[1:2]


@pytest.mark.parametrize("depth", get_args(Depth))
@pytest.mark.parametrize("theme", THEMES)
def test_the_shades_are_told_apart_in_every_theme_and_without_colour(theme: str, depth: Depth) -> None:
    look = Look(theme, depth, UTF_8)
    made = [str(look.styled(style)) for style in SHADES]
    assert len(set(made[1:])) == len(SHADES) - 1
    if (theme, depth) != ("light", "16"):  # its 16 colours have no grey that could be read on white
        assert made[0] not in made[1:]


def test_the_key_goes_through_the_lenses_and_through_none() -> None:
    async def test() -> None:
        async with bench() as one:
            one.app.lenses.clear()
            await one.press("v")
            await one.shows("There is no lens as yet.")
            one.app.lenses.append(Thirds())
            await one.press("v")
            await one.shows("thirds", "one in three", "seed 1")
            await one.press("v")
            await one.until(lambda: "thirds" not in one.screen())
            await one.shows("The stream without a lens.")

    run(test)
