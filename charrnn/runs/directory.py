"""A run's folder: where it lives, making it, its settings, the list of runs. No torch here."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import time
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from platformdirs import user_data_path

from charrnn.config import RunConfig, UsageError
from charrnn.presets import settings_problem
from charrnn.runs import room
from charrnn.runs.durable import make_folder, read_plain, replace_file
from charrnn.runs.lock import LOCK, RunLock, TakenError, holder
from charrnn.runs.lock import is_live as is_live
from charrnn.runs.metrics import last_point
from charrnn.runs.sockets import socket_folder as socket_folder
from charrnn.runs.sockets import socket_path as socket_path
from charrnn.runs.trainer_lock import TRAINER_LOCK

CONFIG = "config.toml"
CONFIG_AT_MOST = 1 << 20
"""Bytes: a run's folder may come from somebody else."""
_LEFT_OVER = {LOCK, TRAINER_LOCK, "checkpoints", "milestones", "baselines.json", "loss.pdf", "stream.json"}
"""What may lie in a folder that was removed while something was still being written to it."""


def runs_folder(chosen: str | None = None) -> Path:
    """Where runs live: the folder given, else $CHARRNN_RUNS, else the user's data folder."""
    place = chosen or os.environ.get("CHARRNN_RUNS")
    return Path(place).expanduser().absolute() if place else user_data_path("charrnn") / "runs"


def find_run(target: str, folder: Path) -> Path | None:
    """The folder of the run that `target` names (a name in `folder`, or a folder's path), None when there is none."""
    if not target or target == "-":
        return None
    for place in (Path(target).expanduser().absolute(), folder / target):
        if os.path.isfile(place / CONFIG):  # False also where this user may not look
            return place
    return None


def new_place(corpus_name: str, wanted: str | None, folder: Path) -> Path:
    """Where a new run will live; nothing is written yet. Raises UsageError if that cannot be.

    `wanted` is a name in `folder` or, with a separator in it, a folder's path; None takes the first free name
    made of the corpus's name and a number.
    """
    if wanted:
        place = Path(wanted).expanduser().absolute() if os.sep in wanted else folder / wanted
        if os.path.exists(place / CONFIG):
            raise UsageError(f"There is a run at {place} already; give it as the target to go on with it.")
        if os.path.exists(place) and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} exists and is not an empty folder; choose another place with --run.")
    else:
        stem = re.sub(r"[^\w.-]+", "-", Path(corpus_name).stem).strip("-.") or "run"
        number = 1
        while (folder / f"{stem}-{number}").exists():
            number += 1
        place = folder / f"{stem}-{number}"
    room.require_writable(place)
    return place


class RunFolder:
    """An open run: holds the advisory lock for as long as this process has it open."""

    def __init__(self, path: Path, lock: RunLock) -> None:
        self.path = path
        self.lock = lock
        self._device = path.parent.stat().st_dev

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """Makes the folder and writes config.toml; where that fails, nothing of it stays.

        Raises TakenError if another engine was first, UsageError if it cannot be written.
        """
        try:
            made = not path.exists()
            make_folder(path)
            folder = cls(path, RunLock.take(path))
            try:
                if (path / CONFIG).exists():
                    raise TakenError(f"There is a run at {path} already; give it as the target to go on with it.")
                make_folder(path / "checkpoints")
                folder.write_config(config)
            except OSError:
                if made:
                    folder.discard()
                raise
            except BaseException:
                folder.close()
                raise
        except OSError as error:
            raise UsageError(
                f"The run cannot be written to {path}: {error.strerror}; choose another place with --run."
            ) from None
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Opens an existing run for writing. Raises TakenError if another engine has it, UsageError if it cannot be."""
        return cls(path, RunLock.take(path))

    def discard(self) -> None:
        """Gives up a run that could not be begun, with what `create` has made of its folder."""
        with contextlib.suppress(OSError):
            (self.path / CONFIG).unlink(missing_ok=True)
            (self.path / "checkpoints").rmdir()
            (self.path / LOCK).unlink()
            self.path.rmdir()
        self.close()

    def write_config(self, config: RunConfig) -> None:
        """Replaces config.toml as a whole; it is on the disk then. Raises OSError."""
        replace_file(self.path / CONFIG, _as_toml(config).encode())

    def replace_config(self, config: RunConfig) -> None:
        """As `write_config`, of a run that is to go on. Raises UsageError."""
        try:
            self.write_config(config)
        except OSError as error:
            raise UsageError(
                f"The run cannot be written to {self.path}: {error.strerror}; make room there, or make it writable."
            ) from None

    @property
    def identity(self) -> tuple[int, int]:
        """Tells this very folder from one that took its place."""
        return self.lock.identity

    def require_ours(self) -> None:
        """Raises OSError where the folder has gone (ENOENT) or another has taken its place (ESTALE)."""
        require_same(self.path, self.identity)

    def made_again(self, config: RunConfig) -> RunFolder:
        """The folder in its old place, where it has gone: with its lock and settings, and nothing else.

        One that came back under another device's number (mounted again) is the run itself. Raises OSError: ESTALE
        where another folder has taken its place, ENOENT where the folder that it was in has gone too, or is now that
        of another disk (not mounted, most likely). This one is still to be closed.
        """
        back = self._came_back(config)
        if not back:
            if not self.path.parent.is_dir() or self.path.parent.stat().st_dev != self._device:
                raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self.path.parent))
            if self.path.exists() and any(entry.name not in _LEFT_OVER for entry in self.path.iterdir()):
                raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), str(self.path))
        self.path.mkdir(exist_ok=True)
        (self.path / "checkpoints").mkdir(exist_ok=True)
        try:
            folder = RunFolder(self.path, RunLock.take(self.path))
        except UsageError as error:
            raise OSError(errno.ESTALE, str(error), str(self.path)) from None
        try:
            folder.write_config(config)
        except BaseException:
            folder.close()
            raise
        return folder

    def _came_back(self, config: RunConfig) -> bool:
        """Whether the run's own folder lies in the place: on a disk that is mounted again."""
        try:
            same = read_plain(self.path / CONFIG, CONFIG_AT_MOST) == _as_toml(config).encode()
            return same and self.path.stat().st_ino == self.identity[1]
        except OSError:
            return False

    def close(self) -> None:
        self.lock.release()


