"""Which runs have an engine at work, and which one is meant where none was named. No torch here."""

from __future__ import annotations

from pathlib import Path

from charrnn.config import UsageError
from charrnn.runs.directory import CONFIG, find_run, is_live


def live_runs(folder: Path) -> list[Path]:
    """The runs in `folder` that an engine holds, by name."""
    places = folder.iterdir() if folder.is_dir() else ()
    return sorted(place for place in places if (place / CONFIG).is_file() and is_live(place))


def live_run(target: str, folder: Path) -> Path:
    """The live run that `target` names, or the only one in `folder` when it is "".

    Raises UsageError where there is none, or more than one to choose from.
    """
    if target:
        found = find_run(target, folder)
        if found is None:
            raise UsageError(f"There is no run {target!r} in {folder}; `charrnn runs` lists what there is.")
        if not is_live(found):
            raise UsageError(f"The run {found.name} is not live; `charrnn-tui {found.name}` opens it.")
        return found
    live = live_runs(folder)
    if not live:
        raise UsageError(f"No run in {folder} is live; `charrnn runs` lists what there is.")
    if len(live) > 1:
        names = ", ".join(place.name for place in live)
        raise UsageError(f"Several runs are live, so name the one to attach to: {names}.")
    return live[0]
