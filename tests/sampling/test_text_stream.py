"""A stream of text obeys from one character to the next."""

import time
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from charrnn.config import Cell, Knobs, ModelConfig
from charrnn.model.language_model import LanguageModel
from charrnn.native.library import Library
from charrnn.sampling.choose import probabilities
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Characters
from tests.thorough import examples

VOCABULARY = Characters.of_text("\n abcdefgh")
SMALL = ModelConfig(hidden=16, embedding=8)


def model_of(cell: Cell = "lstm", seed: int = 1, sharpness: float = 8) -> LanguageModel:
    """A network with firm opinions: its logits spread."""
    torch.manual_seed(seed)
    model = LanguageModel(len(VOCABULARY), replace(SMALL, cell=cell))
    with torch.no_grad():
        model.output.weight *= sharpness
    return model


def stream_of(model: LanguageModel, prime: str = "abc", seed: int = 1, knobs: Knobs | None = None) -> TextStream:
    return TextStream(model, VOCABULARY, prime=prime, seed=seed, knobs=knobs or Knobs())


def take(stream: TextStream, characters: int) -> str:
    return "".join(stream.next() for _ in range(characters))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
def test_every_character_is_drawn_from_the_networks_probabilities(cell: Cell) -> None:
    model = model_of(cell)
    stream = stream_of(model, prime="a b", knobs=Knobs(temperature=0.7, top_k=5))
    text = "a b"
    for _ in range(30):
        logits, _ = model(torch.from_numpy(VOCABULARY.encode(text).astype("int64"))[:, None])
        chances = probabilities(logits[-1, 0], stream.knobs)
        character = stream.next()
        assert stream.probability == pytest.approx(chances[VOCABULARY.symbols.index(character)].item(), rel=1e-4)
        assert stream.probability > 0
        text += character


@given(st.text("ab c\n", max_size=20), st.integers(-(2**63), 2**63 - 1))
@examples(25)
def test_any_seed_and_prime_give_the_same_text_again(prime: str, seed: int) -> None:
    model = model_of()
    first = stream_of(model, prime, seed)
    text = take(first, 40)
    assert take(stream_of(model, prime, seed), 40) == text
    first.restart(None, None)
    assert take(first, 40) == text


def test_another_seed_gives_another_text() -> None:
    stream = stream_of(model_of(sharpness=1))
    text = take(stream, 60)
    stream.restart(seed=2)
    assert (stream.seed, stream.prime) == (2, "abc")
    assert take(stream, 60) != text


def test_the_very_next_character_obeys_new_knobs() -> None:
    model = model_of(sharpness=0)  # every character is as likely but for the bias, so that chance seldom finds the top
    likeliest = VOCABULARY.symbols[int(model.output.bias.argmax())]
    for seed in range(10):
        stream = stream_of(model, seed=seed)
        take(stream, 5)
        stream.knobs = Knobs(greedy=True)
        assert stream.next() == likeliest
        assert stream.probability == 1
        stream.knobs = Knobs(temperature=1)
        stream.next()
        assert stream.probability is not None
        assert stream.probability < 0.5


def test_knobs_change_only_what_comes_after() -> None:
    model = model_of(sharpness=2)
    steady, changed = stream_of(model), stream_of(model)
    assert take(steady, 30) == take(changed, 30)
    changed.knobs = replace(changed.knobs, temperature=50)
    assert take(steady, 60) != take(changed, 60)


def test_weights_overwritten_in_place_are_obeyed_at_once_and_the_state_carries_on() -> None:
    model, other = model_of(seed=1), model_of(seed=2)
    stream = stream_of(model, "abc", knobs=Knobs(greedy=True))
    text = "abc" + take(stream, 10)
    with torch.no_grad():
        _, state = model(torch.from_numpy(VOCABULARY.encode(text[:-1]).astype("int64"))[:, None])
        for mine, its in zip(model.parameters(), other.parameters(), strict=True):
            mine.copy_(its)
        logits, _ = other(torch.from_numpy(VOCABULARY.encode(text[-1]).astype("int64"))[:, None], state)
    assert stream.next() == VOCABULARY.symbols[int(logits.argmax())]


