"""A run's folder: where it lives, making it, its lock, its settings, the list of runs. No torch here."""

from __future__ import annotations

import fcntl
import hashlib
import io
import os
import re
import stat
import tempfile
import time
import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import tomli_w
from platformdirs import user_data_path, user_runtime_path

from charrnn.config import RunConfig, UsageError
from charrnn.presets import settings_problem
from charrnn.runs.durable import make_folder, read_plain, replace_file
from charrnn.runs.metrics import last_point

CONFIG = "config.toml"
CONFIG_AT_MOST = 1 << 20
"""Bytes: a run's folder may come from somebody else."""
LOCK = "lock"


def runs_folder(chosen: str | None = None) -> Path:
    """Where runs live: the folder given, else $CHARRNN_RUNS, else the user's data folder."""
    place = chosen or os.environ.get("CHARRNN_RUNS")
    return Path(place).expanduser().absolute() if place else user_data_path("charrnn") / "runs"


def find_run(target: str, folder: Path) -> Path | None:
    """The folder of the run that `target` names (a name in `folder`, or a folder's path), None when there is none."""
    if not target or target == "-":
        return None
    for place in (Path(target).expanduser().absolute(), folder / target):
        if (place / CONFIG).is_file():
            return place
    return None


def new_place(corpus_name: str, wanted: str | None, folder: Path) -> Path:
    """Where a new run will live; nothing is written yet. Raises UsageError if that cannot be.

    `wanted` is a name in `folder` or, with a separator in it, a folder's path; None takes the first free name
    made of the corpus's name and a number.
    """
    if wanted:
        place = Path(wanted).expanduser().absolute() if os.sep in wanted else folder / wanted
        if (place / CONFIG).exists():
            raise UsageError(f"There is a run at {place} already; give it as the target to go on with it.")
        if place.exists() and (not place.is_dir() or any(place.iterdir())):
            raise UsageError(f"{place} exists and is not an empty folder; choose another place with --run.")
    else:
        stem = re.sub(r"[^\w.-]+", "-", Path(corpus_name).stem).strip("-.") or "run"
        number = 1
        while (folder / f"{stem}-{number}").exists():
            number += 1
        place = folder / f"{stem}-{number}"
    _refuse_unwritable(place)
    return place


def _refuse_unwritable(place: Path) -> None:
    parent = place
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise UsageError(f"The run cannot live at {place}: {parent} is not a folder; choose another place.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UsageError(
            f"The run cannot live at {place}: {parent} is not writable; choose another place with --runs-folder."
        )
    try:  # a mount that is read-only or full passes the permission check
        with tempfile.TemporaryFile(dir=parent) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise UsageError(
            f"The run cannot live at {place}: {error.strerror}; choose another place with --runs-folder."
        ) from None


class RunFolder:
    """An open run: holds the advisory lock for as long as this process has it open."""

    def __init__(self, path: Path, lock: io.BufferedRandom) -> None:
        self.path = path
        self._lock = lock

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """Makes the folder and writes config.toml. Raises UsageError if it cannot be written."""
        try:
            make_folder(path / "checkpoints")
            folder = cls(path, _take_lock(path))
            folder.write_config(config)
        except OSError as error:
            raise UsageError(
                f"The run cannot be written to {path}: {error.strerror}; choose another place with --run."
            ) from None
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Opens an existing run for writing. Raises UsageError if another engine has it."""
        return cls(path, _take_lock(path))

    def write_config(self, config: RunConfig) -> None:
        """Replaces config.toml as a whole; it is on the disk then. Raises OSError."""
        replace_file(self.path / CONFIG, tomli_w.dumps(_without_none(asdict(config))).encode())

    def close(self) -> None:
        self._lock.close()


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


def _without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_none(v) for k, v in value.items() if v is not None}
    return value


def _take_lock(path: Path) -> io.BufferedRandom:
    lock = open(path / LOCK, "a+b")  # noqa: SIM115 - held open for the run's life
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise UsageError(
            f"The run {path.name} is live in another process; attach to it with charrnn-tui {path.name}."
        ) from None
    return lock


def is_live(path: Path) -> bool:
    """Whether some engine holds the run's lock."""
    try:
        with open(path / LOCK, "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def socket_folder() -> Path:
    """The private folder of this user's engine sockets, made if need be (0700, owner checked).

    Raises UsageError if somebody else's folder, or a link, lies in its place.
    """
    base = os.environ.get("XDG_RUNTIME_DIR")
    folder = (
        user_runtime_path("charrnn")
        if base and os.access(base, os.W_OK)
        else Path(tempfile.gettempdir(), f"charrnn-{os.getuid()}")
    )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise UsageError(f"{folder} must be a folder of yours with mode 0700; remove it, or set XDG_RUNTIME_DIR.")
    return folder


def socket_path(run: Path) -> Path:
    """Where the engine of the run listens: short, whatever the run's own path is, for sockets allow about 100 bytes."""
    digest = hashlib.sha256(os.fsencode(os.path.realpath(run))).hexdigest()[:24]
    return socket_folder() / f"{digest}.sock"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One row of `charrnn runs`: `state` live or saved, `age` seconds since it last wrote, `size` bytes."""

    name: str
    path: str
    state: str
    corpus: str
    step: int
    best: float | None
    age: float
    size: int


def list_runs(folder: Path) -> list[RunSummary]:
    """Every run in `folder`, the newest first. A folder that is no run, or cannot be read, is left out."""
    found = []
    for place in folder.iterdir() if folder.is_dir() else ():
        try:
            config = read_config(place)
        except UsageError:
            continue
        step, best = last_point(place)
        files = [f.stat() for f in place.rglob("*") if f.is_file()]
        found.append(
            RunSummary(
                name=place.name,
                path=str(place),
                state="live" if is_live(place) else "saved",
                corpus=config.corpus.name,
                step=step,
                best=best,
                age=max(0.0, time.time() - max(f.st_mtime for f in files)),
                size=sum(f.st_size for f in files),
            )
        )
    return sorted(found, key=lambda run: run.age)
