"""The README's example of choices from Python runs, and does what it says."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).parents[2] / "README.md"


def test_the_readmes_example_runs(corpus_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--steps", "2", "--hidden", "16", "--layers", "1", "--cell", "gru", "--threads", "1"]
    run = tmp_path / "runs" / "tiny"
    subprocess.run(
        [sys.executable, "-m", "charrnn", "train", str(corpus_file), "--run", str(run), *words],
        check=True,
        capture_output=True,
        env={**os.environ, "CHARRNN_RUNS": str(tmp_path / "runs")},
    )
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [one for one in blocks if "charrnn.choices(" in one]
    names: dict[str, Any] = {"run": run}
    exec(block, names)
    assert [one.taken.token for one in names["made"]] == names["saved"].vocabulary.encode("the").tolist()
    assert names["after"].taken is None
    assert names["after"].left == 20
    text, other = names["text"], names["other"]
    assert other[:40] == text[:40]
    assert other[40] == names["saved"].vocabulary.texts[names["likeliest"].token]
    assert len(other) == 101
    assert len(capsys.readouterr().out.splitlines()) == 4
