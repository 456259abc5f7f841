"""The README's example of ranking units, on a run of a few seconds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.insight.units.test_ranking import quoted

README = Path(__file__).parents[2] / "README.md"


def test_the_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = (
        found for found in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL) if "rank_units" in found
    )
    text = quoted(6000)
    (tmp_path / "text.txt").write_text(text)
    shape = ["--cell", "lstm", "--hidden", "8", "--layers", "1", "--embedding", "8", "--batch", "4"]
    options = [*shape, "--steps", "10", "--threads", "1", "--linger", "0"]
    subprocess.run(
        [sys.executable, "-m", "charrnn", "train", "text.txt", *options, "--run", str(tmp_path / "run")],
        cwd=tmp_path,
        env={**os.environ, "CHARRNN_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        check=True,
    )
    names: dict[str, object] = {"run": tmp_path / "run", "text": text}
    exec(compile(block, "README.md", "exec"), names)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 11
    assert all(re.match(r"[chifgo] 1·\d .*AUC 0\.\d{3}|.*AUC 1\.000", line) for line in lines[:10])
    assert lines[10].endswith("(19,) (19, 48)")
