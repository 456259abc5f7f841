"""The README's example of copies runs, and finds what there is to find."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import charrnn
from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, TrainingConfig
from charrnn.model.language_model import LanguageModel
from charrnn.runs.checkpoint import save_checkpoint
from charrnn.runs.directory import RunFolder
from charrnn.text.corpus import load_corpus

README = Path(__file__).parents[2] / "README.md"
COPIED = "The rain it raineth every day"


class Copyist:
    """Writes what it was made for."""

    def __init__(self, *_: object, **__: object) -> None:
        self._text = f"Well#{COPIED}; " * 100

    def take(self, characters: int) -> str:
        return self._text[:characters]


def made_run(folder: Path) -> Path:
    text = folder / "rain.txt"
    text.write_text(f"{COPIED}. " * 40, encoding="utf-8")
    corpus = CorpusConfig(source=str(text), name="rain")
    config = RunConfig(
        preset="auto",
        corpus=corpus,
        model=ModelConfig(hidden=16, embedding=8),
        training=TrainingConfig(),
        stream=StreamConfig(),
    )
    vocabulary = load_corpus(corpus).vocabulary
    run = RunFolder.create(folder / "rain-1", config)
    torch.manual_seed(1)
    weights = LanguageModel(len(vocabulary), config.model).state_dict()
    save_checkpoint(run.path, step=40, model=weights, state={}, val_loss=None, facts=vocabulary.facts())
    run.close()
    return run.path


def test_the_readmes_example_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHARRNN_CACHE", str(tmp_path / "cache"))
    run = made_run(tmp_path)
    blocks = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    (block,) = [one for one in blocks if "charrnn.copying_index(" in one]
    exec(compile(block, "README.md", "exec"), {"run": run})
    assert "0% of it is copied" in capsys.readouterr().out  # weights that have learnt nothing
    monkeypatch.setattr(charrnn, "TextStream", Copyist)
    exec(compile(block, "README.md", "exec"), {"run": run})
    said = capsys.readouterr().out
    share = 2000 // len(f"Well#{COPIED}; ") * len(COPIED) / 2000
    assert f"{share:.0%} of it is copied" in said
    assert f"{len(COPIED)} 0 " in said
    assert COPIED in said
