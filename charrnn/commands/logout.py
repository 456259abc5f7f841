"""Whether the login manager (systemd-logind) would end a training run when its user logs out. No torch here.

What it does is in logind.conf(5) and loginctl(1): with KillUserProcesses=yes every process in a session's scope is
ended with the session, unless its user is exempt; what runs under the user's own manager (many terminals of a desktop
do) ends with the last session, whatever KillUserProcesses says, unless the user lingers. Elsewhere nothing happens.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_FOLDERS = ("etc", "run", "usr/local/lib", "usr/lib")
"""Where systemd looks for settings, the first wins."""
_ASKING_TAKES = 2.0
_TRUE = {"1", "yes", "y", "true", "t", "on"}


@dataclass(frozen=True, slots=True)
class Login:
    """What the login manager is told to do; the users for whom alone it ends processes, or for whom it does not."""

    kills: bool
    only: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ("root",)

    def kills_of(self, user: str) -> bool:
        """Whether it ends this user's processes with the session."""
        return self.kills and user not in self.exempt and (not self.only or user in self.only)


def of_settings(texts: Iterable[str]) -> Login:
    """What logind.conf and its drop-ins say, in the order in which they are read: the later counts.

    Where nothing is set, a commented line (`#KillUserProcesses=no`) is what this system's logind was built with;
    without one it is systemd's own default, yes.
    """
    default: dict[str, str] = {}
    found: dict[str, str] = {}
    for text in texts:
        section = ""
        for line in map(str.strip, text.splitlines()):
            if line.startswith("["):
                section = line
            match = re.match(r"([#;]?)\s*(Kill\w+)\s*=\s*(.*)$", line)
            if match and section in ("", "[Login]"):
                commented, name, value = match.groups()
                (default if commented else found)[name] = value.strip()
    settings = {**default, **found}
    return Login(
        settings.get("KillUserProcesses", "yes").lower() in _TRUE,
        tuple(settings.get("KillOnlyUsers", "").split()),
        tuple(settings.get("KillExcludeUsers", "root").split()),
    )


def of_answers(kills: str, only: str, exempt: str) -> Login | None:
    """What busctl printed for the three properties (`b true`, `as 0`, `as 1 "root"`); None where it is no answer."""
    if not re.fullmatch(r"b (true|false)\s*", kills):
        return None
    names = [tuple(re.findall(r'"([^"]*)"', text)) for text in (only, exempt)]
    return Login("true" in kills, *names)


@dataclass(frozen=True, slots=True)
class Logout:
    """What becomes of a run when its user logs out, and what to do; `fate` is "" where it goes on."""

    fate: str = ""
    advice: str = ""


def at_logout(groups: str, kills: bool, lingers: bool) -> Logout:
    """Of a process in these control groups, as /proc/self/cgroup has them.

    `kills`: the login manager ends its user's processes; `lingers`: the user's own manager outlives the last session.
    """
    linger = "" if lingers else "`loginctl enable-linger`, once"
    if re.search(r"/user@\d+\.service(/|$)", groups, re.MULTILINE):
        return Logout() if lingers else Logout("ends with your last session", f"{linger}, keeps it alive")
    if kills and re.search(r"/session-[^/\s]+\.scope(/|$)", groups, re.MULTILINE):
        begin = "begin it with `systemd-run --user --scope charrnn-tui …`"
        advice = f"{linger}, then {begin}" if linger else begin
        return Logout("is ended with your session by the login manager (KillUserProcesses=yes), in tmux too", advice)
    return Logout()


def at_logout_here(root: Path = Path("/")) -> Logout | None:
    """`at_logout` for a run that this process would begin; None where there is no login manager to ask."""
    if not (root / "run/systemd/system").is_dir():
        return None
    try:
        groups = (root / "proc/self/cgroup").read_text(encoding="utf-8")
        user = pwd.getpwuid(os.getuid()).pw_name
    except (OSError, KeyError):
        return None
    login = (_asked() if root == Path("/") else None) or of_settings(_settings(root))
    return at_logout(groups, login.kills_of(user), (root / "var/lib/systemd/linger" / user).exists())


def _asked() -> Login | None:
    manager = ("org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager")
    names = ("KillUserProcesses", "KillOnlyUsers", "KillExcludeUsers")
    try:
        answers = [
            subprocess.run(
                ["busctl", "get-property", *manager, name],
                capture_output=True,
                text=True,
                check=True,
                timeout=_ASKING_TAKES,
            ).stdout
            for name in names
        ]
    except (OSError, subprocess.SubprocessError):
        return None
    return of_answers(*answers)


def _settings(root: Path) -> list[str]:
    """The texts of logind.conf and its drop-ins, in the order in which they are read."""
    main = [root / folder / "systemd/logind.conf" for folder in _FOLDERS]
    added: dict[str, Path] = {}
    for folder in _FOLDERS:
        with contextlib.suppress(OSError):
            for path in (root / folder / "systemd/logind.conf.d").iterdir():
                if path.suffix == ".conf":
                    added.setdefault(path.name, path)
    texts = []
    for path in [*[path for path in main if os.path.isfile(path)][:1], *(added[name] for name in sorted(added))]:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            texts.append(path.read_text(encoding="utf-8"))
    return texts
