"""How a trainer's process ended, for its user: what, where, and what may help. No torch here."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from pathlib import Path

_FRAME = re.compile(r'^ +File "(?P<file>[^"\n]+)", line (?P<line>\d+),? in (?P<name>\S+)', re.MULTILINE)
_EXCEPTION = re.compile(r"^[A-Za-z_][\w.]*(?:: .*)?$", re.MULTILINE)
_NO_MEMORY = re.compile(r"MemoryError|OutOfMemoryError|out of memory|allocate memory|bad_alloc")
_TRIED = re.compile(r"[Tt]ried to allocate ([\d.]+) (GiB|MiB|KiB|bytes)")
_FREE = re.compile(r"of which ([\d.]+) (GiB|MiB|KiB|bytes) is free")
_UNITS = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


@dataclass(frozen=True, slots=True)
class Death:
    """`what` and `where` it happened ("" if nothing tells), and `advice`, a clause; `again`: a new start may help."""

    what: str
    where: str = ""
    advice: str = ""
    again: bool = True

    @property
    def words(self) -> str:
        """All of it as one clause."""
        what = f"{self.what}, {self.where}" if self.where else self.what
        return f"{what}; {self.advice}" if self.advice else what


@dataclass(frozen=True, slots=True)
class MemoryKills:
    """How many processes the kernel has ended for want of memory: of this control group, of the machine."""

    group: int | None
    machine: int | None


def memory_kills() -> MemoryKills:
    """As the kernel counts them now; None where it does not say."""
    group = [number for place in _own_group() if (number := _counted(place)) is not None]
    return MemoryKills(group[0] if group else None, _counted(Path("/proc/vmstat")))


def _own_group() -> list[Path]:
    """Where this process's control group may count (cgroup v2, then v1)."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    root, found = Path("/sys/fs/cgroup"), []
    for line in lines:
        _, kind, path = line.split(":", 2)
        if kind == "":
            found.append(root / path.lstrip("/") / "memory.events")
        elif kind == "memory":
            found += [root / "memory" / path.lstrip("/") / "memory.oom_control", root / "memory/memory.oom_control"]
    return found


def _counted(place: Path) -> int | None:
    try:
        for line in place.read_text(encoding="ascii").splitlines():
            name, _, number = line.partition(" ")
            if name == "oom_kill":
                return int(number)
    except (OSError, ValueError):
        pass
    return None


def death_of(status: int, said: str, batch: int | None, before: MemoryKills, now: MemoryKills) -> Death:
    """How a process ended with `status` (negative: by that signal) that said `said` on standard error.

    `batch` is what it trained with, `before` was counted when it began.
    """
    if status == -signal.SIGKILL:
        return _killed(batch, before, now)
    place = where(said)
    if _NO_MEMORY.search(said):
        return Death(f"the trainer ran out of memory{_in_brackets(said)}", place, _smaller(said, batch))
    if status < 0:
        return Death(f"the trainer was ended by {_name(-status)}", place)
    last = _exception(said)
    return Death(f"the trainer failed: {last}" if last else f"the trainer ended with status {status}", place)


def _killed(batch: int | None, before: MemoryKills, now: MemoryKills) -> Death:
    """SIGKILL leaves no words: only the kernel's counts tell whether it came for want of memory."""
    advice = _smaller("", batch)
    if before.group is not None and now.group is not None and now.group > before.group:
        return Death("the kernel ended the trainer (SIGKILL), for memory had run out", advice=advice)
    if before.machine is None or now.machine is None:
        return Death("the trainer was ended by SIGKILL (out of memory, most likely)", advice=advice)
    if now.machine > before.machine:
        return Death("the trainer was ended by SIGKILL, most likely by the kernel for want of memory", advice=advice)
    return Death("the trainer was ended by SIGKILL, by somebody or something outside")


def _name(number: int) -> str:
    return signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"


def where(said: str) -> str:
    """The place in our own code that a traceback, or faulthandler's dump, ends with; "" where there is neither."""
    _, dumped, dump = said.rpartition("Current thread ")
    _, raised, trace = said.rpartition("Traceback (most recent call last):")
    if dumped and (not raised or len(dump) < len(trace)):
        frames = [match.groupdict() for match in _FRAME.finditer(dump.split("\n\n")[0])]
    elif raised:
        frames = [match.groupdict() for match in _FRAME.finditer(trace)][::-1]
    else:
        return ""
    own = [frame for frame in frames if "/charrnn/" in frame["file"]]
    if not frames:
        return ""
    frame = (own or frames)[0]
    head, found, tail = frame["file"].rpartition("/charrnn/")
    file = f"charrnn/{tail}" if found else Path(head or tail).name
    return f"in {file}, line {frame['line']} ({frame['name']})"


def _exception(said: str) -> str:
    """The line that names an exception, else the last one that says anything."""
    _, raised, trace = said.rpartition("Traceback (most recent call last):")
    named = _EXCEPTION.search(trace) if raised else None
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return named.group() if named else (lines[-1] if lines else "")


def _in_brackets(said: str) -> str:
    """How much it wanted, where it said so."""
    tried = _TRIED.search(said)
    return f" (it asked for {tried[1]} {tried[2]} more)" if tried else ""


def _smaller(said: str, batch: int | None) -> str:
    fitting = fitting_batch(batch, _bytes(_TRIED.search(said)), _bytes(_FREE.search(said))) if batch else 0
    if fitting:
        return f"a new run with --batch {fitting} instead of {batch} needs less"
    return "a new run with a smaller --length, --hidden or --layers needs less"


def fitting_batch(batch: int, tried: float | None, free: float | None) -> int:
    """The largest of batch/2, batch/4, … whose share of what was `tried` is `free` (bytes); 0 if not even 1 is.

    Where that is not known it is half the batch: what training keeps for its gradients grows with the batch.
    """
    smaller = batch // 2
    while smaller and tried is not None and free is not None and tried * smaller / batch > free:
        smaller //= 2
    return smaller


def _bytes(found: re.Match[str] | None) -> float | None:
    return float(found[1]) * _UNITS[found[2]] if found else None
