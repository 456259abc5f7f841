"""`charrnn runs` and `charrnn stop`: which runs there are, and ending live ones. No torch here."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine.asking import Standing, standings, stop
from charrnn.runs.directory import RunSummary, list_runs
from charrnn.text.visible import visible_line


def print_runs(folder: Path, *, as_json: bool) -> None:
    """A table of the runs in `folder`, or one JSON object a line; live ones with what their engines say."""
    runs = list_runs(folder)
    live = [Path(run.path) for run in runs if run.state == "live"]
    engines = asyncio.run(standings(live)) if live else {}
    if as_json:
        for run in runs:
            engine = engines.get(Path(run.path))
            print(json.dumps(asdict(run) | {"engine": None if engine is None else asdict(engine)}))
        return
    if not runs:
        print(f"no runs yet in {folder}; charrnn-tui starts one", file=sys.stderr)
        return
    rows: list[tuple[str, ...]] = [("run", "state", "corpus", "step", "best", "age", "size")]
    rows += [
        (
            run.name,
            run.state,
            run.corpus,
            f"{run.step:,}",
            "–" if run.best is None else f"{run.best:.3f}",
            age_in_words(run.age),
            f"{run.size / 1e6:.1f} MB",
        )
        for run in runs
    ]
    if live:
        rows = [
            (*row, words) for row, words in zip(rows, ["engine", *(_engine(run, engines) for run in runs)], strict=True)
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:7], widths[3:7], strict=True)]
        print(visible_line("  ".join([*left, *right, *row[7:]]).rstrip()))


def _engine(run: RunSummary, engines: dict[Path, Standing]) -> str:
    """As in "paused, 2 attached, process 4711"; nothing for a run that is not live."""
    if run.state != "live":
        return ""
    standing = engines.get(Path(run.path))
    if standing is None:
        return "starts, or does not answer"
    attached = f"{standing.watchers} attached" if standing.watchers else "nobody attached"
    return ", ".join([standing.state, attached, *([f"process {standing.pid}"] if standing.pid else [])])


def age_in_words(seconds: float) -> str:
    """Seconds as one short figure: "12 s", "3 min", "5 h", "2 d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def stop_runs(runs: list[Path]) -> int:
    """Has each live run's engine write a checkpoint and end, all at the same time; the exit status."""
    return max(asyncio.run(_stop_all(runs)), default=0)


async def _stop_all(runs: list[Path]) -> list[int]:
    return await asyncio.gather(*(_stop(run) for run in runs))


async def _stop(run: Path) -> int:
    try:
        words = await stop(run)
    except UsageError as error:
        print(visible_line(f"charrnn stop: {error}"), file=sys.stderr)
        return 1
    print(visible_line(f"{run.name} stopped" + (f": {words}" if words else "")), file=sys.stderr)
    return 0
