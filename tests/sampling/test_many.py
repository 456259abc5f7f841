"""Many streams at once are as many single ones."""

from dataclasses import replace

import pytest
import torch

from charrnn.config import Cell, Knobs, ModelConfig
from charrnn.model.language_model import LanguageModel
from charrnn.sampling.choose import draw, draw_each, probabilities
from charrnn.sampling.many import ManyStreams, seeds_from
from charrnn.sampling.stream import TextStream
from charrnn.text.vocabulary import Characters

VOCABULARY = Characters.of_text("\n abcdefgh")
SEEDS = [5, 6, 7, 8, 2**63 - 1, 0]


def model_of(cell: Cell = "lstm", sharpness: float = 8, **settings: int) -> LanguageModel:
    torch.manual_seed(1)
    model = LanguageModel(len(VOCABULARY), replace(ModelConfig(cell=cell, hidden=16, embedding=8), **settings))
    with torch.no_grad():
        model.output.weight *= sharpness
    return model


def taken(streams: ManyStreams, characters: int) -> list[str]:
    return ["".join(text) for text in zip(*(streams.next() for _ in range(characters)), strict=True)]


def alone(model: LanguageModel, seed: int, characters: int, prime: str = "abc", knobs: Knobs | None = None) -> str:
    stream = TextStream(model, VOCABULARY, prime=prime, seed=seed, knobs=knobs)
    return "".join(stream.next() for _ in range(characters))


@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm", "lstmcell"])
@pytest.mark.parametrize("knobs", [Knobs(), Knobs(top_k=4), Knobs(top_p=0.8, min_p=0.05, temperature=1.2)], ids=str)
def test_stream_i_is_the_single_stream_of_its_seed(cell: Cell, knobs: Knobs) -> None:
    """In float64, where a draw within rounding of a border is out of the question, to the last character."""
    model = model_of(cell, layers=2).double()
    found = taken(ManyStreams(model, VOCABULARY, prime="abc", seeds=SEEDS, knobs=knobs), 200)
    assert found == [alone(model, seed, 200, knobs=knobs) for seed in SEEDS]
    assert len(set(found)) == len(SEEDS)


def test_in_float32_the_logits_are_the_single_streams_but_for_rounding() -> None:
    model = model_of(layers=2, hidden=64)
    streams = ManyStreams(model, VOCABULARY, prime="a b", seeds=SEEDS)
    seen: list[torch.Tensor] = []
    hook = model.register_forward_hook(lambda _, __, output: seen.append(output[0][-1].clone()))
    texts = taken(streams, 60)
    hook.remove()
    assert [len(logits) for logits in seen] == [1] + [len(SEEDS)] * 59
    for row, text in enumerate(texts):
        wanted, _ = model(torch.from_numpy(VOCABULARY.encode("a b" + text).astype("int64"))[:, None])
        found = torch.stack([logits[row if len(logits) > 1 else 0] for logits in seen])
        torch.testing.assert_close(found, wanted[2:-1, 0].detach(), rtol=1e-4, atol=1e-4)


def test_any_prime_is_read_as_a_single_stream_reads_it() -> None:
    model = model_of().double()
    for prime in ("", "a", "aéb中c", "ab cd\n" * 400):
        streams = ManyStreams(model, VOCABULARY, prime=prime, seeds=SEEDS[:2])
        single = TextStream(model, VOCABULARY, prime=prime, seed=SEEDS[0])
        assert (streams.prime, streams.unknown) == (single.prime, single.unknown)
        assert taken(streams, 40) == [alone(model, seed, 40, prime) for seed in SEEDS[:2]]


def test_greedy_streams_are_all_alike_and_draw_nothing() -> None:
    model = model_of()
    found = taken(ManyStreams(model, VOCABULARY, prime="abc", seeds=SEEDS, knobs=Knobs(greedy=True)), 30)
    assert found == [alone(model, 1, 30, knobs=Knobs(greedy=True))] * len(SEEDS)


def test_the_very_next_characters_obey_new_knobs() -> None:
    model = model_of(sharpness=0)  # every character is as likely but for the bias
    streams = ManyStreams(model, VOCABULARY, prime="abc", seeds=range(30), knobs=Knobs(temperature=5))
    assert len(set(streams.next())) > 1
    streams.knobs = Knobs(greedy=True)
    assert set(streams.next()) == {VOCABULARY.symbols[int(model.output.bias.argmax())]}


def test_a_network_that_lost_its_numbers_ends_nothing_and_may_recover() -> None:
    model = model_of()
    good = {name: part.clone() for name, part in model.state_dict().items()}
    streams = ManyStreams(model, VOCABULARY, prime="abc", seeds=SEEDS, knobs=Knobs(temperature=1.5))
    taken(streams, 3)
    with torch.no_grad():
        model.output.bias.fill_(torch.nan)
        model.layers[0].recurrence.weight_hh_l0.fill_(torch.nan)
    last = [text[-1] for text in taken(streams, 20)]
    model.load_state_dict(good)
    streams.knobs = Knobs(greedy=True)
    assert streams.next() == [alone(model, 1, 1, character, Knobs(greedy=True)) for character in last]


def test_rows_of_logits_are_each_what_they_are_alone() -> None:
    torch.manual_seed(2)
    logits = torch.randn(12, 9) * 5
    logits[3, 2] = torch.nan
    logits[4, 5] = torch.inf
    logits[5] = -torch.inf
    for knobs in (
        Knobs(),
        Knobs(greedy=True),
        Knobs(top_k=3),
        Knobs(top_p=0.7),
        Knobs(min_p=0.2),
        Knobs(temperature=0),
    ):
        together = probabilities(logits, knobs)
        for row, chances in zip(logits, together, strict=True):
            torch.testing.assert_close(chances, probabilities(row, knobs), rtol=1e-12, atol=0)
        generators = [torch.Generator().manual_seed(seed) for seed in range(12)]
        again = [torch.Generator().manual_seed(seed) for seed in range(12)]
        for _ in range(5):
            wanted = [draw(chances, knobs, generator) for chances, generator in zip(together, again, strict=True)]
            assert draw_each(together, knobs, generators) == wanted


def test_a_draw_is_torchs_own() -> None:
    """So a seed gives the text that it gave when `torch.multinomial` drew it."""
    torch.manual_seed(2)
    for vocabulary in (2, 9, 65, 100, 5000):
        chances = torch.softmax(torch.randn(vocabulary, dtype=torch.float64) * 3, 0)
        ours, its = torch.Generator().manual_seed(vocabulary), torch.Generator().manual_seed(vocabulary)
        for _ in range(100):
            assert draw(chances, Knobs(), ours) == int(torch.multinomial(chances, 1, generator=its))


def test_seeds_count_on_from_the_first_and_stay_in_range() -> None:
    assert seeds_from(7, 3) == [7, 8, 9]
    assert seeds_from(2**63 - 2, 4) == [2**63 - 2, 2**63 - 1, 0, 1]


def test_many_streams_leave_the_global_generator_and_gradients_alone() -> None:
    model, before = model_of(), torch.get_rng_state()
    taken(ManyStreams(model, VOCABULARY, prime="abc", seeds=SEEDS), 10)
    assert torch.equal(torch.get_rng_state(), before)
    assert all(parameter.grad is None for parameter in model.parameters())
