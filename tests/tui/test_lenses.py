"""The stream through a lens: each character in its level's style, what is no text of the stream's as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style

from tests.tui.test_workbench import bench, run
from tui import palette
from tui.lenses import SHADES, UNKNOWN, seen_through


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


def test_the_key_goes_through_the_lenses_and_through_none() -> None:
    async def test() -> None:
        async with bench() as one:
            one.app.lenses[:] = []
            await one.press("v")
            await one.shows("There is no lens as yet.")
            one.app.lenses.append(Thirds())
            await one.press("v")
            await one.shows("thirds", "one in three", "seed 1")
            await one.press("v")
            await one.until(lambda: "thirds" not in one.screen())
            await one.shows("The stream without a lens.")

    run(test)
