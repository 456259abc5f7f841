"""What is wrong stands on the screen for as long as it is, at every size, and is only text."""

from __future__ import annotations

import pytest

from tests.tui.test_workbench import bench, run
from tui.panes.banner import banner_rows
from tui.terminal import width

FULL = (
    "The record and the checkpoints cannot be written: No space left on device (/data/runs/hamlet-1); make room there. "
    "Memory keeps it meanwhile; the newest checkpoint is of step 1,200."
)


@pytest.mark.parametrize(("size", "rows"), [((120, 34), 2), ((80, 24), 3), ((60, 16), 2), ((40, 10), 1)])
def test_a_trouble_stands_under_the_status_line_until_it_is_over(size: tuple[int, int], rows: int) -> None:
    async def test() -> None:
        async with bench(size) as one:
            before = one.lines()
            assert not any("▌" in line for line in before[1:4])
            one.engine.change(troubles=(FULL,))
            await one.shows("The record and the checkpoints")
            shown = [line for line in one.lines() if line.startswith(" ▌ ")]
            assert shown == one.lines()[1 : 1 + rows]
            assert shown[-1].rstrip().endswith("…") == (size[0] < 80)
            assert "q save" in one.lines()[-1] or size[0] < 60
            assert len(one.lines()) == size[1]
            one.engine.change(troubles=())
            await one.until(lambda: not any(line.startswith(" ▌ ") for line in one.lines()))

    run(test)


def test_what_a_trouble_says_is_text_and_never_markup_or_a_control() -> None:
    async def test() -> None:
        async with bench() as one:
            one.engine.change(troubles=("A folder [red]called[/red] \x1b]52;c;ZXZpbA==\x07 this\nis gone.",))
            await one.shows("[red]called[/red] ␛]52;c;ZXZpbA==␇ this␊is gone.")

    run(test)


def test_several_troubles_begin_a_row_each_and_share_what_there_is() -> None:
    rows = banner_rows((FULL, "The trainer does not answer."), 80, 24)
    assert len(rows) == 3
    assert rows[0].startswith("The record")
    assert rows[1].endswith("…")
    assert rows[2] == "The trainer does not answer."
    assert banner_rows((FULL, "The trainer does not answer."), 60, 12) == [FULL[:52].rstrip() + "…"]
    assert banner_rows((), 80, 24) == banner_rows((FULL,), 0, 0) == []


@pytest.mark.parametrize("columns", [5, 8, 40, 77])
def test_no_row_is_wider_than_the_screen(columns: int) -> None:
    for row in banner_rows((FULL, "無" * 200), columns, 34):
        assert width(row) <= columns - 4
