"""The house rules that a machine can check: format, lint, strict types, import contracts, what may never be read."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "format", "--check", "."),
        ("ruff", "check", "."),
        ("mypy",),
        ("importlinter.cli",),
    ],
    ids=["format", "lint", "types", "import contracts"],
)
def test_the_tree_passes(command: tuple[str, ...]) -> None:
    if command == ("importlinter.cli",):
        code = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
        done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    else:
        done = run(*command)
    assert done.returncode == 0, done.stdout + done.stderr


def sources() -> list[Path]:
    return [path for package in ("charrnn", "tui") for path in (ROOT / package).rglob("*.py")]


def test_no_pickle_is_ever_read() -> None:
    pickled = re.compile(r"\b(pickle|cPickle|dill|joblib|shelve|marshal)\b|torch\.(load|save)\(|allow_pickle")
    found = {str(path) for path in sources() if pickled.search(path.read_text(encoding="utf-8"))}
    assert not found


def test_the_clock_that_can_be_set_is_read_only_for_dates_and_ages() -> None:
    """What lasts, waits or is in order goes by the monotonic clock, or by steps."""
    read = re.compile(
        r"\btime\.(time|time_ns|strftime|localtime|gmtime|ctime)\(|datetime\.(now|today|utcnow)|CLOCK_REALTIME"
    )
    found = {path.relative_to(ROOT).as_posix() for path in sources() if read.search(path.read_text(encoding="utf-8"))}
    assert found <= {
        "charrnn/engine/record.py",  # the dates of log lines and events
        "charrnn/runs/directory.py",  # the age of a run, never below nothing
        "charrnn/runs/lock.py",  # when an engine took its run
        "charrnn/runs/sockets.py",  # what has lain about for a week, and nobody answers at
        "charrnn/text/cache.py",  # what a dead process left, and nobody has locked
        "charrnn/text/downloads.py",  # the day of a download
        "charrnn/text/stored.py",  # whether a file was changed just now
        "tui/copying.py",  # a file's name
    }


def test_only_the_chart_and_nothing_of_the_library_names_plotext() -> None:
    named = {path.relative_to(ROOT).as_posix() for path in sources() if "import plotext" in path.read_text("utf-8")}
    assert named == {"tui/chart.py"}


@pytest.mark.parametrize("module", ["charrnn.cli", "charrnn.engine.client", "charrnn.engine.server", "charrnn.options"])
def test_torch_is_not_loaded_by(module: str) -> None:
    """The engine answers its clients, and a command its user, before torch is there."""
    code = f"import sys, {module}; sys.exit('torch' in sys.modules or 'textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_constraints_hold_every_dependency_to_one_version() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    held = {re.split("==", line)[0].lower().replace("_", "-") for line in lines if "==" in line}
    wanted = [*project["dependencies"], *(w for extra in project["optional-dependencies"].values() for w in extra)]
    names = {re.split(r"[\[<>=! ]", word)[0].lower().replace("_", "-") for word in wanted} - {"charrnn"}
    assert names <= held
    assert "torch==2.13.0" in lines


def test_the_readmes_keys_are_the_tables() -> None:
    from tui.keys import markdown

    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    _, _, after = readme.partition("keeps this table true -->\n")
    assert after.partition("<!-- /keys -->")[0].strip() == markdown().strip()
