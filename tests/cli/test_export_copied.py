"""What is exported of a run has the share of copies where that was measured, and else is what it always was."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from charrnn.commands.export import COLUMNS, export
from charrnn.runs import copied


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    run = tmp_path / "run"
    run.mkdir()
    lines = [
        {"step": step, "chars": step, "seconds": 1.0, "train_loss": 2.0, "learning_rate": 0.01} for step in (10, 20, 30)
    ]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


def test_a_table_and_a_plot_have_it(recorded: Path, tmp_path: Path) -> None:
    export(recorded, tmp_path / "before.csv")
    export(recorded, tmp_path / "before.svg")
    assert (tmp_path / "before.csv").read_text().splitlines()[0] == ",".join(COLUMNS)
    assert "copied" not in (tmp_path / "before.svg").read_text()
    copied.append(recorded, step=14, share=0.25, longest=31, characters=2000)
    copied.append(recorded, step=90, share=0.5, longest=44, characters=2000)  # after the last line
    export(recorded, tmp_path / "after.csv")
    export(recorded, tmp_path / "after.svg")
    with open(tmp_path / "after.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["copied_share"], row["longest_copy"]) for row in rows] == [("", ""), ("0.25", "31"), ("", "")]
    assert "copied (%)" in (tmp_path / "after.svg").read_text()