def require_same(run: Path, identity: tuple[int, int]) -> None:
    """Raises OSError unless the run's folder is the one with that `RunFolder.identity`."""
    found = run.stat()
    if (found.st_dev, found.st_ino) != identity:
        raise OSError(errno.ESTALE, "another folder lies in its place", str(run))


def read_config(path: Path) -> RunConfig:
    """The settings of the run at `path`. Raises UsageError if they cannot be read."""
    try:
        content = tomllib.loads(read_plain(path / CONFIG, CONFIG_AT_MOST).decode("utf-8"))
        config = msgspec.convert(content, RunConfig)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        why = f"{error.strerror}: {path / CONFIG}" if isinstance(error, OSError) else error
        raise UsageError(f"{path / CONFIG} is not a run's settings: {why}.") from None
    problem = settings_problem(config)
    if problem:
        raise UsageError(f"{path / CONFIG} has a setting that cannot be: {problem}.")
    return config


def _as_toml(config: RunConfig) -> str:
    return tomli_w.dumps(_without_none(asdict(config)))


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One row of `charrnn runs`: `state` live or saved, `age` seconds since it last wrote, `size` bytes.

    `process` is the id of the engine of a live run, as far as it is known.
    """

    name: str
    path: str
    state: str
    corpus: str
    step: int
    best: float | None
    age: float
    size: int
    process: int | None = None


def list_runs(folder: Path) -> list[RunSummary]:
    """Every run in `folder`, the newest first. A folder that is no run, or cannot be read, is left out."""
    found: list[tuple[float, RunSummary]] = []
    for place in folder.iterdir() if folder.is_dir() else ():
        try:
            config = read_config(place)
        except UsageError:
            continue
        step, best = last_point(place)
        files = _files(place)
        written = max((f.st_mtime for f in files), default=0.0)
        live = is_live(place)
        said = holder(place) if live else None
        summary = RunSummary(
            name=place.name,
            path=str(place),
            state="live" if live else "saved",
            corpus=config.corpus.name,
            step=step,
            best=best,
            age=age_of(written),
            size=sum(f.st_size for f in files),
            process=said.pid if said else None,
        )
        found.append((written, summary))
    return [summary for _, summary in sorted(found, key=lambda run: -run[0])]


def age_of(written: float) -> float:
    """Seconds since a file was `written` (its modification time); none where the clock was set back since."""
    return max(0.0, time.time() - written)


def _files(place: Path) -> list[os.stat_result]:
    """The plain files in a run's folder; a live run's may go while they are looked at."""
    found = []
    for path in place.rglob("*"):
        with contextlib.suppress(OSError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                found.append(status)
    return found
