"""The chart as a file: the picture of what is shown, or its numbers. Imported when a file is asked for."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from charrnn.commands.picture import (
    MISSING,
    NEEDS_MATPLOTLIB,
    WITHOUT_MATPLOTLIB,
    Happening,
    Line,
    Picture,
    Rule,
    drawn,
    write_new,
)
from charrnn.engine.messages import LossPoint
from tui.charts.copied import copied_at, copied_run
from tui.charts.labels import unit_label, words_of
from tui.charts.scene import Scene, curves, marks_in_sight, rate_before
from tui.charts.series import Series
from tui.charts.view import View
from tui.charts.window import between
from tui.terminal import safe_line

MOST_POINTS = 4000
"""Points of a line in a file: more than a page can show."""
DRAWN_WITHIN = 60.0
_COLUMNS = {"nats": "nats_per_char", "bits": "bits_per_char", "perplexity": "perplexity"}


def picture_of(scene: Scene, title: str) -> Picture:
    """What is shown. Raises ValueError where there are no losses."""
    extent = scene.extent
    if extent is None:
        raise ValueError("there are no losses")
    low, high = scene.window.limits(extent)
    run = copied_run(scene)
    lines: list[Line] = []
    for one in curves(scene, MOST_POINTS):
        if one.dust is not None:
            lines.append(_line(f"{one.name}, recorded", "dots", one.dust))
        lines.append(_line(one.name, one.kind, one.lines))
    return Picture(
        title=title,
        y_label=unit_label(scene.view),
        low=low,
        high=high,
        lines=lines,
        scale=scene.view.axis,
        log=scene.view.log,
        rules=_rules(scene, lines),
        happenings=[
            Happening(mark.kind, at, words_of(mark, rate_before(scene.points, scene.marks, mark)))
            for at, mark in marks_in_sight(scene, low, high)
        ],
        copied=Line("copied (%)", "copied", [at for at, _ in run], [100 * share for _, share in run]) if run else None,
    )


def _line(name: str, kind: str, one: Series) -> Line:
    xs: list[float] = []
    ys: list[float | None] = []
    for run in one.runs:
        if xs:
            xs.append(xs[-1])
            ys.append(None)
        xs += [at for at, _ in run]
        ys += [value for _, value in run]
    return Line(name, kind, xs, ys)


def _rules(scene: Scene, lines: Sequence[Line]) -> list[Rule]:
    """The references that lie among the losses, or near them."""
    shown = [y for line in lines for y in line.ys if y is not None]
    if not shown:
        return []
    near = 0.12 * (max(shown) - min(shown))
    found = [Rule(f"{name} {scene.view.text(nats, 2)}", scene.view.value(nats)) for name, nats in scene.references]
    return [rule for rule in found if min(shown) - near <= rule.value <= max(shown) + near and rule.value > 0]


def table(scene: Scene, run: str) -> bytes:
    """The recorded points in sight as CSV, losses in the unit that is shown; a loss not measured is empty."""
    extent = scene.extent
    low, high = scene.window.limits(extent) if extent else (0.0, 0.0)
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    unit = _COLUMNS[scene.view.unit]
    copied = ["copied_share", "longest_copy"] if scene.copied else []
    writer.writerow(["run", "step", "chars", "seconds", f"train_{unit}", f"held_out_{unit}", "learning_rate", *copied])
    for name, points in ((run, scene.points), *((other.name, other.points) for other in scene.others)):
        before = -1
        for point in between(points, scene.view, low, high):
            cells = _copied_cells(scene, before, point.step) if copied and points is scene.points else []
            writer.writerow([name, *_cells(point, scene.view), *cells])
            before = point.step
    return file.getvalue().encode()


def _cells(point: LossPoint, view: View) -> list[object]:
    losses = ["" if loss is None else view.value(loss) for loss in (point.train_loss, point.val_loss)]
    return [point.step, point.chars, point.seconds, *losses, point.learning_rate]


def _copied_cells(scene: Scene, before: int, step: int) -> list[object]:
    """The sample that was made after one recorded step and by the next; empty for none."""
    sample = copied_at(scene, step)
    return ["", ""] if sample is None or sample.step <= before else [sample.share, sample.longest]


async def write(scene: Scene, run: str, ending: str) -> tuple[str, str]:
    """Writes what is shown to a new file in the folder that the workbench was started in; a notice's level and words.

    Where that cannot be written to it is the user's cache folder.
    """
    if ending == ".csv":
        data: bytes | str = await asyncio.to_thread(table, scene, run)
    elif ending in NEEDS_MATPLOTLIB:
        data = await _by_matplotlib(await asyncio.to_thread(picture_of, scene, run), ending)
    else:
        data = await asyncio.to_thread(lambda: drawn(picture_of(scene, run), ending))
    if isinstance(data, str):
        return "warning", data
    stem = f"{re.sub(r'[^A-Za-z0-9._-]+', '-', run)[:60].strip('.-') or 'run'}-loss"
    return await asyncio.to_thread(keep_new, stem, ending, data)


def keep_new(stem: str, ending: str, data: bytes, what: str = "The chart") -> tuple[str, str]:
    """Writes `data` to a new file, in the folder it was started in or the cache; a notice's level and words."""
    from platformdirs import user_cache_path

    reason = ""
    for folder_of in (Path.cwd, lambda: user_cache_path("charrnn") / "exports"):
        try:
            folder = folder_of()
            folder.mkdir(parents=True, exist_ok=True)
            place = write_new(folder, stem, ending, data)
        except OSError as error:
            reason = error.strerror or str(error)
            continue
        return "info", f"{what} is in {safe_line(str(place))}"
    return "warning", f"{what} could not be written: {reason}."


async def _by_matplotlib(picture: Picture, ending: str) -> bytes | str:
    """The file's bytes, by another process: this one never loads matplotlib; or a sentence on why there are none."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "charrnn.commands.picture", ending),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(DRAWN_WITHIN):
            data, complaint = await process.communicate(msgspec.json.encode(picture))
    except TimeoutError:
        return f"The chart could not be drawn within {DRAWN_WITHIN:.0f} seconds; SVG and CSV need no matplotlib."
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode == WITHOUT_MATPLOTLIB:
        return f"A {ending[1:].upper()} {MISSING}; SVG and CSV need nothing."
    if process.returncode or not data:
        last = complaint.decode(errors="replace").strip().splitlines()
        return f"matplotlib could not draw the chart: {safe_line(last[-1]) if last else 'it said nothing'}."
    return data
