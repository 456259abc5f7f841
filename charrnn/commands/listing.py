"""`charrnn runs` and `charrnn stop`: which runs there are, and ending live ones. No torch here."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

from charrnn.config import UsageError
from charrnn.engine.client import EngineClient, attach
from charrnn.engine.messages import Ended, Hello, StopRun
from charrnn.runs.directory import RunSummary, list_runs, socket_path
from charrnn.text.visible import visible_line

STOP_SECONDS = 60.0


def print_runs(folder: Path, *, as_json: bool) -> None:
    """A table of the runs in `folder`, or one JSON object a line."""
    runs = list_runs(folder)
    if as_json:
        for run in runs:
            print(json.dumps(asdict(run)))
        return
    if not runs:
        print(f"no runs yet in {folder}; charrnn-tui starts one", file=sys.stderr)
        return
    rows = [("run", "state", "corpus", "step", "best", "age", "size")]
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
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        left = [cell.ljust(width) for cell, width in zip(row[:3], widths[:3], strict=True)]
        right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
        print(visible_line("  ".join(left + right).rstrip()))


def age_in_words(seconds: float) -> str:
    """Seconds as one short figure: "12 s", "3 min", "5 h", "2 d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def stop_runs(runs: list[RunSummary]) -> int:
    """Asks each live run's engine for a checkpoint and an end, waits for it; the exit status."""
    status = 0
    for run in runs:
        try:
            asyncio.run(asyncio.wait_for(_stop(Path(run.path)), STOP_SECONDS))
            print(f"{run.name} stopped", file=sys.stderr)
        except (OSError, UsageError, TimeoutError) as error:
            print(f"charrnn stop: {run.name} did not answer: {error or 'it took too long'}", file=sys.stderr)
            status = 1
    return status


async def _stop(run: Path) -> None:
    client = await EngineClient.over(attach(str(socket_path(run)), Hello(stream=False)))
    client.send(StopRun())
    async for message in client:
        if isinstance(message, Ended):
            break
    await client.close()
