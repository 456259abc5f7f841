"""The example of time travel in the README runs as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.insight.small_runs import small_run

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_example_of_time_travel_runs(
    runs_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, after = README.read_text(encoding="utf-8").partition("### The same from Python")
    blocks = re.findall(r"```python\n(.*?)```", after.partition("\n## ")[0], re.S)
    (block,) = [one for one in blocks if "charrnn.travel(" in one]
    small_run(runs_folder / "python-docs-1")
    exec(compile(block, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "0" in printed
    assert printed.count("The ") >= 5