def test_unknown_characters_are_named_and_left_out_of_the_prime() -> None:
    stream = stream_of(model_of(), "aéb中cé")
    assert stream.prime == "abc"
    assert stream.unknown == ["é", "中"]
    assert take(stream, 30) == take(stream_of(model_of(), "abc"), 30)
    stream.restart("ab")
    assert stream.unknown == []


def test_an_empty_prime_starts_as_after_a_newline() -> None:
    model = model_of()
    assert take(stream_of(model, ""), 30) == take(stream_of(model, "\n"), 30)
    assert take(stream_of(model, "中"), 30) == take(stream_of(model, "\n"), 30)
    assert stream_of(model, "").prime == ""


def test_without_a_newline_an_empty_prime_starts_as_after_the_first_symbol() -> None:
    model, vocabulary = model_of(), Characters.of_text("123456789x")
    texts = [TextStream(model, vocabulary, prime=prime, seed=1, knobs=Knobs()) for prime in ("", "1")]
    assert take(texts[0], 30) == take(texts[1], 30)


def test_a_huge_prime_is_read_in_portions_and_to_its_end() -> None:
    model = model_of()
    long = "ab cd\n" * 900 + "ef"  # several portions; what the network knows of them is in its state
    lengths: list[int] = []
    model.register_forward_pre_hook(lambda _, given: lengths.append(len(given[0])))
    stream = stream_of(model, long, knobs=Knobs(greedy=True))
    stream.next()
    assert sum(lengths) == len(long)
    assert max(lengths) <= 4096
    logits, _ = model(torch.from_numpy(VOCABULARY.encode(long).astype("int64"))[:, None])
    assert take(stream_of(model, long, knobs=Knobs(greedy=True)), 1) == VOCABULARY.symbols[int(logits[-1, 0].argmax())]


def test_a_network_that_lost_its_numbers_never_crashes_the_stream_and_may_recover() -> None:
    model = model_of()
    stream = stream_of(model)
    good = [parameter.detach().clone() for parameter in model.parameters()]
    take(stream, 5)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    nonsense = take(stream, 20)
    assert len(nonsense) == 20
    with torch.no_grad():
        for parameter, numbers in zip(model.parameters(), good, strict=True):
            parameter.copy_(numbers)
    stream.knobs = Knobs(greedy=True)
    last = stream.next()
    assert last + stream.next() == take(stream_of(model, nonsense[-1], knobs=Knobs(greedy=True)), 2)


def test_a_stream_leaves_the_global_generator_and_gradients_alone() -> None:
    model = model_of()
    before = torch.get_rng_state()
    take(stream_of(model), 20)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
    assert torch.is_grad_enabled()


def test_a_character_costs_little() -> None:
    model = LanguageModel(100, ModelConfig(hidden=128, embedding=100))
    stream = TextStream(model, Characters.printable(), prime="Th", seed=1, knobs=Knobs(top_k=40, top_p=0.9))
    take(stream, 50)
    rounds = []
    for _ in range(10):
        before = time.perf_counter()
        take(stream, 50)
        rounds.append((time.perf_counter() - before) / 50)
    assert min(rounds) < 0.001  # seconds; 0.00015 where it was written: room for a slow and busy machine


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_same_text_is_written_with_and_without_kernels(
    cell: Cell, kernels: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    knobs = Knobs(temperature=0.9, min_p=0.02)
    text = take(stream_of(model_of(cell, sharpness=3), knobs=knobs), 80)
    monkeypatch.setenv("CHARRNN_NATIVE", "0")
    assert take(stream_of(model_of(cell, sharpness=3), knobs=knobs), 80) == text
