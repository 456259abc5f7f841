"""Whatever the tokens are, a loss is nats per character: checked against a plain loop."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch

from charrnn.config import CorpusConfig, ModelConfig, RunConfig, StreamConfig, Tokens, TrainingConfig, UsageError
from charrnn.model.language_model import LanguageModel
from charrnn.text.corpus import load_corpus
from charrnn.text.vocabulary import Vocabulary, Words, vocabulary_of
from charrnn.training import memory
from charrnn.training.evaluation import stream_loss, window_loss
from charrnn.training.trainer import Trainer, build

TEXT = "Die Straße überquert man früh – “naïve” 日本語 🙂.\nThe cat sees the man, the man sees the cat.\n" * 12
MODEL = ModelConfig(hidden=16, embedding=6)
KINDS: list[Tokens] = ["char", "byte", "word"]


def model_of(vocabulary: Vocabulary) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(len(vocabulary), MODEL)
    with torch.no_grad():
        model.output.weight *= 5
    return model.eval()


def nats(model: LanguageModel, ids: list[int], forget_every: int | None = None) -> float:
    """What all tokens after the first cost together, read one by one."""
    total, state = 0.0, None
    with torch.no_grad():
        for place, (token, following) in enumerate(pairwise(ids)):
            if forget_every and place % forget_every == 0:
                state = None
            logits, state = model(torch.tensor([[token]]), state)
            total -= torch.log_softmax(logits[0, 0].double(), 0)[following].item()
    return total


@pytest.mark.parametrize("tokens", KINDS)
def test_a_held_out_loss_is_that_of_all_tokens_shared_out_among_their_characters(tokens: Tokens) -> None:
    vocabulary = vocabulary_of(tokens, [TEXT])
    model, ids = model_of(vocabulary), vocabulary.encode(TEXT[:150])
    first = vocabulary.decode(ids[:1])
    characters = 150 - len(first)  # the first token is not predicted
    listed = ids.tolist()
    count = vocabulary.characters_in
    found = stream_loss(model, ids, characters_in=count)
    assert found == pytest.approx(nats(model, listed) / characters, abs=1e-5)
    found = window_loss(model, ids, 10, characters_in=count)
    assert found == pytest.approx(nats(model, listed, 10) / characters, abs=1e-5)


@pytest.mark.parametrize("tokens", KINDS)
def test_a_steps_loss_is_that_of_its_own_tokens_shared_out_among_their_characters(tokens: Tokens) -> None:
    vocabulary = vocabulary_of(tokens, [TEXT])
    config = TrainingConfig(batch=3, length=20, sampling_of_text="random", lr=1e-9)
    trainer = Trainer(model_of(vocabulary), vocabulary.encode(TEXT), np.empty(0, np.uint8), config, "cpu", vocabulary)
    again = Trainer(model_of(vocabulary), vocabulary.encode(TEXT), np.empty(0, np.uint8), config, "cpu", vocabulary)
    before = 0
    for _ in range(3):
        batch = again._batches.next()
        spelled = [vocabulary.decode(batch.targets[:, row].numpy()) for row in range(3)]
        rows = [[*batch.inputs[:1, row].tolist(), *batch.targets[:, row].tolist()] for row in range(3)]
        cost = sum(nats(again.model.eval(), row) for row in rows)
        found = trainer.step().loss
        characters = trainer.chars_done - before
        before = trainer.chars_done
        if tokens != "byte":  # a portion of bytes may begin and end within a character
            assert characters == sum(map(len, spelled))
        assert characters == sum(vocabulary.characters_in(batch.targets[:, row].numpy()) for row in range(3))
        assert found == pytest.approx(cost / characters, rel=1e-4)


def test_bytes_and_words_are_learnt_as_characters_are() -> None:
    losses = {}
    for tokens in KINDS:
        corpus = load_corpus(CorpusConfig(source="-", name="t", tokens=tokens), stdin_text=TEXT)
        config = TrainingConfig(batch=4, length=16, lr=0.02, seed=1, threads=1, device="cpu")
        run = RunConfig(
            preset="auto",
            corpus=CorpusConfig(source="-", name="t", tokens=tokens),
            model=MODEL,
            training=config,
            stream=StreamConfig(),
        )
        trainer = build(run, corpus)
        for _ in range(250):
            trainer.step()
        losses[tokens] = trainer.evaluate()
    assert all(loss is not None and loss < 1.0 for loss in losses.values()), losses


def run_of(**training: int) -> RunConfig:
    return RunConfig(
        preset="auto",
        corpus=CorpusConfig(source="-", name="t", tokens="word"),
        model=ModelConfig(hidden=256, embedding=64),
        training=TrainingConfig(batch=32, length=64, threads=1, device="cpu", **training),
        stream=StreamConfig(),
    )


def test_a_vocabulary_larger_than_memory_is_one_sentence_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    words = Words("ab", tuple(f"a{'b' * number}" for number in range(1, 30)))
    needed = memory.vocabulary_bytes(len(words), run_of())
    assert needed > len(words) * 4 * 4 * (64 + 256)  # weights, gradients and two moments at the least
    monkeypatch.setattr(memory, "memory_left", lambda _: needed)
    memory.require_memory(words, run_of(), torch.device("cpu"))
    monkeypatch.setattr(memory, "memory_left", lambda _: needed - 1)
    with pytest.raises(UsageError, match=r"29 words and 2 characters takes .* a smaller --max-vocabulary, --batch"):
        memory.require_memory(words, run_of(), torch.device("cpu"))
    with pytest.raises(UsageError, match=r"2 symbols takes .* a smaller --batch"):
        memory.require_memory(
            vocabulary_of("char", ["ab"]), replace(run_of(), model=ModelConfig(hidden=65_536)), torch.device("cpu")
        )
    monkeypatch.setattr(memory, "memory_left", lambda _: None)
    memory.require_memory(words, run_of(), torch.device("cpu"))


def test_there_is_memory_here_and_a_containers_limit_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    left = memory.memory_left(torch.device("cpu"))
    assert left is not None
    assert left > 1e6
    monkeypatch.setattr(memory, "_group_left", lambda: 1000)
    assert memory.memory_left(torch.device("cpu")) == 1000
