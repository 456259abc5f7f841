"""The whole workbench at its sizes, in every look, as it was last looked at.

`pytest tests/tui/test_snapshots.py --update-snapshots` writes down what is drawn now; look at the difference in git,
and at a picture, before you keep it.
"""

from __future__ import annotations

import asyncio
import difflib

import pytest

from tests.tui.still import FOLDER, settle, still, written

SIZES = [(120, 34), (100, 30), (80, 24), (60, 16), (39, 9)]
UPDATE = "pytest tests/tui/test_snapshots.py --update-snapshots"


def compare(name: str, shown: str, *, update: bool) -> None:
    path = FOLDER / f"{name}.txt"
    if update:
        FOLDER.mkdir(exist_ok=True)
        path.write_text(shown, encoding="utf-8")
        return
    assert path.exists(), f"there is no snapshot of {name} yet: {UPDATE}"
    kept = path.read_text(encoding="utf-8")
    if shown != kept:
        lines = difflib.unified_diff(kept.splitlines(), shown.splitlines(), "as it was", "now", lineterm="", n=1)
        pytest.fail(f"{name} is drawn otherwise; if that is meant: {UPDATE}\n" + "\n".join(lines), pytrace=False)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_the_workbench_looks_as_it_did(size: tuple[int, int], request: pytest.FixtureRequest) -> None:
    async def test() -> str:
        async with still(size) as (app, pilot):
            return await written(app, pilot.pause)

    shown = asyncio.run(test())
    compare(f"workbench-{size[0]}x{size[1]}", shown, update=request.config.getoption("--update-snapshots"))


def test_the_help_looks_as_it_did(request: pytest.FixtureRequest) -> None:
    async def test() -> str:
        async with still((80, 24)) as (app, pilot):
            await pilot.press("question_mark")
            await settle(app, pilot)
            return await written(app, pilot.pause)

    compare("help-80x24", asyncio.run(test()), update=request.config.getoption("--update-snapshots"))
