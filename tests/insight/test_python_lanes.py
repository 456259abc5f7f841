"""The README's example of lanes runs, on a run of first weights."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import RunFolder

README = Path(__file__).parents[2] / "README.md"
SYMBOLS = "\n The quickbrown"


def made_run(folder: Path) -> Path:
    config = RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="words", name="words"),
        model=ModelConfig(hidden=16, embedding=8),
        training=TrainingConfig(),
        stream=StreamConfig(),
    )
    symbols = "".join(sorted(set(SYMBOLS)))
    run = RunFolder.create(folder / "words-1", config)
    torch.manual_seed(1)
    weights = LanguageModel(len(symbols), config.model).state_dict()
    facts = {"symbols": symbols, "replacement": None}
    save_checkpoint(run.path, step=40, model=weights, state={}, val_loss=None, facts=facts)
    run.close()
    return run.path


def test_the_readmes_example_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [one for one in blocks if "charrnn.lanes(" in one]
    exec(block, {"run": made_run(tmp_path)})
    said = capsys.readouterr().out
    assert all(f"T {temperature:.2f} 40 " in said for temperature in (0.4, 0.8, 1.2))
    assert len(said) > 3 * 60
