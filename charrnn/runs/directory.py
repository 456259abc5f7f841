"""A run's folder: where it lives, making it, its lock, its settings, the list of runs. No torch here."""

from __future__ import annotations

import errno
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
from charrnn.runs import room
from charrnn.runs.metrics import last_point

CONFIG = "config.toml"
LOCK = "lock"
_LEFT_OVER = {LOCK, "checkpoints", "baselines.json", "loss.pdf", CONFIG + ".new"}
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

    def __init__(self, path: Path, lock: io.BufferedRandom) -> None:
        self.path = path
        self._lock = lock
        self._device = path.parent.stat().st_dev

    @classmethod
    def create(cls, path: Path, config: RunConfig) -> RunFolder:
        """Makes the folder and writes config.toml. Raises UsageError if it cannot be written."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            (path / "checkpoints").mkdir(exist_ok=True)
            folder = cls(path, _take_lock(path))
            folder.write_config(config)
        except OSError as error:
            raise UsageError(
                f"The run cannot be written to {path}: {error.strerror}; choose another place with --run."
            ) from None
        return folder

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Opens an existing run for writing. Raises UsageError if another engine has it, or if it cannot be."""
        try:
            return cls(path, _take_lock(path))
        except OSError as error:
            raise UsageError(f"The run {path.name} cannot be opened for writing: {error.strerror} ({path}).") from None

    def write_config(self, config: RunConfig) -> None:
        """Replaces config.toml as a whole. Raises OSError."""
        new = self.path / (CONFIG + ".new")
        new.write_text(_as_toml(config), encoding="utf-8")
        new.replace(self.path / CONFIG)

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
        """Tells this very folder from one that took its place: device and number of its lock's file, which is open."""
        held = os.fstat(self._lock.fileno())
        return held.st_dev, held.st_ino

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
            folder = RunFolder(self.path, _take_lock(self.path))
        except UsageError as error:
            raise OSError(errno.ESTALE, str(error), str(self.path)) from None
        try:
            folder.write_config(config)
        except BaseException:
            folder.close()
            raise
        return folder

    def _came_back(self, config: RunConfig) -> bool:
        """Whether the run's own folder lies in the place: on a disk that is mounted again, or without its lock."""
        try:
            same = (self.path / CONFIG).read_text(encoding="utf-8") == _as_toml(config)
            number = (self.path / LOCK).stat().st_ino
        except FileNotFoundError as error:
            return error.filename == str(self.path / LOCK) and same
        except (OSError, UnicodeDecodeError):
            return False
        return same and number == self.identity[1]

    def close(self) -> None:
        self._lock.close()


def require_same(run: Path, identity: tuple[int, int]) -> None:
    """Raises OSError unless the run's folder is the one with that `RunFolder.identity`."""
    found = (run / LOCK).stat()
    if (found.st_dev, found.st_ino) != identity:
        raise OSError(errno.ESTALE, "another folder lies in its place", str(run))


def read_config(path: Path) -> RunConfig:
    """The settings of the run at `path`. Raises UsageError if they cannot be read."""
    try:
        content = tomllib.loads((path / CONFIG).read_text(encoding="utf-8"))
        return msgspec.convert(content, RunConfig)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise UsageError(f"{path / CONFIG} is not a run's settings: {error}.") from None


def _as_toml(config: RunConfig) -> str:
    return tomli_w.dumps(_without_none(asdict(config)))


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
