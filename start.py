#!/usr/bin/env python3
"""Sets up everything, then starts the workbench or the tests. Needs nothing but Python 3.11.

    python3 start.py [TARGET] [options]     the workbench: what `charrnn-tui` takes
    python3 start.py test [options]         every check: what `pytest` takes

The first call makes a virtual environment in .venv (or uses the one that is active) and installs into it the versions
in constraints.txt; a torch that this Python already has is kept. Later calls start at once.
"""

import fcntl
import hashlib
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
CONSTRAINTS = HERE / "constraints.txt"


def main(words: list) -> int:
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts this may have an older one
        say("charrnn needs Python 3.11 or newer; this is {}.{}".format(*sys.version_info))
        return 2
    testing = words[:1] == ["test"]
    with open(__file__, "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two that start at once would install into each other's way
        python = set_up(testing)
    if python is None:
        return 1
    command = [python, "-m", "pytest", *words[1:]] if testing else [python, "-m", "tui", *words]
    if testing:
        os.chdir(HERE)
    return os.execv(python, command)


def set_up(testing: bool):
    """The Python that has all that is needed, None if it could not be had."""
    keep_torch = find_spec("torch") is not None
    python = environment(keep_torch)
    if python is None:
        return None
    stamp = Path(python).parent.parent / (".charrnn-test" if testing else ".charrnn")
    if not up_to_date(stamp):
        if not install(python, ".[dev]" if testing else ".", keep_torch):
            return None
        subprocess.run([python, "-m", "charrnn.native"], cwd=HERE, check=False)  # now, rather than in the first run
    stamp.write_text(digest(), encoding="utf-8")
    return python


def environment(see_system: bool):
    """The Python to install into: the active virtual environment's, or that of .venv, which is made if need be."""
    if sys.prefix != sys.base_prefix:
        return sys.executable
    place = HERE / ".venv"
    python = place / "bin" / "python"
    if not python.exists():
        say("making a virtual environment in .venv")
        command = [sys.executable, "-m", "venv", *(["--system-site-packages"] if see_system else []), str(place)]
        made = subprocess.run(command, capture_output=True, text=True, check=False)
        if made.returncode:
            say("Python cannot make virtual environments here; on Debian and Ubuntu: apt install python3-venv")
            say((made.stderr or made.stdout).strip())
            return None
    return str(python)


def install(python: str, what: str, keep_torch: bool) -> bool:
    say("installing what it needs, once; torch is a large download")
    lines = CONSTRAINTS.read_text(encoding="utf-8").splitlines()
    if keep_torch:
        lines = [line for line in lines if not line.startswith("torch==")]
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, "constraints.txt")
        held.write_text("\n".join(lines) + "\n", encoding="utf-8")
        pip = [python, "-m", "pip", "install", "--disable-pip-version-check", *quiet, "--constraint", str(held)]
        return subprocess.run([*pip, "--editable", what], cwd=HERE, stdout=sys.stderr, check=False).returncode == 0


def digest() -> str:
    """What an installation was made from."""
    made_from = [HERE / name for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()


def up_to_date(stamp: Path) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="utf-8") == digest()


def say(words: str) -> None:
    print(f"start.py: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
