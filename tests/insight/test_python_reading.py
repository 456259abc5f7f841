"""What the README shows of surprise, passages and pages from Python runs as it stands there, on a small run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.text.vocabulary import Characters

ROOT = Path(__file__).parents[2]


def test_the_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", readme.partition("## What it thinks")[2], re.DOTALL)
    (block,) = [block for block in blocks if "charrnn.html_of" in block]
    config = RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="docs", name="docs"),
        model=ModelConfig(hidden=16, embedding=8),
        training=TrainingConfig(),
        stream=StreamConfig(),
    )
    run = RunFolder.create(tmp_path / "runs" / "python-docs-1", config)
    vocabulary = Characters.of_text("The cat sat on the mat, and the dog sat on it. x")
    torch.manual_seed(1)
    model = LanguageModel(len(vocabulary), config.model).state_dict()
    facts = {"symbols": vocabulary.symbols, "replacement": None}
    save_checkpoint(run.path, step=40, model=model, state={}, val_loss=None, facts=facts)
    run.close()
    monkeypatch.setenv("CHARRNN_RUNS", str(tmp_path / "runs"))
    monkeypatch.chdir(tmp_path)
    exec(compile(block, "README.md", "exec"), {})
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("'T' nan expected")
    assert len(said) == len("The cat sat on teh mat.") + 1
    assert "teh" not in said[-1]
    assert "The cat sat on teh mat." in re.sub(r"<[^>]*>", "", (tmp_path / "cat.html").read_text(encoding="utf-8"))
